"""The daemon dies by SIGKILL at every named place between journal and confirmation; each time it mints exactly once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from localnet.catalogue.reader import load_catalogue
from localnet.harness.chains import ChainKind
from localnet.harness.custody import backed_raw
from localnet.harness.wait import until
from localnet.harness.world import World, world
from tests.support.forked import forked
from xstocks_daemon.app.crash import ENV_NAME, CrashPoint
from xstocks_daemon.domain.snapshot import AssetView
from xstocks_daemon.domain.units import NANO_PER_SHARE

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEPOSIT_NANO = 3 * NANO_PER_SHARE
SLOT_MS: dict[ChainKind, int] = {"embedded": 50, "validator": 100}
"""What was not confirmed is given up 150 slots later, and final is 32 slots.
A validator keeps up with no shorter ones."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(chain_kind: ChainKind, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A localnet with one asset that is already on target."""
    folder: Path = tmp_path_factory.mktemp("kill")
    rows = [row for row in load_catalogue() if row.symbol == "AAPLx"]
    async with world(chain_kind, rows, folder, slot_ms=SLOT_MS[chain_kind], launch=forked) as stage:
        async with stage.daemon():
            await _on_target(stage)
        yield stage


@pytest.mark.parametrize("point", list(CrashPoint), ids=lambda point: point.value)
async def test_a_daemon_killed_there_mints_exactly_once(stage: World, point: CrashPoint) -> None:
    before = await _view(stage)
    asset = stage.deployment.assets[0]
    async with stage.daemon(environment={ENV_NAME: point.value}) as killed:
        await asyncio.to_thread(stage.custody.deposit, asset, DEPOSIT_NANO)
        async with asyncio.timeout(300):
            code = await killed.process.wait()
    assert code == -signal.SIGKILL, killed.tail()

    async with stage.daemon():
        after = await _on_target(stage)

    book = stage.custody.record(asset)
    assert book is not None
    assert after.mint.supply_raw == backed_raw(book)
    assert after.asset.sequence == before.asset.sequence + 1
    minted_raw = after.asset.minted_raw - before.asset.minted_raw
    assert minted_raw == after.mint.supply_raw - before.mint.supply_raw
    assert minted_raw > 0


async def _view(stage: World) -> AssetView:
    mint = stage.deployment.assets[0].mint
    return (await stage.reader.snapshot([mint])).assets[mint]


async def _on_target(stage: World) -> AssetView:
    """Wait until the supply is what the books back."""
    book = await asyncio.to_thread(stage.custody.record, stage.deployment.assets[0])
    assert book is not None
    wanted_raw = backed_raw(book)

    async def reached() -> AssetView | None:
        view = await _view(stage)
        return view if view.mint.supply_raw == wanted_raw else None

    return await until(reached, "supply equal to custody")
