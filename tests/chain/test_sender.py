"""The same bytes until they land or never can; nothing signed twice by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from tests.chain.cases import CLIENT, GENESIS, MINT, VAULT, intent
from tests.chain.fake_rpc import QUICK, FakeNode, http_error, rpc_error, serving, status
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ProgramError, TransactionFailed
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.sender import (
    AttemptExpired,
    FirstSent,
    Resolved,
    Seen,
    SignedAttempt,
    Waiting,
    WindowPassed,
    broadcast,
    send_and_confirm,
    send_until_resolved,
    sign_attempt,
    simulate,
)
from xstocks_daemon.chain.transactions import ComputeBudget
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.units import Address

KEYPAIR = Keypair.from_seed(bytes([1]) * 32)
OPERATOR = Address(bytes(KEYPAIR.pubkey()))
INTENT = intent(IntentKind.MINT, MINT, 5, 100, VAULT)
MINT_INSTRUCTION = CLIENT.mint(operator=OPERATOR, custodians=(), intents=[INTENT], genesis_hash=GENESIS)
ATTEMPT = SignedAttempt(bytes([3]) * 64, b"the very bytes", bytes(32), 1_000, (INTENT,))
ERR = {"InstructionError": [0, {"Custom": 6208}]}


async def sign(message: bytes) -> bytes:
    return bytes(KEYPAIR.sign_message(message))


class Rounds:
    """Stands for waiting: each round does the next step, at once. More rounds than steps fail the test, and so do
    steps that `done` finds left over: the flight ended before them."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self.steps = deque(steps)

    async def wait(self, secs: float) -> None:
        self.steps.popleft()()

    def done(self) -> None:
        """All steps were taken."""
        assert not self.steps, f"the flight ended {len(self.steps)} rounds too early"


def nothing() -> None:
    pass


async def run(rounds: Rounds, *nodes: FakeNode, **settings: Any) -> Seen | WindowPassed:
    async with serving(*nodes) as urls, RpcPool(urls, QUICK) as pool:
        outcome = await broadcast(pool, ATTEMPT, wait=rounds.wait, resend_secs=0, **settings)
    rounds.done()
    return outcome


async def test_signing_sends_nothing_and_keeps_what_the_journal_needs() -> None:
    node = FakeNode(block_height=850)
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        attempt = await sign_attempt(
            pool,
            payer=OPERATOR,
            instructions=[MINT_INSTRUCTION],
            signers={OPERATOR: sign},
            budget=ComputeBudget(50_000),
            intents=[INTENT],
        )
    assert [method for method, _ in node.calls] == ["getLatestBlockhash"]
    assert node.calls[0][1] == [{"commitment": "confirmed"}]
    transaction = VersionedTransaction.from_bytes(attempt.transaction)
    assert transaction.signatures[0].verify(KEYPAIR.pubkey(), to_bytes_versioned(transaction.message))
    assert attempt.signature == bytes(transaction.signatures[0])
    assert attempt.signature_text == str(transaction.signatures[0])
    assert attempt.blockhash == bytes(transaction.message.recent_blockhash) == bytes([9]) * 32
    assert (attempt.last_valid_block_height, attempt.intents) == (1_000, (INTENT,))
    assert bytes(transaction.message.instructions[-1].data) == bytes(MINT_INSTRUCTION.data)


async def test_same_bytes_go_to_every_endpoint_until_finalized() -> None:
    one, other = FakeNode(), FakeNode()

    def land(confirmation: str) -> Callable[[], None]:
        def step() -> None:
            other.statuses[ATTEMPT.signature_text] = status(77, confirmation)

        return step

    rounds = Rounds(nothing, land("processed"), land("confirmed"), land("finalized"))
    seen = await run(rounds, one, other)
    assert isinstance(seen, Seen)
    assert (seen.slot, seen.err) == (77, None)
    assert set(one.sent) == set(other.sent) == {b"the very bytes"}
    # While no node has it; from "processed" on it is only watched.
    assert len(one.sent) == len(other.sent) == 3


async def test_commitment_that_is_waited_for_is_the_callers() -> None:
    node = FakeNode(statuses={ATTEMPT.signature_text: status(77, "confirmed", ERR)})
    seen = await run(Rounds(), node, commitment="confirmed")
    assert isinstance(seen, Seen)
    assert seen.err == ERR


async def test_refused_sends_and_dead_endpoints_do_not_end_it() -> None:
    one, other = FakeNode(), FakeNode()
    one.fail("sendTransaction", *[rpc_error(-32002, "already processed")] * 9)
    one.fail("getSignatureStatuses", *[http_error(503)] * 99)
    one.fail("getEpochInfo", *[http_error(503)] * 99)

    def land() -> None:
        other.statuses[ATTEMPT.signature_text] = status(77, "finalized")

    assert isinstance(await run(Rounds(nothing, land), one, other), Seen)


