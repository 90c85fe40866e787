"""What becomes of an attempt: landed, dead in every way, taken by another, unknown; each through whole cycles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.builders import Stage, asset_plan_of, staged
from tests.app.ledger import LOST, Refusal
from tests.chain.fake_rpc import status
from xstocks_daemon.domain.decisions import Reason
from xstocks_daemon.domain.intent import AttemptState, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import HaltReason
from xstocks_daemon.domain.units import Address

LIVE, LANDED, DEAD = AttemptState.LIVE, AttemptState.LANDED, AttemptState.DEAD
PENDING, DONE, DROPPED = IntentState.PENDING, IntentState.DONE, IntentState.DROPPED
HELD_RAW = 500


async def lose_a_mint(stage: Stage, *mints: Address) -> str:
    """One transaction that mints HELD_RAW of each is journaled and sent, and reaches no ledger; gives its signature."""
    for mint in mints:
        stage.hold(mint, HELD_RAW)
    stage.lose("mint")
    report = await stage.cycle()
    assert report.under_way == 1
    (lost,) = stage.calls("mint")
    assert set(lost.mints) == set(mints)
    # No node ever takes it.
    stage.ledger.fate = lambda call: LOST if call.signature == lost.signature else None
    return lost.signature


def fates(stage: Stage, state: AttemptState, kind: str = "mint") -> float:
    value = stage.metrics.registry.get_sample_value("xstocks_attempts_total", {"kind": kind, "state": state.value})
    assert value is not None
    return value


async def test_what_lands_is_done_and_the_journal_says_by_what_it_was_seen(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        report = await stage.cycle()
        assert stage.supply(mint) == HELD_RAW
        ((record, intent),) = await stage.journal.all_attempts_for(mint, 0)
        assert (record.state, intent.state) == (LANDED, DONE)
        assert record.evidence == {"slot": stage.ledger.slot, "by": "status"}
        assert [(one.mint, one.amount_raw) for one in report.landed] == [(mint, HELD_RAW)]
        assert (report.under_way, fates(stage, LIVE), fates(stage, LANDED), fates(stage, DEAD)) == (0, 1, 1, 0)
        again = await stage.cycle()
        assert (again.landed, again.settled, len(stage.calls())) == ((), True, 2)


async def test_an_attempt_that_no_node_remembers_has_landed_by_its_hash(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.hide("mint")
        report = await stage.cycle()
        assert (report.under_way, await stage.attempts(mint)) == (1, [LIVE])
        stage.bury()
        report = await stage.cycle()
        ((record, _),) = await stage.journal.all_attempts_for(mint, 0)
        assert (record.state, record.evidence["by"]) == (LANDED, "intent_hash")
        assert [one.mint for one in report.landed] == [mint]
        assert len(stage.calls("mint")) == 1


async def test_a_restart_sends_the_same_bytes_again_and_signs_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        signature = await lose_a_mint(stage, mint)
        stage.accept()
        stage.restart()
        report = await stage.cycle()
        assert [call.signature for call in stage.calls("mint")] == [signature]
        assert stage.ledger.sent[signature] > 1
        assert (await stage.attempts(mint), stage.supply(mint)) == ([LANDED], HELD_RAW)
        assert [(one.mint, one.sequence) for one in report.landed] == [(mint, 0)]


async def test_while_a_node_has_it_unfinalized_it_is_under_way_and_nothing_else_is_signed(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        signature = await lose_a_mint(stage, mint)
        stage.bury()
        stage.nodes[1].says[signature] = status(stage.ledger.slot, "confirmed")
        report = await stage.cycle()
        assert (report.under_way, asset_plan_of(report, mint).reason) == (1, Reason.IN_FLIGHT)
        assert (await stage.attempts(mint), len(stage.calls("mint"))) == ([LIVE], 1)
        stage.nodes[1].says.clear()
        await stage.cycle()
        assert await stage.attempts(mint) == [DEAD, LANDED]


@pytest.mark.parametrize("margin_blocks", [0, 20, 150])
async def test_it_is_dead_only_beyond_its_window_and_the_margin_of_the_settings(
    tmp_path: Path, margin_blocks: int
) -> None:
    async with staged(tmp_path, timing__non_execution_margin_blocks=margin_blocks) as stage:
        (mint,) = stage.mints
        await lose_a_mint(stage, mint)
        ((record, _),) = await stage.journal.all_attempts_for(mint, 0)
        stage.ledger.block_height = record.attempt.last_valid_block_height + margin_blocks
        report = await stage.cycle()
        assert (await stage.attempts(mint), asset_plan_of(report, mint).reason) == ([LIVE], Reason.IN_FLIGHT)
        stage.ledger.pass_blocks(1)
        report = await stage.cycle()
        assert (await stage.attempts(mint), asset_plan_of(report, mint).reason) == ([DEAD, LANDED], Reason.STILL_RIGHT)
        proof, _ = await stage.proofs(mint)
        assert proof.startswith("not executed: http://node-0: finalized slot ")
        assert f"+ {margin_blocks}; at slot" in proof
        assert (stage.supply(mint), stage.view(mint).asset.sequence, fates(stage, DEAD)) == (HELD_RAW, 1, 1)
        assert await stage.intents(mint) == [(DONE, "")]


async def test_one_node_that_is_behind_keeps_an_attempt_alive(tmp_path: Path) -> None:
    """M10: the proof wants both endpoints; with one wrongly left out this one would be dead."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        await lose_a_mint(stage, mint)
        stage.bury()
        stage.nodes[1].behind_blocks = 1_000
        await stage.cycle()
        assert await stage.attempts(mint) == [LIVE]
        stage.nodes[1].behind_blocks = 0
        await stage.cycle()
        assert await stage.attempts(mint) == [DEAD, LANDED]
        assert "http://node-0: " in (await stage.proofs(mint))[0]
        assert "; http://node-1: " in (await stage.proofs(mint))[0]


