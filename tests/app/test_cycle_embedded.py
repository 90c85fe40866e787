"""Cycles against a real chain and real sidecars: exactly once over restarts, and one bad entry stops nobody else.

Each test has an asset of its own; what it leaves behind is in line, save the last, whose asset stays halted.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from localnet.demo.catalogue import load_catalogue
from localnet.demo.custody import backed_raw
from localnet.demo.deploy import DeployedAsset
from localnet.demo.wait import until
from localnet.demo.world import World, world
from xstocks_daemon.app.attempts import _Carried
from xstocks_daemon.app.cycle import Cycle, is_in_line
from xstocks_daemon.app.daemon import leased, run_daemon
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import Runtime, open_runtime
from xstocks_daemon.app.settings import Settings, load_settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.sender import send_and_confirm
from xstocks_daemon.chain.tables import TableBook
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentKind, IntentState
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, ceiling_raw
from xstocks_daemon.domain.units import MICRO_PER_SHARE, Address
from xstocks_daemon.domain.views import HaltReason, LiveIntent, totals_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOLS = ("AAPLx", "AMDx", "ABTx", "ADBEx", "AMATx", "ACNx", "ALABx")
BEYOND_EVERY_WINDOW_SLOTS = 400  # 150 blocks of validity, 150 of margin, and some


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A localnet with nothing minted yet."""
    rows = [row for row in load_catalogue() if row.symbol in SYMBOLS]
    async with world("embedded", rows, tmp_path_factory.mktemp("cycle")) as stage:
        yield stage


def settings_of(stage: World, **changes: object) -> Settings:
    """The stage's settings; an entry that failed is tried again soon."""
    settings = load_settings(stage.settings_path)
    quick = settings.timing.model_copy(update={"set_aside_secs": 1.0, "cycle_secs": 0.2})
    return settings.model_copy(update={"timing": quick, **changes})


def asset_of(stage: World, symbol: str) -> DeployedAsset:
    return next(asset for asset in stage.deployment.assets if asset.row.symbol == symbol)


async def view_of(stage: World, symbol: str) -> AssetView:
    mint = asset_of(stage, symbol).mint
    return (await stage.reader.snapshot([mint])).assets[mint]


async def sent_by_operator(stage: World) -> list[str]:
    """Every signature that the ledger has of the operator's key."""
    operator = base58(stage.deployment.keys.operator.address)
    rows = await stage.chain.call("getSignaturesForAddress", [operator, {"commitment": "confirmed"}])
    return [row["signature"] for row in rows]


async def deposit(stage: World, symbol: str) -> None:
    await asyncio.to_thread(stage.custody.deposit, asset_of(stage, symbol), 3 * MICRO_PER_SHARE)


async def assert_tracks_custody(stage: World, symbol: str) -> AssetView:
    view, book = await view_of(stage, symbol), stage.custody.record(asset_of(stage, symbol))
    assert book is not None
    assert view.mint.supply_raw == backed_raw(book) > 0
    return view


@dataclass(frozen=True)
class Bench:
    """A live cycle opened up: what it works with, at a moment where every custodian's newest word is on chain."""

    runtime: Runtime
    cycle: Cycle
    snapshot: ChainSnapshot
    book: TableBook

    async def intend(self, symbol: str, stage: World, above_raw: int = 0) -> LiveIntent:
        """Journal a mint up to the ceiling, or above it."""
        mint = asset_of(stage, symbol).mint
        view = self.snapshot.assets[mint]
        amount_raw = ceiling_raw(view, self.snapshot.custodians, self.snapshot.now_ts) - view.mint.supply_raw
        intent = Intent(IntentKind.MINT, mint, view.asset.sequence, amount_raw + above_raw, view.asset.vault)
        (live,) = await self.runtime.journal.record_intents([intent])
        return live

    async def sign_without_sending(self, live: LiveIntent) -> bytes:
        """Journal an attempt as a daemon does that dies before it sends; gives its signature."""
        assert self.cycle._hands is not None
        attempts = self.cycle._hands.attempts
        carried = _Carried(attempts._outbox, attempts._genesis_hash, self.snapshot, self.book, {})
        return (await attempts._sign(carried, (live,), await carried.simulate((live,)))).signature