async def test_all_endpoints_down_is_no_outcome() -> None:
    node = FakeNode()
    node.fail("sendTransaction", http_error(503), http_error(503))
    node.fail("getSignatureStatuses", *[http_error(503)] * 6)
    node.fail("getEpochInfo", *[http_error(503)] * 6)

    def land() -> None:
        node.statuses[ATTEMPT.signature_text] = status(77, "finalized")

    assert isinstance(await run(Rounds(nothing, land), node), Seen)


async def test_window_has_passed_only_above_the_last_valid_height_by_finalized() -> None:
    node = FakeNode(block_height=1_000)

    def next_block() -> None:
        node.block_height = 1_001

    assert await run(Rounds(nothing, next_block), node) == WindowPassed(1_001)
    assert all(params == [{"commitment": "finalized"}] for method, params in node.calls if method == "getEpochInfo")


async def test_it_asks_again_before_it_says_that_the_window_has_passed() -> None:
    node = FakeNode(block_height=1_001)

    def land_meanwhile(method: str, node: FakeNode) -> None:
        if method == "getEpochInfo":
            node.statuses[ATTEMPT.signature_text] = status(77, "finalized")

    node.before = land_meanwhile
    assert isinstance(await run(Rounds(), node), Seen)
    searches = [params[1] for method, params in node.calls if method == "getSignatureStatuses"]
    assert searches == [{"searchTransactionHistory": False}, {"searchTransactionHistory": True}]


async def test_a_node_that_lags_behind_says_nothing_of_a_window() -> None:
    """The height and the silence must be one node's: here the one whose height it was stops answering."""
    ahead, behind = FakeNode(block_height=1_001), FakeNode(block_height=999)

    def silent_afterwards(method: str, node: FakeNode) -> None:
        if method == "getEpochInfo":
            node.fail("getSignatureStatuses", *[http_error(503)] * QUICK.attempts)

    ahead.before = silent_afterwards

    def land() -> None:
        behind.statuses[ATTEMPT.signature_text] = status(77, "finalized")

    assert isinstance(await run(Rounds(land), ahead, behind), Seen)


async def test_a_node_without_history_is_asked_for_what_it_remembers() -> None:
    node = FakeNode(block_height=1_001)

    def no_history(method: str, node: FakeNode) -> None:
        if method == "getEpochInfo":
            node.fail("getSignatureStatuses", rpc_error(-32011, "Transaction history is not available from this node"))

    node.before = no_history
    assert await run(Rounds(), node) == WindowPassed(1_001)
    searches = [
        params[1]["searchTransactionHistory"] for method, params in node.calls if method == "getSignatureStatuses"
    ]
    assert searches == [False, True, False]


async def test_transaction_that_a_node_has_is_waited_for_beyond_its_window() -> None:
    node = FakeNode(block_height=2_000, statuses={ATTEMPT.signature_text: status(77, "confirmed")})

    def finalize() -> None:
        node.statuses[ATTEMPT.signature_text] = status(77, "finalized")

    assert isinstance(await run(Rounds(nothing, finalize), node), Seen)


async def test_many_in_flight_are_asked_for_at_once_and_given_as_they_come() -> None:
    attempts = [SignedAttempt(bytes([n]) * 64, bytes([n]), bytes(32), 1_000) for n in (1, 2, 3, 4)]
    first, failed, late, never = attempts
    node = FakeNode(block_height=900)
    node.statuses[first.signature_text] = status(70, "finalized")

    def fail() -> None:
        node.statuses[failed.signature_text] = status(71, "finalized", ERR)

    def window() -> None:
        node.statuses[late.signature_text] = status(72, "confirmed")
        node.block_height = 1_001

    rounds = Rounds(fail, window)
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        given = [
            [(each.attempt, type(each.said)) for each in event.outcomes] if isinstance(event, Resolved) else event
            async for event in send_until_resolved(
                pool, attempts, commitment="confirmed", confirmation_timeout_secs=60, wait=rounds.wait
            )
        ]
    assert given == [
        FirstSent(),
        [(first, Seen)],
        Waiting(),
        [(failed, Seen)],
        Waiting(),
        [(late, Seen), (never, WindowPassed)],
    ]
    assert sorted(node.sent) == [attempt.transaction for attempt in attempts]
    assert node.count("getSignatureStatuses") == 4
    rounds.done()


async def test_a_transaction_that_another_node_has_not_finalized_is_waited_for_beyond_its_window() -> None:
    """Asked again, another node turns out to have it: no failure and no end, until it is finalized."""
    one, other = FakeNode(block_height=1_001), FakeNode(block_height=1_001)

    def appear(method: str, node: FakeNode) -> None:
        if method == "getEpochInfo":
            other.statuses[ATTEMPT.signature_text] = status(77, "confirmed")

    one.before = appear

    def finalize() -> None:
        other.statuses[ATTEMPT.signature_text] = status(77, "finalized")

    seen = await run(Rounds(nothing, finalize), one, other)
    assert isinstance(seen, Seen)
    assert (seen.slot, seen.err) == (77, None)


