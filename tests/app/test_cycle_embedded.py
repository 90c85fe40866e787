"""Cycles against a real chain and real sidecars: exactly once over restarts, and one bad entry stops nobody else.

Each test has an asset of its own, and leaves all on target; one that begins with nothing minted, or leaves an asset
halted, has a localnet of its own. So their order does not matter.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from solders.instruction import Instruction
from solders.system_program import TransferParams, transfer

from localnet.catalogue.reader import load_catalogue
from localnet.harness.custody import backed_raw
from localnet.harness.deploy import DeployedAsset
from localnet.harness.keys import Key, generate_key
from localnet.harness.wait import until
from localnet.harness.world import World, world
from xstocks_daemon.app.cycle import Cycle
from xstocks_daemon.app.daemon import leased, run_daemon
from xstocks_daemon.app.intent_transactions import IntentTransactionBuilder
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import Runtime, as_user_error, open_runtime
from xstocks_daemon.app.settings import Settings, load_settings
from xstocks_daemon.chain.addresses import associated_token_address, base58, pubkey
from xstocks_daemon.chain.errors import ChainDisagreement
from xstocks_daemon.chain.lookup_tables import LookupTableSet
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.sender import send_and_confirm
from xstocks_daemon.chain.transactions import SignFunction, create_token_account
from xstocks_daemon.cli.queries import status_of
from xstocks_daemon.domain.decisions import Action, AssetPlan, Reason
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import HaltReason, LiveIntent, Order, totals_of
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, Scope, ceiling_raw
from xstocks_daemon.domain.units import MICRO_PER_SHARE, MILLIS_PER_SEC, Address
from xstocks_daemon.errors import OperationError

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOLS = ("AAPLx", "AMDx", "ABTx", "ADBEx", "AMATx", "AAOIx", "ABBVx", "ACNx", "ANETx", "ALABx")
FRESH_SYMBOLS = ("ACNx", "ALABx")
BEYOND_EVERY_WINDOW_SLOTS = 400  # 150 blocks of validity, 150 of margin, and some


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A localnet with every asset on target."""
    rows = [row for row in load_catalogue() if row.symbol in SYMBOLS]
    async with world("embedded", rows, tmp_path_factory.mktemp("cycle")) as stage:
        async with asyncio.timeout(120):
            await run_daemon(settings_of(stage), until_on_target=True)
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(tmp_path: Path) -> AsyncIterator[World]:
    """A localnet for one test, with nothing minted yet."""
    rows = [row for row in load_catalogue() if row.symbol in FRESH_SYMBOLS]
    async with world("embedded", rows, tmp_path) as stage:
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
async def bench(stage: World, *symbols: str) -> AsyncIterator[Bench]:
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
        yield Bench(runtime, cycle, snapshot, await cycle._operator.tables.ensure(snapshot))


async def outcomes_of(stage: World, symbol: str, sequence: int) -> list[tuple[AttemptState, Mapping[str, int | str]]]:
    async with open_runtime(settings_of(stage)) as runtime:
        records = await runtime.journal.all_attempts_for(asset_of(stage, symbol).mint, sequence)
        return [(attempt.state, attempt.evidence) for attempt, _ in records]


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


async def test_the_daemon_brings_every_asset_into_line(fresh: World) -> None:
    told: list[tuple[int, int]] = []
    async with asyncio.timeout(120):
        await run_daemon(settings_of(fresh), until_on_target=True, progress=lambda *numbers: told.append(numbers))
    for symbol in FRESH_SYMBOLS:
        view = await assert_tracks_custody(fresh, symbol)
        assert view.asset.sequence == 1
    assert told[-1] == (len(FRESH_SYMBOLS), len(FRESH_SYMBOLS))


async def test_an_entry_that_fails_is_quarantined_and_the_rest_goes_on(stage: World) -> None:
    async with bench(stage, "AAPLx") as opened:
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