@asynccontextmanager
async def bench(stage: World, *symbols: str) -> AsyncIterator[Bench]:
    """The lease, and statements of `symbols` with a new deposit on chain, nothing minted on them."""
    for symbol in symbols:
        await deposit(stage, symbol)
    async with open_runtime(settings_of(stage)) as runtime, leased(runtime):
        cycle = Cycle(runtime, Metrics(runtime.custodians.values()))
        assert cycle._hands is not None
        mints = [asset_of(stage, symbol).mint for symbol in symbols]

        async def relayed() -> ChainSnapshot | None:
            await cycle.relay_once()
            snapshot = await runtime.reader.snapshot(await runtime.mints(), sorted(runtime.custodians))
            above = [
                ceiling_raw(snapshot.assets[mint], snapshot.custodians, snapshot.now_ts)
                > snapshot.assets[mint].mint.supply_raw
                for mint in mints
            ]
            return snapshot if all(above) else None

        snapshot = await until(relayed, f"the statements of {', '.join(symbols)} on chain")
        yield Bench(runtime, cycle, snapshot, await cycle._hands.tables.ensure(snapshot))


async def fate_of(stage: World, symbol: str, sequence: int) -> list[tuple[AttemptState, Mapping[str, int | str]]]:
    async with open_runtime(settings_of(stage)) as runtime:
        records = await runtime.journal.all_attempts_for(asset_of(stage, symbol).mint, sequence)
        return [(attempt.state, attempt.evidence) for attempt, _ in records]


async def test_a_dry_run_decides_and_neither_writes_nor_sends(stage: World) -> None:
    before = await sent_by_operator(stage)
    async with open_runtime(settings_of(stage, live=False)) as runtime:

        async def decided() -> bool:
            report = await Cycle(runtime, Metrics(runtime.custodians.values())).run()
            return all(line.action is Action.MINT for line in report.plan.lines)

        await until(decided, "statements for all assets")
        assert await runtime.journal.intents() == ()
        assert await runtime.journal.evidence() == {}
    assert await sent_by_operator(stage) == before


async def test_the_daemon_brings_every_asset_into_line(stage: World) -> None:
    told: list[tuple[int, int]] = []
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_in_line=True, progress=lambda *numbers: told.append(numbers))
    for symbol in SYMBOLS:
        view = await assert_tracks_custody(stage, symbol)
        assert view.asset.sequence == 1
    assert told[-1] == (len(SYMBOLS), len(SYMBOLS))


async def test_an_entry_that_fails_is_set_aside_and_the_rest_goes_on(stage: World) -> None:
    async with bench(stage, "AAPLx") as opened:
        good = await opened.intend("AAPLx", stage)
        bad = await opened.intend("AMDx", stage, above_raw=1)
        assert opened.cycle._hands is not None
        await opened.cycle._hands.attempts.send([good, bad], opened.snapshot, opened.book, ())
        records = {record.id: record for record in await opened.runtime.journal.intents()}
        assert records[good.id].state is IntentState.DONE
        assert records[bad.id].state is IntentState.DROPPED
        assert "CeilingExceeded (6208)" in records[bad.id].note
        aside = (await opened.runtime.journal.expected(bad.intent.mint)).set_aside
        assert aside is not None
        assert "CeilingExceeded" in aside.reason
    await assert_tracks_custody(stage, "AAPLx")
    after, before = await view_of(stage, "AMDx"), opened.snapshot.assets[bad.intent.mint]
    assert after.mint == before.mint
    assert totals_of(after.asset) == totals_of(before.asset)
    assert after.asset.last_intent_hash == before.asset.last_intent_hash


