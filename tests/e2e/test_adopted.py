"""Live mints handed over and run by the daemon: halted until two people vouch for them, then minted and burnt as any.

The mints are real ones as mainnet had them, byte for byte; only the keys of their holders are others. The program is
sealed. Of the supply that a mint comes with nothing is in the program's vault: it is its holders'.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from localnet.catalogue.reader import CatalogueAsset, load_catalogue
from localnet.harness.chains import Chain
from localnet.harness.custody import backed_raw
from localnet.harness.deploy import DeployedAsset, Deployment, demo_policy
from localnet.harness.wait import until
from localnet.harness.world import World, world
from tests.support.deployed import DeployedProgram
from tests.support.forked import forked
from tests.support.live_chain import LAMPORTS_PER_SOL, live_chain
from tests.support.mints import CAPTURES, LiveMint, load_capture, shares_for
from xstocks_daemon.app.crash import ENV_NAME, CrashPoint
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.mint_layout import read_mint
from xstocks_daemon.chain.rpc import RpcEndpoint
from xstocks_daemon.domain.snapshot import AssetState, AssetView
from xstocks_daemon.domain.units import NANO_PER_SHARE, multiplier_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDINARY, EARLY, ADOPTED = "AAPLx", "NFLXx", "KOx"
"""One that the program has made, one that two people vouch for before the daemon sees it, and the one tested."""
TIMELOCK_SECS = 1
ROOM_NANO = 6 * NANO_PER_SHARE
"""What the custodian holds beyond what the supply needs."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A localnet with two adopted mints, halted on chain and without a statement."""
    rows = {row.symbol: row for row in load_catalogue()}

    async def more(chain: Chain, _rpc: RpcEndpoint, deployment: Deployment) -> Deployment:
        async with live_chain(chain) as live:
            program = DeployedProgram(live, deployment)
            await live.open_faucet(LAMPORTS_PER_SOL)
            seal = program.client.seal(admin=program.keys.admin.address, timelock_secs=TIMELOCK_SECS)
            await program.accepted(program.by("admin", seal))
            adopted = [await adopt(program, rows[symbol]) for symbol in (EARLY, ADOPTED)]
        return replace(deployment, assets=(*deployment.assets, *adopted))

    folder = tmp_path_factory.mktemp("adopted")
    async with world("embedded", [rows[ORDINARY]], folder, more=more, launch=forked) as stage:
        yield stage


async def adopt(program: DeployedProgram, row: CatalogueAsset) -> DeployedAsset:
    """The whole procedure of docs/adoption.md for one mint."""
    live = await load_capture(program, next(capture for capture in CAPTURES if capture["symbol"] == row.symbol))
    row = await as_captured(live, row)
    assert row.custodian is not None
    admin, client = program.keys.admin.address, program.client
    attach = client.attach_custodian(admin=admin, custodian=program.custodian(row.custodian).address, mint=live.mint)
    await program.accepted(program.by("admin", client.propose(admin=admin, instruction=attach)))
    asset = await live.adopt(demo_policy(row.capacity_raw))
    proposal_address = client.proposal_address(attach)
    info = await program.chain.account(proposal_address)
    await program.chain.clock_reaches(client.proposal(proposal_address, info.data, info.owner).ready_ts)
    await program.accepted(program.by("admin", client.with_proposal(attach)))
    assert (await asset.read()).state is AssetState.HALTED
    return DeployedAsset(row, live.mint)


async def as_captured(live: LiveMint, row: CatalogueAsset) -> CatalogueAsset:
    """The catalogue's row with the mint's own multiplier, and shares for its supply and some more."""
    info = await live.info()
    mint = read_mint(live.mint, info.data, info.owner)
    bits = mint.effective_multiplier_bits(await live.program.chain.clock_ts())
    shares_nano = shares_for(mint.supply_raw, bits) + ROOM_NANO
    return replace(row, shares_nano=shares_nano, multiplier=multiplier_text(bits))