async def test_a_restart_sends_the_same_bytes(stage: World) -> None:
    async with bench(stage, "ABTx") as opened:
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
    async with bench(stage, "ADBEx") as opened:
        live = await opened.intend("ADBEx", stage)
        await opened.sign_without_sending(live)
        ((attempt, _),) = await opened.runtime.journal.all_attempts_for(live.intent.mint, live.intent.sequence)
        await opened.runtime.pool.endpoints[0].send(attempt.attempt.wire)

        async def landed() -> bool:
            return (await view_of(stage, "ADBEx")).asset.sequence == live.intent.sequence + 1

        await until(landed, "the mint on the finalized chain")
        await asyncio.to_thread(stage.custody.mark_leaving, asset_of(stage, "ADBEx"), MICRO_PER_SHARE)

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
    async with bench(stage, "ADBEx") as opened:
        live = await opened.intend("ADBEx", stage)
        await opened.sign_without_sending(live)
    await stage.chain.advance_slots(BEYOND_EVERY_WINDOW_SLOTS)
    async with asyncio.timeout(120):
        await run_daemon(settings_of(stage), until_on_target=True)
    view = await assert_tracks_custody(stage, "ADBEx")
    assert view.asset.sequence == live.intent.sequence + 1
    dead, landed = await outcomes_of(stage, "ADBEx", live.intent.sequence)
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
    async with bench(stage, "AAOIx", "ABBVx") as opened:
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


async def test_a_settled_redemption_is_explained_and_minted_again_by_nobody(stage: World) -> None:
    """M6, M12: the operator's key settles outside of the journal; the daemon goes on, and mints nothing for it."""
    asset, client, keys = asset_of(stage, "AAOIx"), stage.client, stage.deployment.keys
    mint, participant, amount_raw = asset.mint, generate_key(stage.folder / "keys", "redeemer"), 10**8
    wallet, operator = participant.address, keys.operator.address
    account = associated_token_address(wallet, mint)
    on_the_list = client.set_participant(
        registrar=keys.registrar.address, wallet=wallet, active=True, expires_ts=2**40, country="CH"
    )
    await acted(stage, "registrar", on_the_list)
    rent = TransferParams(from_pubkey=pubkey(keys.admin.address), to_pubkey=pubkey(wallet), lamports=10**8)
    await acted(stage, "admin", transfer(rent))
    before = await view_of(stage, "AAOIx")
    async with open_runtime(settings_of(stage)) as runtime, leased(runtime):
        cycle = Cycle(runtime, Metrics(runtime.custodians.values()))
        await runtime.journal.place_order(Order(uuid.uuid4().bytes, mint, amount_raw, wallet, account), "a person")

        async def served() -> bool:
            await cycle.run()
            return (await view_of(stage, "AAOIx")).asset.distributed_raw == before.asset.distributed_raw + amount_raw

        await until(served, "the participant's tokens")

        async def line(done: Callable[[AssetPlan], bool], what: str) -> AssetPlan:
            async def decided() -> AssetPlan | None:
                (found,) = [line for line in (await cycle.run()).plan.assets if line.mint == mint]
                return found if done(found) else None

            return await until(decided, what)

        redemption = client.addresses.redemption(mint, bytes(16))
        request = client.request_redemption(
            wallet=wallet, source=account, mint=mint, redemption_id=bytes(16), amount_raw=amount_raw
        )
        await acted(stage, "admin", request, also=participant)
        settle = client.settle_redemption(
            operator=operator,
            custodian=client.addresses.custodian(stage.deployment.custodians[str(asset.row.custodian)].id),
            mint=mint,
            redemption=redemption,
        )
        await acted(stage, "operator", settle)
        ceiling = before.mint.supply_raw - amount_raw
        told = await line(lambda one: one.supply_raw == ceiling, "the redemption in the plan")
        assert (told.reason, told.action, told.ceiling_raw, told.holder_burnt_raw) == (
            Reason.ON_TARGET, Action.NONE, ceiling, 0,
        )  # fmt: skip
        # The custodian counts it and keeps the shares apart: the same ceiling, by another sum.
        await asyncio.to_thread(stage.custody.count_redemptions, asset, amount_raw)

        async def counted() -> bool:
            report = await cycle.run()
            assert not report.plan.halts
            (entry,) = (await view_of(stage, "AAOIx")).asset.entries
            return entry.redeemed_seen_raw == amount_raw

        await until(counted, "the custodian's count on chain")
        assert (await runtime.journal.expected(mint)).halt is None
        assert (await runtime.journal.expected(mint)).holder_burnt_raw == 0
    after = await assert_tracks_custody(stage, "AAOIx")
    assert (after.mint.supply_raw, after.holder_burnt_raw) == (ceiling, 0)
    assert totals_of(after.asset).burnt_raw == totals_of(before.asset).burnt_raw
    assert after.asset.burnt_raw == before.asset.burnt_raw + amount_raw


