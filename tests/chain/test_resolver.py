"""The non-execution proof, branch by branch (design, section 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.chain.builders import AAPLX, SPYX, asset_data, own, two_nodes
from tests.chain.cases import CLIENT
from tests.chain.fake_rpc import GENESIS, QUICK, FakeNode, http_error, serving, status
from xstocks_daemon.chain.errors import SingleEndpoint
from xstocks_daemon.chain.resolver import (
    Dead,
    ExpiryImplausible,
    FailedOnChain,
    Landed,
    NonExecution,
    Resolution,
    Resolver,
    SequenceTaken,
    Unknown,
    with_minimum_expiry,
)
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.sender import SignedAttempt
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.units import Address

LAST_VALID = 1_000
MARGIN = 150
INTENTS = tuple(Intent(IntentKind.MINT, mint, 5, 100, CLIENT.addresses.vault(mint)) for mint in (AAPLX, SPYX))
ATTEMPT = SignedAttempt(bytes([3]) * 64, b"bytes", bytes(32), LAST_VALID, INTENTS)
SIGNATURE = ATTEMPT.signature_text
ERR = {"InstructionError": [0, {"Custom": 6208}]}


def own_hash(intent: Intent) -> bytes:
    return intent.intent_hash(GENESIS, CLIENT.program_id)


def put(node: FakeNode, mint: Address, sequence: int, last_intent_hash: bytes = bytes(16)) -> None:
    node.accounts[CLIENT.addresses.asset(mint)] = own(
        asset_data(mint, sequence=sequence, last_intent_hash=last_intent_hash)
    )


def executed(node: FakeNode, *intents: Intent) -> None:
    for intent in intents:
        put(node, intent.mint, intent.sequence + 1, own_hash(intent))


async def resolve(*nodes: FakeNode, attempt: SignedAttempt = ATTEMPT, single_endpoint: bool = False) -> Resolution:
    async with serving(*nodes) as urls, RpcPool(urls, QUICK) as pool:
        return await Resolver(pool, CLIENT, GENESIS, single_endpoint=single_endpoint).resolve(attempt)


def nodes_at(height: int) -> tuple[FakeNode, FakeNode]:
    one, other = two_nodes(AAPLX, SPYX)
    one.block_height = other.block_height = height
    return one, other


async def test_dead_by_proof_of_two_endpoints() -> None:
    one, other = nodes_at(LAST_VALID + MARGIN + 1)
    other.slot = 1_010
    resolution = await resolve(one, other)
    assert isinstance(resolution, Dead)
    assert resolution.taken == ()
    proof = resolution.proof
    assert isinstance(proof, NonExecution)
    assert (proof.last_valid_block_height, proof.margin_blocks) == (LAST_VALID, MARGIN)
    assert [(seen.slot, seen.block_height, seen.read_slot) for seen in proof.observations] == [
        (1_000, LAST_VALID + MARGIN + 1, 1_000),
        (1_010, LAST_VALID + MARGIN + 1, 1_010),
    ]
    assert "the sequence of" in proof.text()
    assert proof.text().count("> 1000 + 150") == 2
    for node in (one, other):
        method, params = node.calls[-1]
        assert method == "getMultipleAccounts"
        assert params[1] == {"commitment": "finalized", "encoding": "base64", "minContextSlot": node.slot}
        assert [params[0] for called, params in node.calls if called == "getEpochInfo"] == [{"commitment": "finalized"}]
        assert next(params for called, params in node.calls if called == "getSignatureStatuses")[1] == {
            "searchTransactionHistory": True
        }


@pytest.mark.parametrize("lagging", [0, 1])
async def test_not_dead_while_one_endpoint_is_within_the_margin(lagging: int) -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    nodes[lagging].block_height = LAST_VALID + MARGIN
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Unknown)
    assert "may still execute" in resolution.reason


async def test_one_endpoint_is_enough_only_where_that_was_said() -> None:
    node, _ = nodes_at(LAST_VALID + MARGIN + 1)
    with pytest.raises(SingleEndpoint):
        await resolve(node)
    assert isinstance(await resolve(node, single_endpoint=True), Dead)


async def test_height_and_slot_must_come_before_the_read() -> None:
    # The node answers getMultipleAccounts from an older bank: the sequence says nothing about height H.
    one, other = nodes_at(LAST_VALID + MARGIN + 1)

    def go_back(method: str, node: FakeNode) -> None:
        if method == "getMultipleAccounts":
            node.slot = 999

    one.before = go_back
    resolution = await resolve(one, other)
    assert isinstance(resolution, Unknown)
    assert "answered at slot 999, 1000 was asked for" in resolution.reason


@pytest.mark.parametrize("method", ["getSignatureStatuses", "getEpochInfo", "getMultipleAccounts"])
@pytest.mark.parametrize("which", [0, 1])
async def test_endpoint_that_does_not_answer_leaves_it_unknown(method: str, which: int) -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    nodes[which].fail(method, *[http_error(503)] * 3)
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Unknown)
    assert method in resolution.reason


async def test_one_unmoved_sequence_proves_the_whole_batch_dead() -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    for node in nodes:
        executed(node, INTENTS[0])
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Dead)
    # The other number was executed by something else: the caller must find out by what.
    assert [(fact.mint, fact.found_sequence, fact.last_intent_hash) for fact in resolution.taken] == [
        (AAPLX, 6, own_hash(INTENTS[0]))
    ]


async def test_sequence_below_the_wanted_one_is_no_execution_either() -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    for node in nodes:
        put(node, AAPLX, 4)
        executed(node, INTENTS[1])
    assert isinstance(await resolve(*nodes), Dead)


async def test_nodes_that_differ_on_the_sequence_leave_it_unknown() -> None:
    one, other = nodes_at(LAST_VALID + MARGIN + 1)
    executed(other, *INTENTS)
    resolution = await resolve(one, other)
    assert resolution == Unknown("the nodes differ on whether the sequences have risen")


async def test_landed_by_intent_hash_when_no_node_has_the_signature() -> None:
    nodes = nodes_at(10)
    for node in nodes:
        executed(node, *INTENTS)
    assert await resolve(*nodes) == Landed(1_000, "intent_hash")


@pytest.mark.parametrize(
    ("sequence", "last_intent_hash"),
    [(6, bytes([0xEE]) * 16), (7, own_hash(INTENTS[1])), (7, bytes(16))],
    ids=["another intent took the number", "a later number with the same hash", "a later intent hides it"],
)
async def test_sequence_taken_by_something_else(sequence: int, last_intent_hash: bytes) -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    for node in nodes:
        executed(node, INTENTS[0])
        put(node, SPYX, sequence, last_intent_hash)
    resolution = await resolve(*nodes)
    assert isinstance(resolution, SequenceTaken)
    assert [(fact.mint, fact.found_sequence, fact.last_intent_hash) for fact in resolution.facts] == [
        (SPYX, sequence, last_intent_hash)
    ]


async def test_landed_by_finalized_status() -> None:
    nodes = nodes_at(10)
    for node in nodes:
        executed(node, *INTENTS)
    nodes[1].statuses[SIGNATURE] = status(990, "finalized")
    assert await resolve(*nodes) == Landed(990, "status")
    # A later intent may have hidden the hash by then.
    for node in nodes:
        put(node, SPYX, 8, bytes(16))
    assert await resolve(*nodes) == Landed(990, "status")


async def test_finalized_success_that_the_assets_do_not_show_is_a_contradiction() -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    nodes[0].statuses[SIGNATURE] = status(990, "finalized")
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Unknown)
    assert resolution.reason.startswith("contradiction: it is said to have succeeded in slot 990, but ")


@pytest.mark.parametrize("err", [None, ERR])
async def test_assets_are_read_no_earlier_than_the_slot_of_the_status(err: Any) -> None:
    """Read below it, a success could look like a contradiction, and a failure would not say what was taken."""
    one, other = nodes_at(10)
    for node in (one, other):
        executed(node, *INTENTS)
        node.statuses[SIGNATURE] = status(1_500, "finalized", err)
    other.slot = 1_500
    behind = await resolve(one, other)
    assert isinstance(behind, Unknown)
    assert "answered at slot 1000, 1500 was asked for" in behind.reason
    one.slot = 1_500
    assert isinstance(await resolve(one, other), Dead if err else Landed)


async def test_finalized_success_under_another_intents_hash_is_not_believed() -> None:
    nodes = nodes_at(10)
    for node in nodes:
        executed(node, INTENTS[0])
        put(node, SPYX, 6, bytes([0xEE]) * 16)
        node.statuses[SIGNATURE] = status(990, "finalized")
    assert isinstance(await resolve(*nodes), SequenceTaken)


@pytest.mark.parametrize("known", [True, False], ids=["a node knows the signature", "no node does"])
@pytest.mark.parametrize("which", [0, 1])
async def test_one_nodes_word_of_another_intent_decides_nothing(which: int, known: bool) -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    for node in nodes:
        executed(node, *INTENTS)
    put(nodes[which], SPYX, 6, bytes([0xEE]) * 16)
    if known:
        nodes[1 - which].statuses[SIGNATURE] = status(990, "finalized")
    assert await resolve(*nodes) == Unknown("the nodes differ on which intents executed the sequence numbers")


@pytest.mark.parametrize("confirmation", ["processed", "confirmed"])
@pytest.mark.parametrize("err", [None, ERR])
@pytest.mark.parametrize("which", [0, 1])
async def test_status_that_is_not_final_is_unknown(confirmation: str, err: Any, which: int) -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    nodes[which].statuses[SIGNATURE] = status(990, confirmation, err)
    assert await resolve(*nodes) == Unknown("a node has it, not finalized yet")


async def test_finalized_failure_on_both_is_dead_at_once() -> None:
    nodes = nodes_at(10)
    for node in nodes:
        node.statuses[SIGNATURE] = status(990, "finalized", ERR)
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Dead)
    assert isinstance(resolution.proof, FailedOnChain)
    assert (resolution.proof.slot, resolution.proof.err) == (990, ERR)
    assert "6208" in resolution.proof.text()
    assert resolution.taken == ()


async def test_a_failure_says_which_numbers_something_else_took() -> None:
    nodes = nodes_at(10)
    for node in nodes:
        put(node, AAPLX, 6, bytes([0xEE]) * 16)
        node.statuses[SIGNATURE] = status(990, "finalized", ERR)
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Dead)
    assert isinstance(resolution.proof, FailedOnChain)
    assert [(fact.mint, fact.last_intent_hash) for fact in resolution.taken] == [(AAPLX, bytes([0xEE]) * 16)]


async def test_finalized_failure_on_one_waits_for_the_proof() -> None:
    nodes = nodes_at(LAST_VALID)
    nodes[0].statuses[SIGNATURE] = status(990, "finalized", ERR)
    assert isinstance(await resolve(*nodes), Unknown)
    for node in nodes:
        node.block_height = LAST_VALID + MARGIN + 1
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Dead)
    assert isinstance(resolution.proof, NonExecution)


async def test_failure_and_success_of_the_same_signature_contradict() -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    nodes[0].statuses[SIGNATURE] = status(990, "finalized")
    nodes[1].statuses[SIGNATURE] = status(990, "finalized", ERR)
    assert await resolve(*nodes) == Unknown("contradiction: one node says that it succeeded, another that it failed")
    # The twin: both say the same.
    for node in nodes:
        executed(node, *INTENTS)
        node.statuses[SIGNATURE] = status(990, "finalized")
    assert await resolve(*nodes) == Landed(990, "status")


async def test_asset_that_is_gone_is_a_contradiction() -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    for node in nodes:
        del node.accounts[CLIENT.addresses.asset(SPYX)]
    resolution = await resolve(*nodes)
    assert isinstance(resolution, Unknown)
    assert "not registered" in resolution.reason


TWICE = (INTENTS[0], Intent(IntentKind.MINT, AAPLX, 6, 7, CLIENT.addresses.vault(AAPLX)))


@pytest.mark.parametrize(
    ("sequence", "last", "expected"),
    [
        (7, TWICE[1], lambda got: got == Landed(1_000, "intent_hash")),
        (6, TWICE[0], lambda got: isinstance(got, Dead) and [fact.wanted_sequence for fact in got.taken] == [5]),
        (5, None, lambda got: isinstance(got, Dead) and got.taken == ()),
        (7, TWICE[0], lambda got: isinstance(got, SequenceTaken)),
    ],
)
async def test_batch_with_one_asset_twice(
    sequence: int, last: Intent | None, expected: Callable[[Resolution], bool]
) -> None:
    nodes = nodes_at(LAST_VALID + MARGIN + 1)
    for node in nodes:
        put(node, AAPLX, sequence, own_hash(last) if last else bytes(16))
    attempt = SignedAttempt(ATTEMPT.signature, ATTEMPT.transaction, ATTEMPT.blockhash, LAST_VALID, TWICE)
    resolution = await resolve(*nodes, attempt=attempt)
    assert expected(resolution), resolution


async def test_attempt_without_intents_cannot_be_resolved() -> None:
    attempt = SignedAttempt(ATTEMPT.signature, ATTEMPT.transaction, ATTEMPT.blockhash, LAST_VALID)
    with pytest.raises(ValueError, match="no sequence number"):
        await resolve(*nodes_at(0), attempt=attempt)


async def expiry(*nodes: FakeNode) -> int:
    async with serving(*nodes) as urls, RpcPool(urls, QUICK) as pool:
        return await Resolver(pool, CLIENT, GENESIS).expiry_of_now()


async def test_the_expiry_is_bounded_by_all_nodes_heights() -> None:
    one, other = nodes_at(800)
    other.block_height = 950
    assert await expiry(one, other) == 950 + 150
    other.block_height = 951
    with pytest.raises(ExpiryImplausible, match="far apart"):
        await expiry(one, other)


@pytest.mark.parametrize(("reported", "kept"), [(0, 1_100), (1_099, 1_100), (1_131, 1_131), (2_100, 2_100)])
def test_an_attempt_never_seems_to_expire_before_it_may(reported: int, kept: int) -> None:
    attempt = replace(ATTEMPT, last_valid_block_height=reported)
    assert with_minimum_expiry(attempt, 1_100) == replace(ATTEMPT, last_valid_block_height=kept)


@pytest.mark.parametrize("reported", [2_101, 2**64 - 1])
def test_an_attempt_that_would_never_expire_is_not_sent(reported: int) -> None:
    with pytest.raises(ExpiryImplausible, match=str(reported)):
        with_minimum_expiry(replace(ATTEMPT, last_valid_block_height=reported), 1_100)
