"""Attempts against a real chain and real sidecars: exactly once over restarts, whatever became of the bytes.

Each test has assets of its own, and leaves all on target, so their order does not matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from localnet.harness.wait import until
from localnet.harness.world import World
from tests.app.staged import (
    act,
    assert_tracks_custody,
    asset_of,
    opened_cycle,
    outcomes_of,
    settings_of,
    staged,
    view_of,
)
from xstocks_daemon.app.cycle import Cycle
from xstocks_daemon.app.daemon import leased, run_daemon
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import open_runtime
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import AttemptState, IntentState
from xstocks_daemon.domain.snapshot import Scope
from xstocks_daemon.domain.units import MILLIS_PER_SEC, NANO_PER_SHARE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOLS = ("ABTx", "ADBEx", "AMDx", "AMATx", "AAOIx", "ABBVx")
BEYOND_EVERY_WINDOW_SLOTS = 400  # 150 blocks of validity, 150 of margin, and some


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A localnet with every asset on target."""
    async with staged(SYMBOLS, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


async def test_a_restart_sends_the_same_bytes(stage: World) -> None:
    async with opened_cycle(stage, "ABTx") as opened:
        live = await opened.intend("ABTx", stage)
        signature = await opened.sign_without_sending(live)
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_on_target=True)
    view = await assert_tracks_custody(stage, "ABTx")
    assert view.asset.sequence == live.intent.sequence + 1
    ((state, _),) = await outcomes_of(stage, "ABTx", live.intent.sequence)
    assert state is AttemptState.LANDED
    async with open_runtime(settings_of(stage)) as runtime:
        ((attempt, _),) = await runtime.journal.all_attempts_for(live.intent.mint, live.intent.sequence)
        assert attempt.attempt.signature == signature


async def test_what_an_earlier_cycle_minted_is_not_judged_by_a_lower_statement_that_came_since(stage: World) -> None:
    """The mint is settled at the beginning of a cycle whose snapshot has the lower statement already."""
    async with opened_cycle(stage, "ADBEx") as opened:
        live = await opened.intend("ADBEx", stage)
        await opened.sign_without_sending(live)
        ((attempt, _),) = await opened.runtime.journal.all_attempts_for(live.intent.mint, live.intent.sequence)
        await opened.runtime.pool.endpoints[0].send(attempt.attempt.wire)

        async def landed() -> bool:
            return (await view_of(stage, "ADBEx")).asset.sequence == live.intent.sequence + 1

        await until(landed, "the mint on the finalized chain")
        await asyncio.to_thread(stage.custody.mark_leaving, asset_of(stage, "ADBEx"), NANO_PER_SHARE)

        async def lowered() -> bool:
            """And so is the one that confirms it after the skew, so that nothing is left to relay."""
            await opened.cycle.relay_once()
            (entry,) = (await view_of(stage, "ADBEx")).asset.entries
            known = (await opened.runtime.journal.evidence())[live.intent.mint][entry.custodian]
            skew_ms = opened.snapshot.config.max_skew_secs * MILLIS_PER_SEC
            return known.lowered_ms > 0 and entry.observed_ms > known.lowered_ms + skew_ms

        await until(lowered, "the lower statement on the finalized chain")
        # Every burn waits for an approval here, so that the supply stays above what is backed.
        policy = opened.runtime.settings.policy.model_copy(update={"burn_approval_bps": 0})
        settings = opened.runtime.settings.model_copy(update={"policy": policy})
        runtime = replace(opened.runtime, settings=settings)
        report = await Cycle(runtime, Metrics(runtime.custodians.values())).run()
        assert (report.landed, report.plan.relays) == ((live.intent,), ())
        assert (await opened.runtime.journal.expected(live.intent.mint)).halt is None
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_on_target=True)
    await assert_tracks_custody(stage, "ADBEx")


async def test_an_attempt_that_can_never_execute_is_proved_dead_and_its_intent_is_minted_once(stage: World) -> None:
    async with opened_cycle(stage, "AMDx") as opened:
        live = await opened.intend("AMDx", stage)
        await opened.sign_without_sending(live)
    await stage.chain.advance_slots(BEYOND_EVERY_WINDOW_SLOTS)
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_on_target=True)
    view = await assert_tracks_custody(stage, "AMDx")
    assert view.asset.sequence == live.intent.sequence + 1
    dead, landed = await outcomes_of(stage, "AMDx", live.intent.sequence)
    assert (dead[0], landed[0]) == (AttemptState.DEAD, AttemptState.LANDED)
    assert str(dead[1]["proof"]).startswith("not executed: ")


async def test_while_an_attempt_may_execute_nothing_is_signed_again(stage: World) -> None:
    async with opened_cycle(stage, "AMATx") as opened:
        live = await opened.intend("AMATx", stage)
        await opened.sign_without_sending(live)
        # The attempt is out of its window, but not beyond the margin that the proof wants.
        margin = opened.runtime.settings.timing.model_copy(update={"non_execution_margin_blocks": 10_000})
        settings = opened.runtime.settings.model_copy(update={"timing": margin})
    await stage.chain.advance_slots(BEYOND_EVERY_WINDOW_SLOTS)
    async with open_runtime(settings) as runtime, leased(runtime):
        report = await Cycle(runtime, Metrics(runtime.custodians.values())).run()
        (line,) = [line for line in report.plan.assets if line.mint == live.intent.mint]
        assert (line.action, line.reason) == (Action.NONE, Reason.IN_FLIGHT)
        assert report.under_way == 1
        assert not report.settled
    ((state, _),) = await outcomes_of(stage, "AMATx", live.intent.sequence)
    assert state is AttemptState.LIVE
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_on_target=True)
    await assert_tracks_custody(stage, "AMATx")


async def test_a_batch_that_fails_on_chain_frees_its_intents_and_the_good_one_is_minted(stage: World) -> None:
    async with opened_cycle(stage, "AAOIx", "ABBVx") as opened:
        good, bad = await opened.intend("AAOIx", stage), await opened.intend("ABBVx", stage)
        await opened.sign_without_sending(good, bad)
        await act(
            stage, "guardian", lambda key: stage.client.pause(guardian=key, scopes=Scope.MINT, mint=bad.intent.mint)
        )

        async def decided() -> dict[int, IntentState] | None:
            await opened.cycle.run()
            states = {record.id: record.state for record in await opened.runtime.journal.intents()}
            over = IntentState.DONE, IntentState.DROPPED
            return states if states[good.id] in over and states[bad.id] in over else None

        states = await until(decided, "what became of both intents")
        assert (states[good.id], states[bad.id]) == (IntentState.DONE, IntentState.DROPPED)
    failed, landed = await outcomes_of(stage, "AAOIx", good.intent.sequence)
    assert (failed[0], landed[0]) == (AttemptState.DEAD, AttemptState.LANDED)
    assert str(failed[1]["proof"]).startswith("failed in finalized slot")
    await assert_tracks_custody(stage, "AAOIx")
    paused = await view_of(stage, "ABBVx")
    assert paused.asset.sequence == bad.intent.sequence
    await act(stage, "resumer", lambda key: stage.client.resume(resumer=key, scopes=Scope.MINT, mint=bad.intent.mint))
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_on_target=True)
    await assert_tracks_custody(stage, "ABBVx")