@pytest.mark.parametrize("confirmations", [("finalized", "processed"), ("processed", "finalized")])
async def test_the_node_that_has_seen_most_of_it_counts(confirmations: tuple[str, str]) -> None:
    nodes = [FakeNode(statuses={ATTEMPT.signature_text: status(77, each)}) for each in confirmations]
    assert isinstance(await run(Rounds(), *nodes), Seen)


async def test_what_is_not_seen_is_sent_again_and_what_is_seen_is_not() -> None:
    """The same bytes once a round, until a node has them."""
    node = FakeNode(block_height=1_000)

    def land() -> None:
        node.statuses[ATTEMPT.signature_text] = status(77, "processed")

    def finalize() -> None:
        node.statuses[ATTEMPT.signature_text] = status(77, "finalized")

    assert isinstance(await run(Rounds(nothing, nothing, land, finalize), node), Seen)
    assert node.sent == [ATTEMPT.transaction] * 4


async def test_a_silent_node_leaves_the_window_to_the_next_one() -> None:
    silent, other = FakeNode(), FakeNode(block_height=1_001)
    silent.fail("getEpochInfo", *[http_error(503)] * QUICK.attempts)
    assert await run(Rounds(), silent, other) == WindowPassed(1_001)


async def test_patience_ends_without_an_outcome() -> None:
    node = FakeNode(block_height=0)
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        given = [
            event
            async for event in send_until_resolved(pool, [ATTEMPT], commitment="confirmed", confirmation_timeout_secs=0)
        ]
        assert [
            event async for event in send_until_resolved(pool, [], commitment="confirmed", confirmation_timeout_secs=0)
        ] == []
    assert given == [FirstSent()]
    assert node.sent == [ATTEMPT.transaction]


# ---- transactions without intents, simulation -------------------------------------------------------------------


async def confirm(node: FakeNode) -> Seen:
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        return await send_and_confirm(
            pool, CLIENT, payer=OPERATOR, instructions=[MINT_INSTRUCTION], signers={OPERATOR: sign}
        )


def landing(err: Any, logs: list[str]) -> Callable[[str, FakeNode], None]:
    def step(method: str, node: FakeNode) -> None:
        if method == "getSignatureStatuses" and node.sent:
            signature = str(VersionedTransaction.from_bytes(node.sent[-1]).signatures[0])
            node.statuses[signature] = status(8, "confirmed", err)
            node.transactions[signature] = {
                "slot": 8,
                "meta": {"err": err, "logMessages": logs, "fee": 5_000},
                "transaction": [],
            }

    return step


async def test_transaction_that_failed_raises_the_programs_error() -> None:
    own = base58(CLIENT.program_id)
    logs = [
        f"Program {own} invoke [1]",
        "Program log: Entry: 00",
        f"Program {own} failed: custom program error: 0x1840",
    ]
    assert (await confirm(FakeNode(before=landing(None, [])))).slot == 8
    with pytest.raises(ProgramError) as failed:
        await confirm(FakeNode(before=landing(ERR, logs)))
    assert (failed.value.name, failed.value.code, failed.value.entry_index) == ("CeilingExceeded", 6208, 0)
    assert failed.value.program == own


async def test_error_is_named_even_where_the_log_cannot_be_read() -> None:
    node = FakeNode(before=landing(ERR, []))
    node.fail("getTransaction", *[http_error(503)] * 3)
    with pytest.raises(ProgramError, match="CeilingExceeded"):
        await confirm(node)


async def test_transaction_that_did_not_land_is_said_so() -> None:
    def expire(method: str, node: FakeNode) -> None:
        if method == "getSignatureStatuses":
            node.block_height += 151

    with pytest.raises(AttemptExpired, match="did not land before block height 1050"):
        await confirm(FakeNode(before=expire))


async def test_simulation_gives_the_budget_or_the_named_error_with_its_entry() -> None:
    node = FakeNode()
    node.simulation = {"err": None, "logs": ["x"], "unitsConsumed": 10_000}
    arguments = {"payer": OPERATOR, "instructions": [MINT_INSTRUCTION], "budget": ComputeBudget(1_400_000, 9)}
    own = base58(CLIENT.program_id)
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        assert await simulate(pool, CLIENT, **arguments) == ComputeBudget(13_000, 9)  # type: ignore[arg-type]
        log = [
            f"Program {own} invoke [1]",
            "Program log: Entry: 02",
            f"Program {own} failed: custom program error: 0x1840",
        ]
        node.simulation = {"err": ERR, "logs": log, "unitsConsumed": 1}
        with pytest.raises(ProgramError) as failed:
            await simulate(pool, CLIENT, **arguments)  # type: ignore[arg-type]
        assert failed.value.entry_index == 2
        node.simulation = {"err": "AccountNotFound", "logs": None}
        with pytest.raises(TransactionFailed, match="AccountNotFound"):
            await simulate(pool, CLIENT, **arguments)  # type: ignore[arg-type]
    config = node.calls[0][1][1]
    assert (config["sigVerify"], config["replaceRecentBlockhash"]) == (False, True)
    assert node.sent == []