async def test_with_one_endpoint_configured_that_one_decides(tmp_path: Path) -> None:
    async with staged(tmp_path, endpoints=1) as stage:
        (mint,) = stage.mints
        await lose_a_mint(stage, mint)
        stage.bury()
        await stage.cycle()
        assert (await stage.attempts(mint), stage.supply(mint)) == ([DEAD, LANDED], HELD_RAW)


async def test_a_node_that_does_not_answer_leaves_the_fate_unknown(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        await lose_a_mint(stage, mint)
        stage.bury()
        stage.nodes[1].silent = {"getEpochInfo"}
        report = await stage.cycle()
        assert (report.under_way, await stage.attempts(mint)) == (1, [LIVE])


@pytest.mark.parametrize(("said_blocks", "journaled_blocks"), [(-800, 150), (170, 170)])
async def test_the_journaled_window_is_not_one_nodes_word(
    tmp_path: Path, said_blocks: int, journaled_blocks: int
) -> None:
    """It may be longer than what all nodes' heights say, and never shorter."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.nodes[0].valid_blocks = said_blocks
        signature = await lose_a_mint(stage, mint)
        ((record, _),) = await stage.journal.all_attempts_for(mint, 0)
        assert record.attempt.last_valid_block_height == stage.ledger.block_height + journaled_blocks
        await stage.cycle()
        assert await stage.attempts(mint) == [LIVE]
        assert [call.signature for call in stage.calls("mint")] == [signature]


# ---- failed on chain ------------------------------------------------------------------------------------------------


async def fail_on_chain(stage: Stage, refusal: Refusal) -> None:
    """The mint of all of the stage's assets passes its simulation and fails in its block."""
    for mint in stage.mints:
        stage.hold(mint, HELD_RAW)
    stage.refuse("mint", refusal, simulated=False)
    await stage.cycle()


async def test_the_entry_that_failed_on_chain_is_quarantined_and_the_others_are_sent_again(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=3) as stage:
        await fail_on_chain(stage, Refusal("CeilingExceeded", entry=1))
        (call,) = stage.calls("mint")
        first, bad, last = call.mints
        assert [await stage.attempts(mint) for mint in call.mints] == [[DEAD]] * 3
        assert (await stage.proofs(bad))[0].startswith("failed in finalized slot")
        assert [state for state, _ in await stage.intents(first) + await stage.intents(last)] == [PENDING, PENDING]
        ((state, note),) = await stage.intents(bad)
        assert (state, "CeilingExceeded (6208)" in note) == (DROPPED, True)
        stage.accept()
        stage.restart()
        report = await stage.cycle()
        assert set(stage.calls("mint")[1].mints) == {first, last}
        assert asset_plan_of(report, bad).reason is Reason.QUARANTINED
        assert [stage.supply(mint) for mint in (first, bad, last)] == [HELD_RAW, 0, HELD_RAW]


async def test_an_entry_that_the_batch_does_not_have_is_nobody(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2) as stage:
        await fail_on_chain(stage, Refusal("InvariantViolated", entry=2))
        assert [state for mint in stage.mints for state, _ in await stage.intents(mint)] == [PENDING] * 2
        stage.accept()
        await stage.cycle()
        assert [len(call.mints) for call in stage.calls("mint")] == [2, 1, 1]
        assert {stage.supply(mint) for mint in stage.mints} == {HELD_RAW}


async def test_alone_an_entry_is_to_blame_whatever_number_the_log_names(tmp_path: Path) -> None:
    """Else it would be sent again for ever."""
    async with staged(tmp_path) as stage:
        await fail_on_chain(stage, Refusal("InvariantViolated", entry=1))
        ((state, note),) = await stage.intents(stage.mints[0])
        assert (state, "InvariantViolated" in note) == (DROPPED, True)
        report = await stage.cycle()
        assert asset_plan_of(report, stage.mints[0]).reason is Reason.QUARANTINED
        assert len(stage.calls("mint")) == 1


async def test_a_batch_that_failed_without_saying_by_which_entry_is_sent_in_halves(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=4) as stage:
        await fail_on_chain(stage, Refusal("InvariantViolated"))
        await stage.cycle()
        assert [state for mint in stage.mints for state, _ in await stage.intents(mint)] == [PENDING] * 4
        await stage.cycle()
        assert [len(call.mints) for call in stage.calls("mint")] == [4, 2, 2, 1, 1, 1, 1]
        # Alone an entry is to blame itself.
        assert [state for mint in stage.mints for state, _ in await stage.intents(mint)] == [DROPPED] * 4


async def test_after_a_landing_the_assets_share_a_transaction_again(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=4) as stage:
        await fail_on_chain(stage, Refusal("InvariantViolated"))
        stage.accept()
        await stage.cycle()
        for mint in stage.mints:
            stage.hold(mint, 2 * HELD_RAW)
        await stage.cycle()
        assert [len(call.mints) for call in stage.calls("mint")] == [4, 2, 2, 4]
        assert {stage.supply(mint) for mint in stage.mints} == {2 * HELD_RAW}


async def test_a_failure_of_a_single_entry_is_its_own_though_no_log_tells(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for node in stage.nodes:
            node.refuses = {"getTransaction"}
        await fail_on_chain(stage, Refusal("CeilingExceeded", entry=0))
        ((state, note),) = await stage.intents(stage.mints[0])
        assert (state, "CeilingExceeded" in note) == (DROPPED, True)


async def test_a_dead_window_blames_no_entry(tmp_path: Path) -> None:
    """The network lost it: nothing is wrong with its entries."""
    async with staged(tmp_path, assets=2) as stage:
        await lose_a_mint(stage, *stage.mints)
        stage.bury()
        await stage.cycle()
        assert [len(call.mints) for call in stage.calls("mint")] == [2, 2]
        assert {stage.supply(mint) for mint in stage.mints} == {HELD_RAW}


# ---- taken by another -----------------------------------------------------------------------------------------------


async def test_a_number_that_another_intent_executed_halts_the_asset_and_buries_the_attempt(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        await lose_a_mint(stage, mint)
        stage.foreign(mint, IntentKind.MINT, 7)
        stage.bury()
        await stage.cycle()
        halt = await stage.halt_of(mint)
        assert halt is not None
        assert halt.reason is HaltReason.UNKNOWN_INTENT_HASH
        assert halt.detail.startswith("sequence 0 executed with last_intent_hash ")
        assert await stage.attempts(mint) == [DEAD]
        assert (await stage.proofs(mint))[0] == f"taken by another: {halt.detail}"
        assert fates(stage, DEAD) == 1
        await stage.cycle()
        assert (len(stage.calls("mint")), stage.supply(mint)) == (1, 7)


async def test_where_later_numbers_hide_who_executed_it_the_attempt_stays_live_and_the_asset_halts(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        await lose_a_mint(stage, mint)
        stage.foreign(mint, IntentKind.MINT, 7)
        stage.foreign(mint, IntentKind.MINT, 8)
        stage.bury()
        report = await stage.cycle()
        halt = await stage.halt_of(mint)
        assert halt is not None
        assert halt.reason is HaltReason.UNKNOWN_INTENT_HASH
        assert (await stage.attempts(mint), report.under_way, fates(stage, DEAD)) == ([LIVE], 1, 0)
        assert (len(stage.calls("mint")), stage.supply(mint)) == (1, 15)


@pytest.mark.parametrize("hidden", [0, 1])
async def test_one_entry_that_was_visibly_taken_buries_the_whole_batch(tmp_path: Path, hidden: int) -> None:
    """A transaction is atomic; the order of its entries does not matter."""
    async with staged(tmp_path, assets=3) as stage:
        *pair, other = stage.mints
        await lose_a_mint(stage, *pair)
        for number, mint in enumerate(pair):
            stage.foreign(mint, IntentKind.MINT, 7)
            if number == hidden:
                stage.foreign(mint, IntentKind.MINT, 8)
        stage.hold(other, HELD_RAW)
        stage.bury()
        await stage.cycle()
        assert [await stage.attempts(mint) for mint in pair] == [[DEAD], [DEAD]]
        halts = [await stage.halt_of(mint) for mint in pair]
        assert [halt.reason for halt in halts if halt is not None] == [HaltReason.UNKNOWN_INTENT_HASH] * 2
        # Nobody else waits.
        assert (await stage.halt_of(other), stage.supply(other)) == (None, HELD_RAW)