# ---- short ways ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What a command ended with."""

    code: int
    out: str
    err: str


async def xstocks(stage: World, *arguments: str) -> Said:
    out, err = stage.folder / "said.out", stage.folder / "said.err"
    process = await forked(stage.xstocks(*arguments), out, {}, errors_path=err)
    return Said(await process.wait(), taken(out), taken(err))


def taken(path: Path) -> str:
    """What a file says, which is gone then."""
    text = path.read_text(encoding="utf-8")
    path.unlink()
    return text


async def halts(stage: World) -> Any:
    said = await xstocks(stage, "halts", "list", "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


async def view_of(stage: World, symbol: str) -> AssetView:
    mint = stage.deployment.asset(symbol).mint
    return (await stage.reader.snapshot([mint])).assets[mint]


def wanted_raw(stage: World, symbol: str) -> int:
    """The supply that the custodian's books back."""
    book = stage.custody.record(stage.deployment.asset(symbol))
    assert book is not None
    return backed_raw(book)


async def on_target(stage: World, symbol: str) -> AssetView:
    """Wait until the supply is what the books back."""
    wanted = await asyncio.to_thread(wanted_raw, stage, symbol)

    async def reached() -> AssetView | None:
        view = await view_of(stage, symbol)
        return view if view.mint.supply_raw == wanted else None

    return await until(reached, f"the supply of {symbol} equal to custody")


async def run_until_on_target(stage: World) -> None:
    """The daemon until every supply is at its target, all of it settled in the journal."""
    async with stage.daemon(["--until-on-target"]) as daemon, asyncio.timeout(300):
        assert await daemon.process.wait() == 0, daemon.tail()


async def halted(stage: World) -> list[dict[str, str]]:
    async def any_halt() -> Any:
        return await halts(stage)

    return list(await until(any_halt, "a halt"))


def vouch(*symbols: str, people: tuple[str, ...] = ("ana", "ben")) -> list[str]:
    return ["adopt-baseline", *symbols, *(word for person in people for word in ("--person", person))]


# ---- the story -------------------------------------------------------------------------------------------------------


async def test_an_adopted_mint_is_halted_until_two_people_vouch_for_it(stage: World) -> None:
    said = await xstocks(stage, *vouch(EARLY))
    assert (said.code, said.out) == (0, f"adopted: {EARLY} from sequence 0 on\n"), said.err
    before = {symbol: await view_of(stage, symbol) for symbol in (EARLY, ADOPTED)}
    adopted_raw = before[ADOPTED].asset.adopted_raw
    mint = base58(stage.deployment.asset(ADOPTED).mint)
    told = [
        {
            "symbol": ADOPTED,
            "mint": mint,
            "reason": "totals_differ",
            "detail": (
                f"chain sequence=0 adopted_raw={adopted_raw} minted_raw=0 burnt_raw=0 distributed_raw=0,"
                " journal sequence=0 adopted_raw=0 minted_raw=0 burnt_raw=0 distributed_raw=0"
            ),
        }
    ]

    async with stage.daemon():
        # The others reach their target; of this one the statement gets to the chain, and nothing is minted on it.
        await on_target(stage, ORDINARY)
        early = await on_target(stage, EARLY)
        assert await halted(stage) == told

        async def attested() -> bool:
            return (await view_of(stage, ADOPTED)).asset.state is AssetState.ACTIVE

        await until(attested, "the adopted asset's first statement on chain")
        running = await xstocks(stage, *vouch(ADOPTED))
        assert running.code == 1
        assert running.err.endswith("another daemon works with it; stop that one first\n")
    for symbol, view in ((EARLY, early), (ADOPTED, await view_of(stage, ADOPTED))):
        minted_raw = view.mint.supply_raw - before[symbol].mint.supply_raw
        assert (view.asset.minted_raw, view.asset.adopted_raw) == (minted_raw, before[symbol].asset.adopted_raw)
        assert (minted_raw > 0, view.asset.sequence) == (symbol == EARLY, int(symbol == EARLY))

    # Clearing alone explains nothing: the next cycle halts it again.
    assert (await xstocks(stage, "halts", "clear", ADOPTED)).out == f"cleared: {ADOPTED}\n"
    async with stage.daemon():
        assert await halted(stage) == told
    assert (await view_of(stage, ADOPTED)).asset.sequence == 0

    assert (await xstocks(stage, *vouch(ADOPTED, people=("ana",)))).code == 2
    said = await xstocks(stage, *vouch(ADOPTED, EARLY))
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        f"adopted: {ADOPTED} from sequence 0 on; `xstocks halts clear {ADOPTED}` lets the daemon work on it\n"
        f"adopted: {EARLY} from sequence 1 on\n"
    )
    assert (await xstocks(stage, "halts", "clear", ADOPTED)).code == 0
    await run_until_on_target(stage)
    after = await view_of(stage, ADOPTED)
    assert after.mint.supply_raw == wanted_raw(stage, ADOPTED)
    assert after.asset.sequence == 1
    assert after.asset.minted_raw == after.vault_raw == after.mint.supply_raw - adopted_raw > 0
    assert after.holder_burnt_raw == 0
    assert await halts(stage) == []