async def test_a_restart_sends_the_same_bytes(stage: World) -> None:
    async with bench(stage, "ABTx") as opened:
        live = await opened.intend("ABTx", stage)
        signature = await opened.sign_without_sending(live)
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_in_line=True)
    view = await assert_tracks_custody(stage, "ABTx")
    assert view.asset.sequence == live.intent.sequence + 1
    ((state, _),) = await fate_of(stage, "ABTx", live.intent.sequence)
    assert state is AttemptState.LANDED
    async with open_runtime(settings_of(stage)) as runtime:
        ((attempt, _),) = await runtime.journal.all_attempts_for(live.intent.mint, live.intent.sequence)
        assert attempt.attempt.signature == signature


async def test_an_attempt_that_can_never_execute_is_proved_dead_and_its_intent_is_minted_once(stage: World) -> None:
    async with bench(stage, "ADBEx") as opened:
        live = await opened.intend("ADBEx", stage)
        await opened.sign_without_sending(live)
    await stage.chain.advance_slots(BEYOND_EVERY_WINDOW_SLOTS)
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_in_line=True)
    view = await assert_tracks_custody(stage, "ADBEx")
    assert view.asset.sequence == live.intent.sequence + 1
    dead, landed = await fate_of(stage, "ADBEx", live.intent.sequence)
    assert (dead[0], landed[0]) == (AttemptState.DEAD, AttemptState.LANDED)
    assert str(dead[1]["proof"]).startswith("not executed: ")


async def test_while_an_attempt_may_execute_nothing_is_signed_again(stage: World) -> None:
    async with bench(stage, "AMATx") as opened:
        live = await opened.intend("AMATx", stage)
        await opened.sign_without_sending(live)
        # The attempt is out of its window, but not beyond the margin that the proof wants.
        margin = opened.runtime.settings.timing.model_copy(update={"non_execution_margin_blocks": 10_000})
        settings = opened.runtime.settings.model_copy(update={"timing": margin})
    await stage.chain.advance_slots(BEYOND_EVERY_WINDOW_SLOTS)
    async with open_runtime(settings) as runtime, leased(runtime):
        report = await Cycle(runtime, Metrics(runtime.custodians.values())).run()
        (line,) = [line for line in report.plan.lines if line.mint == live.intent.mint]
        assert (line.action, line.reason) == (Action.NONE, Reason.IN_FLIGHT)
        assert report.under_way == 1
        assert not report.settled
    ((state, _),) = await fate_of(stage, "AMATx", live.intent.sequence)
    assert state is AttemptState.LIVE
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_in_line=True)
    await assert_tracks_custody(stage, "AMATx")


