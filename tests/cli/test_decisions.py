"""What people decide by the command line: it is journaled with their names, or refused with nothing changed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.cli.fakes import AAPL, TSLA, Surroundings
from tests.custody.builders import STRANGER_KEY, address_of
from xstocks_daemon.app.daemon import only_daemon
from xstocks_daemon.chain.addresses import associated_token_address, base58
from xstocks_daemon.cli.orders import order_again
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import AssetJournal, Halt, HaltReason, Order, Totals
from xstocks_daemon.domain.snapshot import ParticipantState, Redemption, RedemptionState
from xstocks_daemon.errors import UserError
from xstocks_daemon.journal import Event, Journal

WALLET = address_of(STRANGER_KEY)
ORDER_ID = "0123456789abcdef0123456789abcdef"
DISTRIBUTE = ("distribute", "AAPLx", "12.5", base58(WALLET), "--order-id", ORDER_ID, "--person", "Ann")
HALT = Halt(AAPL, HaltReason.TOTALS_DIFFER, "minted 7, journaled 5")


def known(surroundings: Surroundings) -> AssetJournal:
    return surroundings.journal(lambda journal: journal.expected(AAPL))


def orders(surroundings: Surroundings) -> tuple[Order, ...]:
    async def work(journal: Journal) -> tuple[Order, ...]:
        return (await journal.view()).orders

    return surroundings.journal(work)


def newest(surroundings: Surroundings, kind: str) -> Event:
    async def work(journal: Journal) -> Event:
        return next(event for event in await journal.events() if event.kind == kind)

    return surroundings.journal(work)


# ---- orders ---------------------------------------------------------------------------------------------------------


def test_an_order_is_journaled_to_the_participants_token_account(surroundings: Surroundings) -> None:
    surroundings.participants[WALLET] = ParticipantState.ACTIVE
    assert surroundings.done(*DISTRIBUTE) == f"ordered: 1250000000 base units of {base58(AAPL)} to {base58(WALLET)}\n"
    order = Order(bytes.fromhex(ORDER_ID), AAPL, 1_250_000_000, WALLET, associated_token_address(WALLET, AAPL))
    assert orders(surroundings) == (order,)
    assert newest(surroundings, "order_placed").detail["person"] == "ann"


def test_an_order_is_for_active_participants_only(surroundings: Surroundings) -> None:
    assert surroundings.refused(*DISTRIBUTE) == (
        f"error: WALLET: {base58(WALLET)}: is no participant; have the registrar put it on the allow-list"
    )
    for state in ParticipantState:
        if state is not ParticipantState.ACTIVE:
            surroundings.participants[WALLET] = state
            assert surroundings.refused(*DISTRIBUTE) == (
                f"error: WALLET: {base58(WALLET)}: the participant is not active; have the registrar activate it"
            )
    assert orders(surroundings) == ()
    surroundings.participants[WALLET] = ParticipantState.ACTIVE
    surroundings.done(*DISTRIBUTE)


def test_an_order_id_is_used_once(surroundings: Surroundings) -> None:
    surroundings.participants[WALLET] = ParticipantState.ACTIVE
    surroundings.done(*DISTRIBUTE)
    placed = orders(surroundings)
    again = ("distribute", "AAPLx", "1", base58(WALLET), "--order-id", ORDER_ID)
    assert surroundings.refused(*again) == (
        f"error: --order-id: {ORDER_ID}: was used before; give a new one for another order"
    )
    assert orders(surroundings) == placed


def test_an_order_is_taken_back_once(surroundings: Surroundings) -> None:
    surroundings.participants[WALLET] = ParticipantState.ACTIVE
    surroundings.done(*DISTRIBUTE)
    assert surroundings.done("cancel-order", ORDER_ID, "--person", "Bob") == f"cancelled: {ORDER_ID}\n"
    assert orders(surroundings) == ()
    assert newest(surroundings, "order_cancelled").detail["person"] == "bob"
    assert "is not open" in surroundings.refused("cancel-order", ORDER_ID)


def test_an_asset_that_is_not_registered_is_named(surroundings: Surroundings) -> None:
    line = surroundings.refused("approve-burn", "AAPL", "--up-to-raw", "5")
    assert line == (
        "error: MINT|SYMBOL: AAPL: no registered asset has this symbol; did you mean AAPLx? "
        "(`xstocks assets` lists them)"
    )


# ---- approvals ------------------------------------------------------------------------------------------------------


def test_an_approval_is_journaled_with_who_gave_it(surroundings: Surroundings) -> None:
    said = surroundings.done("approve-burn", "AAPLx", "--up-to-raw", "500", "--person", "Ann")
    assert said == "approved: burns of at most 500 base units of AAPLx in all\n"
    assert known(surroundings).burn_approved_raw == 500
    assert newest(surroundings, "burn_approved").detail == {"up_to_raw": "500", "person": "ann"}


@pytest.mark.parametrize("amount", ["0", "-1", str(2**64)])
def test_an_approval_of_no_amount_is_refused(surroundings: Surroundings, amount: str) -> None:
    assert "--up-to-raw" in surroundings.refused("approve-burn", "AAPLx", "--up-to-raw", amount)
    assert not surroundings.journal_path.exists()


def test_two_people_acknowledge_what_holders_burnt(surroundings: Surroundings) -> None:
    surroundings.journal(lambda journal: journal.record_holder_burn(AAPL, 100))

    def acknowledged(person: str, up_to_raw: int) -> int:
        out = surroundings.done("ack-burn", "AAPLx", "--up-to-raw", str(up_to_raw), "--person", person, "--json")
        return int(json.loads(out)["acknowledged_raw"])

    assert acknowledged("Ann", 100) == 0
    assert acknowledged(" ann ", 100) == 0
    assert acknowledged("Bob", 60) == 60
    assert known(surroundings).acknowledged_raw == 60
    line = surroundings.refused("ack-burn", "AAPLx", "--up-to-raw", "101", "--person", "Bob")
    assert line.startswith("error: --up-to-raw: 101: ")
    assert known(surroundings).acknowledged_raw == 60


# ---- a baseline -----------------------------------------------------------------------------------------------------


def stands_at(surroundings: Surroundings) -> Totals:
    """The chain has had mints of 100, of which a holder burnt 30."""
    view = surroundings.views[AAPL]
    asset = replace(view.asset, sequence=7, minted_raw=100)
    surroundings.views[AAPL] = replace(view, asset=asset, mint=replace(view.mint, supply_raw=70), vault_raw=0)
    return Totals(7, 0, 100, 0, 0)


def adopt(*people: str) -> tuple[str, ...]:
    return ("adopt-baseline", "AAPLx", *(word for person in people for word in ("--person", person)))


def test_a_baseline_is_the_chains_state_by_two_people(surroundings: Surroundings) -> None:
    totals = stands_at(surroundings)
    assert surroundings.done(*adopt("ann", "bob")) == "adopted: AAPLx from sequence 7 on\n"
    found = known(surroundings)
    assert (found.totals, found.holder_burnt_raw) == (totals, 30)
    assert newest(surroundings, "baseline_adopted").detail["people"] == "ann, bob"


@pytest.mark.parametrize("people", [("ann",), ("ann", "ann"), ("ann", " ann"), ("ann", "bob", "cem"), ("a", "b", "a")])
def test_a_baseline_takes_exactly_two_different_people(surroundings: Surroundings, people: tuple[str, ...]) -> None:
    stands_at(surroundings)
    line = surroundings.refused(*adopt(*people))
    shown = " ".join(", ".join(people).split())
    assert line == f"error: --person: {shown}: give it twice, with the names of two different people"
    assert known(surroundings) == AssetJournal()


def test_a_baseline_is_not_adopted_beside_a_daemon(surroundings: Surroundings) -> None:
    stands_at(surroundings)
    with only_daemon(surroundings.journal_path):
        line = surroundings.refused(*adopt("ann", "bob"), code=1)
    assert "another daemon works with it; stop that one first" in line
    assert known(surroundings) == AssetJournal()
    surroundings.done(*adopt("ann", "bob"))


def test_a_baseline_is_not_adopted_over_a_live_intent(surroundings: Surroundings) -> None:
    stands_at(surroundings)
    intent = Intent(IntentKind.MINT, AAPL, 0, 5, surroundings.views[AAPL].asset.vault)
    surroundings.journal(lambda journal: journal.record_intents([intent]))
    assert surroundings.refused(*adopt("ann", "bob")).endswith("is pending")
    assert known(surroundings).totals == Totals()


# ---- halts ----------------------------------------------------------------------------------------------------------


def test_halts_are_listed_and_cleared_by_a_person(surroundings: Surroundings) -> None:
    surroundings.journal(lambda journal: journal.record_halt(HALT))
    (listed,) = json.loads(surroundings.done("halts", "list", "--json"))
    assert listed == {
        "symbol": "AAPLx",
        "mint": base58(AAPL),
        "reason": "totals_differ",
        "detail": "minted 7, journaled 5",
    }
    assert "totals_differ" in surroundings.done("halts", "list")
    assert surroundings.done("halts", "clear", "AAPLx", "--person", "Ann") == "cleared: AAPLx\n"
    assert newest(surroundings, "halt_cleared").detail == {"person": "ann"}
    assert json.loads(surroundings.done("halts", "list", "--json")) == []
    assert surroundings.refused("halts", "clear", "AAPLx").endswith("is not halted")


def test_a_halt_stays_where_a_baseline_is_adopted_and_another_asset_is_not_cleared(surroundings: Surroundings) -> None:
    stands_at(surroundings)
    surroundings.journal(lambda journal: journal.record_halt(HALT))
    assert surroundings.done(*adopt("ann", "bob")) == (
        "adopted: AAPLx from sequence 7 on; `xstocks halts clear AAPLx` lets the daemon work on it\n"
    )
    assert "is not halted" in surroundings.refused("halts", "clear", "TSLAx")
    assert known(surroundings).halt == HALT
    assert TSLA in surroundings.views


# ---- issued again ---------------------------------------------------------------------------------------------------

SETTLED = Redemption(
    address=WALLET,
    state=RedemptionState.SETTLED,
    id=bytes.fromhex(ORDER_ID),
    mint=AAPL,
    wallet=WALLET,
    source=WALLET,
    amount_raw=7,
    requested_ts=1,
    closed_ts=2,
    custodian=WALLET,
    accepted_epoch=1,
    locked_until_ts=3,
    on_hold=False,
)


def test_a_settled_redemption_is_ordered_again_under_its_own_id() -> None:
    account = associated_token_address(WALLET, AAPL)
    assert order_again(SETTLED) == Order(bytes.fromhex(ORDER_ID), AAPL, 7, WALLET, account)


@pytest.mark.parametrize("state", [each for each in RedemptionState if each is not RedemptionState.SETTLED])
def test_what_was_not_burnt_is_not_ordered_again(state: RedemptionState) -> None:
    with pytest.raises(UserError, match="only what was burnt"):
        order_again(replace(SETTLED, state=state))


def test_an_id_of_zeros_is_no_order() -> None:
    with pytest.raises(UserError, match="all zeros"):
        order_again(replace(SETTLED, id=bytes(16)))
