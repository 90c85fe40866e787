"""What the journal explains of the chain, and what halts, is alerted or waits where it does not (M12)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import (
    ALPACA,
    GTN,
    NOW_TS,
    asset_plan_of,
    entry,
    journal_of,
    known,
    snapshot,
    statement,
    vault_of,
    view,
)
from tests.domain.chain_model import model_submit
from tests.domain.deciding import MINT, decide, outcome
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    Halt,
    HaltReason,
    JournalView,
    LiveIntent,
    Quarantine,
    Totals,
)
from xstocks_daemon.domain.snapshot import AssetState, EntryState


def test_an_adopted_asset_is_attested_first_and_then_minted_up_to_its_ceiling() -> None:
    """Two people say once that its supply is right (adopt-baseline); the statement that makes it active is relayed."""
    custody_view = known(statement(ALPACA, {MINT: 100}))
    adopted: dict[str, Any] = {"sequence": 0, "minted_raw": 0, "adopted_raw": 60}
    halted = view(MINT, [entry(ALPACA, 0, withdrawn=True)], supply_raw=60, state=AssetState.HALTED, **adopted)
    [halt] = decide(halted, custody_view, journal=JournalView()).halts
    assert halt.reason is HaltReason.TOTALS_DIFFER
    first = decide(halted, custody_view)
    assert [relay.signed.statement for relay in first.relays] == [
        custody_view.evidence[MINT][ALPACA].newest.signed.statement
    ]
    assert outcome(first) == (Action.NONE, 0, Reason.NOT_ACTIVE)
    chain = model_submit(snapshot(halted), first.relays[0].signed)
    active = chain.assets[MINT]
    assert active.asset.state is AssetState.ACTIVE
    assert outcome(decide(active, custody_view)) == (Action.MINT, 40, Reason.TO_TARGET)


def test_a_holder_burn_is_alerted_and_not_minted_again_until_acknowledged() -> None:
    one = view(MINT, [entry(ALPACA, 60)], supply_raw=50, holder_burnt_raw=10)
    chain = snapshot(one)
    fresh = decide(one, journal=journal_of(chain, holder_burnt_raw=4))
    assert [(alert.recorded_raw, alert.holder_burnt_raw) for alert in fresh.alerts] == [(4, 10)]
    assert fresh.halts == ()
    assert outcome(fresh) == (Action.NONE, 0, Reason.ON_TARGET)
    known_burn = decide(one, journal=journal_of(chain))
    assert known_burn.alerts == ()
    assert asset_plan_of(known_burn, MINT).target_raw == 50
    acknowledged = decide(one, journal=journal_of(chain, acknowledged_raw=10))
    assert outcome(acknowledged) == (Action.MINT, 10, Reason.TO_TARGET)


@pytest.mark.parametrize("state", [EntryState.ATTACHED, EntryState.DETACHED])
def test_a_settled_redemption_is_explained_and_is_no_holders_burn(state: EntryState) -> None:
    """Slots are never freed, so the totals of all entries explain what was burnt without an intent."""
    keeping, gone = entry(ALPACA, 60), entry(GTN, 0, state=state)
    before = view(MINT, [keeping, gone], supply_raw=60)
    journal = journal_of(snapshot(before))
    settled = replace(
        before,
        asset=replace(before.asset, burnt_raw=10, entries=(keeping, replace(gone, redeemed_total_raw=10))),
        mint=replace(before.mint, supply_raw=50),
        vault_raw=50,
    )
    decided = decide(settled, known(statement(ALPACA, {MINT: 60})), journal=journal)
    assert (decided.halts, decided.alerts) == ((), ())
    assert (asset_plan_of(decided, MINT).holder_burnt_raw, asset_plan_of(decided, MINT).ceiling_raw) == (0, 50)
    assert outcome(decided)[0] is Action.NONE
    # Its twins: a burn that no entry counts, and an entry that counts what was not burnt.
    for burnt_raw, redeemed_raw in ((10, 0), (10, 9), (10, 11)):
        counted = (keeping, replace(gone, redeemed_total_raw=redeemed_raw))
        wrong = replace(settled, asset=replace(settled.asset, burnt_raw=burnt_raw, entries=counted))
        assert [halt.reason for halt in decide(wrong, journal=journal).halts] == [HaltReason.TOTALS_DIFFER]


def test_a_redemption_settled_while_an_intent_is_under_way_is_explained() -> None:
    before = view(MINT, [entry(ALPACA, 60)], supply_raw=50)
    under_way = Intent(IntentKind.MINT, MINT, before.asset.sequence, 10, vault_of(MINT))
    live = LiveIntent(1, under_way, IntentState.SUBMITTED)
    journal = journal_of(snapshot(before), live=live)
    redeemed = replace(before.asset.entries[0], redeemed_total_raw=5)
    for executed in (False, True):
        asset = replace(before.asset, burnt_raw=5, entries=(redeemed,))
        if executed:
            asset = replace(asset, sequence=under_way.sequence + 1, minted_raw=asset.minted_raw + 10)
        supply_raw = 45 + 10 * executed
        after = replace(before, asset=asset, mint=replace(before.mint, supply_raw=supply_raw), vault_raw=supply_raw)
        decided = decide(after, journal=journal)
        assert (decided.halts, decided.alerts) == ((), ())
        assert outcome(decided)[2] is Reason.IN_FLIGHT


def test_after_a_redemption_the_target_waits_for_the_custodian_to_count_it() -> None:
    """M6: burnt 10, not minted again on a statement that has not counted them; counted, the shares decide."""
    one = view(MINT, [entry(ALPACA, 60, redeemed_total_raw=10)], supply_raw=50)
    assert outcome(decide(one, known(statement(ALPACA, {MINT: 60})))) == (Action.NONE, 0, Reason.ON_TARGET)
    counted = known(statement(ALPACA, {MINT: 50}, redeemed_seen_raw=10))
    assert outcome(decide(one, counted)) == (Action.NONE, 0, Reason.ON_TARGET)
    bought = known(statement(ALPACA, {MINT: 60}, redeemed_seen_raw=10))
    assert outcome(decide(one, bought)) == (Action.MINT, 10, Reason.TO_TARGET)
    # Nothing is burnt for it once more, though two statements say less than there was.
    twice = known(*(statement(ALPACA, {MINT: 50}, age, redeemed_seen_raw=10) for age in (10, 20)))
    assert decide(one, twice).burns == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"holder_burnt_raw": 11}, HaltReason.HOLDER_BURNT_FELL),
        ({"totals": Totals()}, HaltReason.FOREIGN_SEQUENCE),
        ({"totals": Totals(sequence=1, minted_raw=59)}, HaltReason.TOTALS_DIFFER),
        ({"totals": Totals(sequence=1, minted_raw=60, distributed_raw=1)}, HaltReason.TOTALS_DIFFER),
        ({"totals": Totals(sequence=1, minted_raw=60, adopted_raw=1)}, HaltReason.TOTALS_DIFFER),
    ],
)
def test_what_the_journal_does_not_explain_halts(changes: Any, reason: HaltReason) -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50, holder_burnt_raw=10)
    chain = snapshot(one)
    decided = decide(one, journal=journal_of(chain, **changes))
    assert [(halt.mint, halt.reason) for halt in decided.halts] == [(MINT, reason)]
    assert outcome(decided) == (Action.HALT, 0, Reason.UNEXPLAINED)
    assert decide(one, journal=journal_of(chain)).halts == ()


def test_an_empty_journal_takes_an_asset_at_sequence_0_and_no_other() -> None:
    empty = JournalView()
    assert outcome(decide(view(MINT, [entry(ALPACA, 60)]), journal=empty)) == (Action.MINT, 60, Reason.TO_TARGET)
    foreign = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=1), journal=empty)
    assert [halt.reason for halt in foreign.halts] == [HaltReason.FOREIGN_SEQUENCE]


def test_an_old_reading_of_the_chain_decides_nothing() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    behind = Totals(sequence=2, minted_raw=70)
    decided = decide(one, journal=JournalView({MINT: AssetJournal(totals=behind, holder_burnt_raw=5)}))
    assert decided.idle
    assert outcome(decided) == (Action.NONE, 0, Reason.SNAPSHOT_BEHIND)


def test_a_halted_asset_is_left_alone_but_its_statements_go_on() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    halt = Halt(MINT, HaltReason.ENDPOINTS_DIFFER, "three times")
    decided = decide(one, known(statement(ALPACA, {MINT: 60})), journal=journal_of(snapshot(one), halt=halt))
    assert decided.intents == ()
    assert decided.halts == ()
    assert outcome(decided) == (Action.NONE, 0, Reason.HALTED)
    assert [relay.lower for relay in decided.relays] == [True]


def test_a_quarantined_asset_waits() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    quarantined = journal_of(snapshot(one), quarantine=Quarantine("simulation: error 6021", NOW_TS * 1_000))
    assert outcome(decide(one, journal=quarantined)) == (Action.NONE, 0, Reason.QUARANTINED)