async def test_one_daemon_per_journal_and_reading_commands_need_no_lease(stage: World) -> None:
    log = stage.folder / "logs" / "daemon.log"
    async with stage.daemon() as child:

        async def started() -> bool:
            return '"event": "started"' in await asyncio.to_thread(log.read_text)

        await until(started, "the daemon's start")
        second, plan, status = await asyncio.gather(
            xstocks(stage, "run"), xstocks(stage, "plan", "--json"), xstocks(stage, "status", "--json")
        )
        journal = stage.folder / "journal.sqlite"
        assert second == (1, "", [f"error: journal.path: {journal}: another daemon works with it; stop that one first"])
        assert (plan[0], status[0]) == (0, 0)
        assert [one["in_line"] for one in json.loads(plan[1])["assets"]] == [True] * len(SYMBOLS)
        assert json.loads(status[1])["at_ceiling"] == len(SYMBOLS)
        child.process.terminate()
        async with asyncio.timeout(30):
            assert await child.process.wait() == 0, child.tail()
    assert '"event": "stopped"' in log.read_text().splitlines()[-1]


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (
            {"XSTOCKS_CLUSTER__GENESIS_HASH": base58(bytes([1] * 32))},
            (
                "error: cluster.genesis_hash: {ones}: {rpc} serves the cluster {genesis}; correct it,"
                " or use that cluster's endpoints"
            ),
        ),
        (
            {"XSTOCKS_PROGRAM_ID": base58(bytes([1] * 32)), "XSTOCKS_JOURNAL__PATH": "other.sqlite"},
            (
                "error: program_id: {ones}: the program {ones} has no Config account {config}: it is not initialized on"
                " this cluster, or program_id in the settings is another program's"
            ),
        ),
        (
            {"XSTOCKS_ASSETS": '["AAPLy"]'},
            (
                "error: assets: AAPLy: no registered asset has this symbol; did you mean AAPLx? (`xstocks assets` lists"
                " them)"
            ),
        ),
        (
            {"XSTOCKS_ASSETS": f'["{base58(bytes([1] * 32))}"]'},
            (
                "error: assets: {ones}: not registered with the program: {ones}; register them or take them out of the"
                " settings"
            ),
        ),
    ],
    ids=["wrong cluster", "wrong program", "unknown symbol", "unregistered mint"],
)
async def test_settings_that_do_not_fit_the_chain_are_one_line_and_send_nothing(
    stage: World, environment: dict[str, str], line: str, tmp_path: Path
) -> None:
    before = await sent_by_operator(stage)
    if "XSTOCKS_JOURNAL__PATH" in environment:
        environment = environment | {"XSTOCKS_JOURNAL__PATH": str(tmp_path / "other.sqlite")}
    ones = Address(bytes([1] * 32))
    code, out, lines = await xstocks(stage, "run", environment=environment)
    expected = line.format(
        ones=base58(ones),
        rpc=stage.chain.rpc_url,
        genesis=stage.chain.genesis_hash,
        config=base58(type(stage.client)(ones).addresses.config),
    )
    assert (code, out, [each for each in lines if not each.startswith("{")]) == (2, "", [expected])
    assert await sent_by_operator(stage) == before


async def test_a_sequence_that_the_journal_lacks_halts_the_asset_and_no_other(stage: World) -> None:
    async with bench(stage, "ACNx", "ALABx") as opened:
        mint = asset_of(stage, "ACNx").mint
        view = opened.snapshot.assets[mint]
        foreign = Intent(IntentKind.MINT, mint, view.asset.sequence, 1, view.asset.vault)
        operator = stage.deployment.keys.operator
        assert opened.cycle._hands is not None
        await send_and_confirm(
            opened.runtime.pool,
            stage.client,
            payer=operator.address,
            instructions=[
                stage.client.mint(
                    operator=operator.address,
                    custodians=opened.snapshot.custodians,
                    intents=[foreign],
                    genesis_hash=stage.deployment.genesis_hash,
                )
            ],
            signers=opened.cycle._hands.outbox.signers,
            commitment="finalized",
        )

        async def others_in_line() -> bool:
            report = await opened.cycle.run()
            halted = {line.mint for line in report.plan.lines if line.reason in (Reason.HALTED, Reason.UNEXPLAINED)}
            return halted == {mint} and all(is_in_line(line) for line in report.plan.lines if line.mint != mint)

        await until(others_in_line, "the other assets in line")
        halt = (await opened.runtime.journal.expected(mint)).halt
        assert halt is not None
        assert halt.reason is HaltReason.FOREIGN_SEQUENCE
    after = await view_of(stage, "ACNx")
    assert after.asset.sequence == view.asset.sequence + 1
    assert after.mint.supply_raw == view.mint.supply_raw + 1
    await assert_tracks_custody(stage, "ALABx")
    code, out, _ = await xstocks(stage, "halts", "list", "--json")
    assert code == 0
    assert [(one["symbol"], one["reason"]) for one in json.loads(out)] == [("ACNx", "foreign_sequence")]


async def xstocks(
    stage: World, *arguments: str, environment: dict[str, str] | None = None
) -> tuple[int, str, list[str]]:
    """Run a command to its end: exit code, standard output, and the lines of standard error."""
    process = await asyncio.create_subprocess_exec(
        *stage.xstocks(*arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode().splitlines()
