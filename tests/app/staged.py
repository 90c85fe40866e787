"""A localnet with sidecars and journal for the embedded cycle's tests, and what they ask and do there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from solders.instruction import Instruction

from localnet.catalogue.reader import load_catalogue
from localnet.harness.custody import backed_raw
from localnet.harness.deploy import DeployedAsset
from localnet.harness.keys import Key
from localnet.harness.wait import until
from localnet.harness.world import World, world
from tests.support.forked import forked
from xstocks_daemon.app.cycle import Cycle
from xstocks_daemon.app.daemon import leased, run_daemon
from xstocks_daemon.app.intent_transactions import IntentTransactionBuilder
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import Runtime, open_runtime
from xstocks_daemon.app.settings import Settings, load_settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.lookup_tables import LookupTableSet
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.sender import send_and_confirm
from xstocks_daemon.chain.transactions import SignFunction
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import LiveIntent
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, ceiling_raw
from xstocks_daemon.domain.units import NANO_PER_SHARE, Address


@asynccontextmanager
async def unminted(symbols: Collection[str], folder: Path) -> AsyncIterator[World]:
    """A localnet of `symbols` with nothing minted yet."""
    rows = [row for row in load_catalogue() if row.symbol in symbols]
    async with world("embedded", rows, folder, launch=forked) as stage:
        yield stage


@asynccontextmanager
async def staged(symbols: Collection[str], folder: Path) -> AsyncIterator[World]:
    """A localnet of `symbols` with every asset on target."""
    async with unminted(symbols, folder) as stage:
        async with asyncio.timeout(120):
            await run_daemon(settings_of(stage), until_on_target=True)
        yield stage


def settings_of(stage: World, **changes: object) -> Settings:
    """The stage's settings; an entry that failed is tried again soon."""
    settings = load_settings(stage.settings_path)
    quick = settings.timing.model_copy(update={"quarantine_secs": 1.0, "cycle_secs": 0.2})
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
    await asyncio.to_thread(stage.custody.deposit, asset_of(stage, symbol), 3 * NANO_PER_SHARE)


async def assert_tracks_custody(stage: World, symbol: str) -> AssetView:
    view, book = await view_of(stage, symbol), stage.custody.record(asset_of(stage, symbol))
    assert book is not None
    assert view.mint.supply_raw == backed_raw(book) > 0
    return view


@dataclass(frozen=True)
class OpenedCycle:
    """A live cycle opened up: what it works with, at a moment where every custodian's newest word is on chain."""

    runtime: Runtime
    cycle: Cycle
    snapshot: ChainSnapshot
    book: LookupTableSet

    async def intend(self, symbol: str, stage: World, above_raw: int = 0) -> LiveIntent:
        """Journal a mint up to the ceiling, or above it."""
        mint = asset_of(stage, symbol).mint
        view = self.snapshot.assets[mint]
        amount_raw = ceiling_raw(view, self.snapshot.custodians, self.snapshot.now_ts) - view.mint.supply_raw
        intent = Intent(IntentKind.MINT, mint, view.asset.sequence, amount_raw + above_raw, view.asset.vault)
        (live,) = await self.runtime.journal.record_intents([intent])
        return live

    async def sign_without_sending(self, *batch: LiveIntent) -> bytes:
        """Journal an attempt as a daemon does that dies before it sends; gives its signature."""
        assert self.cycle._operator is not None
        attempts = self.cycle._operator.attempts
        carried = IntentTransactionBuilder(attempts._transactions, attempts._genesis_hash, self.snapshot, self.book, {})
        return (await attempts._sign(carried, batch, await carried.simulate(batch))).signature


@asynccontextmanager
async def opened_cycle(stage: World, *symbols: str) -> AsyncIterator[OpenedCycle]:
    """The lease, and statements of `symbols` with a new deposit on chain, nothing minted on them."""
    for symbol in symbols:
        await deposit(stage, symbol)
    async with open_runtime(settings_of(stage)) as runtime, leased(runtime):
        cycle = Cycle(runtime, Metrics(runtime.custodians.values()))
        assert cycle._operator is not None
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
        yield OpenedCycle(runtime, cycle, snapshot, await cycle._operator.tables.ensure(snapshot))


async def outcomes_of(stage: World, symbol: str, sequence: int) -> list[tuple[AttemptState, Mapping[str, int | str]]]:
    async with open_runtime(settings_of(stage)) as runtime:
        records = await runtime.journal.all_attempts_for(asset_of(stage, symbol).mint, sequence)
        return [(attempt.state, attempt.evidence) for attempt, _ in records]


async def act(stage: World, role: str, build: Callable[[Address], Instruction]) -> None:
    """One instruction by the key of a role, finalized."""
    await acted(stage, role, build(getattr(stage.deployment.keys, role).address))


async def acted(stage: World, role: str, *instructions: Instruction, also: Key | None = None) -> None:
    """One transaction, finalized; the key of a role pays and signs, and `also`."""
    payer = getattr(stage.deployment.keys, role)

    def signing(key: Key) -> SignFunction:
        async def sign(message: bytes) -> bytes:
            return bytes(key.keypair.sign_message(message))

        return sign

    async with RpcPool([stage.chain.rpc_url]) as pool:
        await send_and_confirm(
            pool,
            stage.client,
            payer=payer.address,
            instructions=instructions,
            signers={key.address: signing(key) for key in (payer, also) if key is not None},
            commitment="finalized",
        )
