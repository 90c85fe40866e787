"""Cycles against a real chain and real sidecars: what is decided and minted, and one bad entry stops nobody else.

Each test has assets of its own, and leaves all on target; one that begins with nothing minted, or leaves an asset
halted, has a localnet of its own. So their order does not matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from localnet.harness.wait import until
from localnet.harness.world import World
from tests.app.staged import (
    assert_tracks_custody,
    asset_of,
    opened_cycle,
    sent_by_operator,
    settings_of,
    staged,
    unminted,
    view_of,
)
from xstocks_daemon.app.cycle import Cycle
from xstocks_daemon.app.daemon import run_daemon
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import as_user_error, open_runtime
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ChainDisagreement
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.chain.sender import send_and_confirm
from xstocks_daemon.cli.queries import status_of
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import HaltReason, totals_of
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import OperationError

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOLS = ("AAPLx", "AMDx", "ABTx", "AMATx")
FRESH_SYMBOLS = ("ACNx", "ALABx")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A localnet with every asset on target."""
    async with staged(SYMBOLS, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(tmp_path: Path) -> AsyncIterator[World]:
    """A localnet for one test, with nothing minted yet."""
    async with unminted(FRESH_SYMBOLS, tmp_path) as stage:
        yield stage


async def test_a_dry_run_decides_and_neither_writes_nor_sends(fresh: World) -> None:
    before = await sent_by_operator(fresh)
    async with open_runtime(settings_of(fresh, live=False)) as runtime:

        async def decided() -> bool:
            report = await Cycle(runtime, Metrics(runtime.custodians.values())).run()
            return all(line.action is Action.MINT for line in report.plan.assets)

        await until(decided, "statements for all assets")
        assert await runtime.journal.intents() == ()
        assert await runtime.journal.evidence() == {}
    assert await sent_by_operator(fresh) == before


async def test_the_daemon_brings_every_asset_on_target(fresh: World) -> None:
    progress: list[tuple[int, int]] = []
    async with asyncio.timeout(120):
        await run_daemon(settings_of(fresh), until_on_target=True, progress=lambda *numbers: progress.append(numbers))
    for symbol in FRESH_SYMBOLS:
        view = await assert_tracks_custody(fresh, symbol)
        assert view.asset.sequence == 1
    assert progress[-1] == (len(FRESH_SYMBOLS), len(FRESH_SYMBOLS))


async def test_an_entry_that_fails_is_quarantined_and_the_rest_goes_on(stage: World) -> None:
    async with opened_cycle(stage, "AAPLx") as opened:
        good = await opened.intend("AAPLx", stage)
        bad = await opened.intend("AMDx", stage, above_raw=1)
        assert opened.cycle._operator is not None
        operator = opened.cycle._operator
        landed = [
            intent
            async for intents in operator.attempts.send([good, bad], opened.snapshot, opened.book, ())
            for intent in intents
        ]
        assert landed == [good.intent]
        records = {record.id: record for record in await opened.runtime.journal.intents()}
        assert records[good.id].state is IntentState.DONE
        assert records[bad.id].state is IntentState.DROPPED
        assert "CeilingExceeded (6208)" in records[bad.id].note
        (quarantined,) = [
            one for one in await opened.runtime.journal.events(mint=bad.intent.mint) if one.kind == "quarantined"
        ]
        assert quarantined.detail["reason"] == records[bad.id].note
    await assert_tracks_custody(stage, "AAPLx")
    after, before = await view_of(stage, "AMDx"), opened.snapshot.assets[bad.intent.mint]
    assert after.mint == before.mint
    assert totals_of(after.asset) == totals_of(before.asset)
    assert after.asset.last_intent_hash == before.asset.last_intent_hash


async def test_an_asset_that_the_endpoints_tell_differently_halts_alone(stage: World) -> None:
    mint = asset_of(stage, "AMATx").mint
    async with opened_cycle(stage, "ABTx") as opened:
        apart = replace(
            opened.runtime, reader=Disagreeing(opened.runtime.reader, stage.client.addresses.asset(mint), mint)
        )
        cycle = Cycle(apart, Metrics(apart.custodians.values()))
        report = await cycle.run()
        assert mint not in {line.mint for line in report.plan.assets}
        assert [intent.mint for intent in report.landed] == [asset_of(stage, "ABTx").mint]
        halt = (await apart.journal.expected(mint)).halt
        assert halt is not None
        assert halt.reason is HaltReason.ENDPOINTS_DIFFER
        assert len((await cycle.run()).plan.assets) == len(SYMBOLS) - 1
        await apart.journal.clear_halt(mint, "a person")
        lines = (await opened.cycle.run()).plan.assets
        assert {line.mint: line.on_target for line in lines}[mint]
        assert len(lines) == len(SYMBOLS)


class Disagreeing(ChainReader):
    """A reader whose endpoints never agree on one asset."""

    def __init__(self, reader: ChainReader, account: Address, mint: Address) -> None:
        self._reader = reader
        self._account = account
        self._mint = mint

    async def snapshot(self, mints: Sequence[Address], custodians: Sequence[Address] = ()) -> ChainSnapshot:
        if self._mint in mints:
            raise ChainDisagreement([base58(self._account)], ["http://a", "http://b"], 1)
        return await self._reader.snapshot(mints, custodians)


async def test_one_daemon_per_journal_and_reading_commands_need_no_lease(stage: World) -> None:
    log = stage.folder / "logs" / "daemon.log"
    async with stage.daemon() as child:

        async def started() -> bool:
            return '"event": "started"' in await asyncio.to_thread(log.read_text)

        await until(started, "the daemon's start")
        with pytest.raises(OperationError) as second:
            await run_daemon(settings_of(stage), stop=asyncio.Event())
        journal = stage.folder / "journal.sqlite"
        assert str(second.value) == f"journal.path: {journal}: another daemon works with it; stop that one first"
        async with open_runtime(settings_of(stage, live=False)) as runtime:
            lines = (await Cycle(runtime, Metrics(runtime.custodians.values())).run()).plan.assets
        assert [line.on_target for line in lines] == [True] * len(SYMBOLS)
        assert (await status_of(settings_of(stage)))["at_ceiling"] == len(SYMBOLS)
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
                "cluster.genesis_hash: {ones}: {rpc} serves the cluster with genesis hash {genesis}, "
                "expected is {ones}: configure endpoints of that cluster"
            ),
        ),
        (
            {"XSTOCKS_PROGRAM_ID": base58(bytes([1] * 32))},
            (
                "program_id: {ones}: the program {ones} has no Config account {config}: it is not initialized on"
                " this cluster, or program_id in the settings is another program's"
            ),
        ),
        (
            {"XSTOCKS_ASSETS": '["AAPLy"]'},
            ("assets: AAPLy: no registered asset has this symbol; did you mean AAPLx? (`xstocks assets` lists them)"),
        ),
        (
            {"XSTOCKS_ASSETS": f'["{base58(bytes([1] * 32))}"]'},
            ("assets: {ones}: not registered with the program: {ones}; register them or take them out of the settings"),
        ),
    ],
    ids=["wrong cluster", "wrong program", "unknown symbol", "unregistered mint"],
)
async def test_settings_that_do_not_fit_the_chain_are_one_line_and_send_nothing(
    stage: World, environment: dict[str, str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await sent_by_operator(stage)
    if "XSTOCKS_PROGRAM_ID" in environment:
        monkeypatch.setenv("XSTOCKS_JOURNAL__PATH", str(tmp_path / "other.sqlite"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ones = Address(bytes([1] * 32))
    settings = settings_of(stage)
    with pytest.raises(Exception) as caught:
        await run_daemon(settings, stop=asyncio.Event())
    known = as_user_error(caught.value, settings)
    assert known is not None
    expected = line.format(
        ones=base58(ones),
        rpc=stage.chain.rpc_url,
        genesis=stage.chain.genesis_hash,
        config=base58(type(stage.client)(ones).addresses.config),
    )
    assert (known.exit_code, str(known)) == (2, expected)
    assert await sent_by_operator(stage) == before


async def test_a_sequence_that_the_journal_lacks_halts_the_asset_and_no_other(fresh: World) -> None:
    async with opened_cycle(fresh, "ACNx", "ALABx") as opened:
        mint = asset_of(fresh, "ACNx").mint
        view = opened.snapshot.assets[mint]
        foreign = Intent(IntentKind.MINT, mint, view.asset.sequence, 1, view.asset.vault)
        operator = fresh.deployment.keys.operator
        assert opened.cycle._operator is not None
        await send_and_confirm(
            opened.runtime.pool,
            fresh.client,
            payer=operator.address,
            instructions=[
                fresh.client.mint(
                    operator=operator.address,
                    custodians=opened.snapshot.custodians,
                    intents=[foreign],
                    genesis_hash=fresh.deployment.genesis_hash,
                )
            ],
            signers=opened.cycle._operator.transactions.signers,
            commitment="finalized",
        )

        async def others_on_target() -> bool:
            report = await opened.cycle.run()
            halted = {line.mint for line in report.plan.assets if line.reason in (Reason.HALTED, Reason.UNEXPLAINED)}
            return halted == {mint} and all(line.on_target for line in report.plan.assets if line.mint != mint)

        await until(others_on_target, "the other assets on target")
        halt = (await opened.runtime.journal.expected(mint)).halt
        assert halt is not None
        assert halt.reason is HaltReason.FOREIGN_SEQUENCE
    after = await view_of(fresh, "ACNx")
    assert after.asset.sequence == view.asset.sequence + 1
    assert after.mint.supply_raw == view.mint.supply_raw + 1
    await assert_tracks_custody(fresh, "ALABx")
    halts = (await status_of(settings_of(fresh)))["halts"]
    assert [(one["symbol"], one["reason"]) for one in halts] == [("ACNx", "foreign_sequence")]