@pytest.mark.parametrize("point", [None, CrashPoint.AFTER_FIRST_SEND], ids=["running", "killed"])
@pytest.mark.parametrize("shares", [3, -2], ids=["rise", "fall"])
async def test_it_follows_its_custody_exactly_once(stage: World, shares: int, point: CrashPoint | None) -> None:
    """Also where the daemon is killed with a sent transaction that it has not seen land."""
    before, asset = await view_of(stage, ADOPTED), stage.deployment.asset(ADOPTED)
    change = stage.custody.deposit if shares > 0 else stage.custody.mark_leaving
    await asyncio.to_thread(change, asset, abs(shares) * NANO_PER_SHARE)
    if point is not None:
        async with stage.daemon(environment={ENV_NAME: point.value}) as daemon, asyncio.timeout(300):
            assert await daemon.process.wait() == -signal.SIGKILL, daemon.tail()
    await run_until_on_target(stage)
    after = await view_of(stage, ADOPTED)
    assert after.mint.supply_raw == wanted_raw(stage, ADOPTED)
    assert after.asset.sequence == before.asset.sequence + 1
    minted_raw = after.asset.minted_raw - before.asset.minted_raw
    burnt_raw = after.asset.burnt_raw - before.asset.burnt_raw
    difference_raw = after.mint.supply_raw - before.mint.supply_raw
    assert (minted_raw, burnt_raw) == ((difference_raw, 0) if shares > 0 else (0, -difference_raw))
    assert after.vault_raw == before.vault_raw + difference_raw
    assert minted_raw + burnt_raw > 0
    assert (after.holder_burnt_raw, await halts(stage)) == (0, [])


async def test_a_fall_below_what_it_came_with_burns_the_inventory_and_nobodys_tokens(stage: World) -> None:
    before, asset = await view_of(stage, ADOPTED), stage.deployment.asset(ADOPTED)
    await asyncio.to_thread(stage.custody.mark_leaving, asset, ROOM_NANO + 9 * NANO_PER_SHARE)
    wanted = wanted_raw(stage, ADOPTED)
    assert wanted < before.asset.adopted_raw < before.mint.supply_raw

    async def short() -> Any:
        said = await xstocks(stage, "plan", "--json")
        [line] = [line for line in json.loads(said.out)["assets"] if line["symbol"] == ADOPTED]
        return line if line["reason"] == "shortfall" else None

    async with stage.daemon():
        line = await until(short, "nothing left to be burnt")
    after = await view_of(stage, ADOPTED)
    assert after.asset.sequence == before.asset.sequence + 1
    assert after.mint.supply_raw == before.mint.supply_raw - before.vault_raw == before.asset.adopted_raw
    assert (line["action"], line["shortfall_raw"]) == ("none", str(before.asset.adopted_raw - wanted))