async def test_a_receiver_that_refuses_keeps_nobody_waiting_but_itself(stage: World) -> None:
    """Its token account is frozen (or wants memos, or is another one's by now): the other orders and the minting of the
    asset go on, and its own order is served once it can be."""
    asset, client, keys = asset_of(stage, "ANETx"), stage.client, stage.deployment.keys
    mint, amount_raw, compliance = asset.mint, 10**8, keys.compliance.address
    refusing, other = (generate_key(stage.folder / "keys", name).address for name in ("refusing", "other"))
    for wallet in (refusing, other):
        on_the_list = client.set_participant(
            registrar=keys.registrar.address, wallet=wallet, active=True, expires_ts=2**40, country="CH"
        )
        await acted(stage, "registrar", on_the_list)
    account = associated_token_address(refusing, mint)
    fees = TransferParams(from_pubkey=pubkey(keys.admin.address), to_pubkey=pubkey(compliance), lamports=10**8)
    await acted(stage, "admin", create_token_account(keys.admin.address, refusing, mint), transfer(fees))
    await acted(stage, "compliance", client.freeze(compliance=compliance, mint=mint, account=account))
    before = await view_of(stage, "ANETx")
    await deposit(stage, "ANETx")
    settings = settings_of(stage)
    slow = settings.model_copy(update={"timing": settings.timing.model_copy(update={"quarantine_secs": 3_600.0})})
    async with open_runtime(slow) as runtime, leased(runtime):
        cycle = Cycle(runtime, Metrics(runtime.custodians.values()))
        orders = [
            Order(uuid.uuid4().bytes, mint, amount_raw, wallet, associated_token_address(wallet, mint))
            for wallet in (refusing, other)
        ]
        for order in orders:
            await runtime.journal.place_order(order, "a person")

        async def went_on() -> bool:
            await cycle.run()
            now = await view_of(stage, "ANETx")
            return (
                now.asset.distributed_raw == before.asset.distributed_raw + amount_raw
                and now.mint.supply_raw > before.mint.supply_raw
            )

        await until(went_on, "the other order and the minting")
        (open_order,) = (await runtime.journal.view()).orders
        assert open_order == orders[0]
        dropped = await runtime.journal.intents(mint=mint, state=IntentState.DROPPED)
        assert [one.intent.order_id for one in dropped] == [orders[0].order_id]
        assert "DestinationInvalid (6216)" in dropped[0].note
    await acted(stage, "compliance", client.thaw(compliance=compliance, mint=mint, account=account))
    async with open_runtime(settings) as runtime, leased(runtime):
        cycle = Cycle(runtime, Metrics(runtime.custodians.values()))

        async def served() -> bool:
            await cycle.run()
            return not (await runtime.journal.view()).orders

        await until(served, "the order of who was frozen")
    await assert_tracks_custody(stage, "ANETx")


async def test_an_asset_that_the_endpoints_tell_differently_halts_alone(stage: World) -> None:
    mint = asset_of(stage, "AMDx").mint
    async with bench(stage, "ABTx") as opened:
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
        assert all(line.on_target for line in lines)
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
    async with bench(fresh, "ACNx", "ALABx") as opened:
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
