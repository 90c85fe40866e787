"""The examples of docs/reserve-account.md run, and say what the chain holds."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from localnet.harness.deploy import TIMELOCK_SECS
from localnet.harness.paths import ROOT
from tests.reserve.market import Collateral, Market
from tests.support.deployed import NANO_PER_RAW
from tests.support.initialized import OTHER_CUSTODIAN, ROOMY
from tests.support.live_chain import LiveChain
from tests.support.node import NODE_FOLDER, node_packages, run
from xstocks_daemon.chain.addresses import CLOCK_SYSVAR, base58
from xstocks_daemon.domain.snapshot import Hold
from xstocks_daemon.domain.units import MILLIS_PER_SEC, multiplier_bits_of

EXAMPLES = ROOT / "docs" / "examples"
Reader = Callable[[Market, Collateral, Path], Awaitable[str]]

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("market", ["embedded"], indirect=True, scope="module"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def collateral(market: Market) -> Collateral:
    """An asset with a supply of 1,000."""
    return await market.collateral(1_000)


async def python(market: Market, collateral: Collateral, _folder: Path) -> str:
    command = [sys.executable, str(EXAMPLES / "read_reserve.py"), *arguments(market, collateral)]
    # As from the root of a checkout whose environment has the project.
    return await run("env", f"PYTHONPATH={ROOT}", *command, folder=ROOT)


async def typescript(market: Market, collateral: Collateral, folder: Path) -> str:
    await node_packages()
    shutil.copy(EXAMPLES / "read_reserve.mjs", folder)
    os.symlink(NODE_FOLDER / "node_modules", folder / "node_modules")
    return await run("node", "read_reserve.mjs", *arguments(market, collateral), folder=folder)


def arguments(market: Market, collateral: Collateral) -> list[str]:
    program, mint = market.program, base58(collateral.asset.mint)
    terms = [str(TIMELOCK_SECS), base58(program.keys.upgrade_authority.address)]
    return [market.chain.process.rpc_url, base58(program.client.program_id), mint, *terms]


async def finalized(chain: LiveChain) -> None:
    await chain.advance_slots(3)


async def finalized_ts(chain: LiveChain) -> int:
    """The clock that a reader at finalized sees; it stands while no slot begins."""
    clock = (await chain.rpc.account(CLOCK_SYSVAR, commitment="finalized")).value
    assert clock is not None
    return int.from_bytes(clock.data[32:40], "little")


@pytest.mark.parametrize("reader", [python, typescript])
async def test_an_example_reads_a_backed_reserve(
    market: Market, collateral: Collateral, reader: Reader, tmp_path: Path
) -> None:
    await collateral.asset.attest(500)
    await collateral.asset.attest(900, custodian=OTHER_CUSTODIAN)
    await finalized(market.chain)
    oldest_ms = min(
        (await collateral.asset.entry()).observed_ms, (await collateral.asset.entry(OTHER_CUSTODIAN)).observed_ms
    )
    now_ms = await finalized_ts(market.chain) * MILLIS_PER_SEC
    assert json.loads(await reader(market, collateral, tmp_path)) == {
        "enforced": True,
        "holds": 0,
        "multiplier_bits": str(multiplier_bits_of("1")),
        "supply_raw": "1000",
        "ceiling_raw": "1400",
        "fully_backed": True,
        "shortfall_raw": "0",
        "lacks_less_than_nano": "0",
        "oldest_age_secs": max(0, -((oldest_ms - now_ms) // MILLIS_PER_SEC)),
    }


@pytest.mark.parametrize("reader", [python, typescript])
async def test_an_example_says_when_a_reserve_is_short_or_stale(
    market: Market, collateral: Collateral, reader: Reader, tmp_path: Path
) -> None:
    await collateral.asset.attest(900)
    await finalized(market.chain)
    answer = json.loads(await reader(market, collateral, tmp_path))
    assert (answer["fully_backed"], answer["ceiling_raw"]) == (False, "900")
    assert (answer["shortfall_raw"], answer["lacks_less_than_nano"]) == ("100", str(100 * NANO_PER_RAW + 1))
    await market.chain.advance_clock(ROOMY.max_age_secs + 1)
    await finalized(market.chain)
    (again := tmp_path / "again").mkdir()
    answer = json.loads(await reader(market, collateral, again))
    assert (answer["fully_backed"], answer["ceiling_raw"], answer["oldest_age_secs"]) == (False, "0", None)


@pytest.mark.parametrize("reader", [python, typescript])
async def test_an_example_shows_a_hold(market: Market, collateral: Collateral, reader: Reader, tmp_path: Path) -> None:
    await collateral.asset.attest(9_000)
    await finalized(market.chain)
    answer = json.loads(await reader(market, collateral, tmp_path))
    assert (answer["fully_backed"], answer["holds"]) == (True, int(Hold.RISE))
