"""Orders and redemptions against a real chain and real sidecars: each one waits for itself alone.

Each test has assets of its own, and leaves all on target, so their order does not matter.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from solders.system_program import TransferParams, transfer

from localnet.harness.keys import generate_key
from localnet.harness.wait import until
from localnet.harness.world import World
from tests.app.staged import acted, assert_tracks_custody, asset_of, deposit, settings_of, staged, view_of
from xstocks_daemon.app.cycle import Cycle
from xstocks_daemon.app.daemon import leased
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import open_runtime
from xstocks_daemon.chain.addresses import associated_token_address, pubkey
from xstocks_daemon.chain.transactions import create_token_account
from xstocks_daemon.domain.decisions import Action, AssetPlan, Reason
from xstocks_daemon.domain.intent import IntentState
from xstocks_daemon.domain.plan_inputs import Order, totals_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOLS = ("AAOIx", "ANETx")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A localnet with every asset on target."""
    async with staged(SYMBOLS, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


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
        address = client.addresses.custodian(stage.deployment.custodians[str(asset.row.custodian)].id)
        await stage.custody.accept_redemption(asset, redemption)
        settle = client.settle_redemption(operator=operator, custodian=address, mint=mint, redemption=redemption)
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
    await acted(stage, "compliance", client.thaw(authority=compliance, mint=mint, account=account))
    async with open_runtime(settings) as runtime, leased(runtime):
        cycle = Cycle(runtime, Metrics(runtime.custodians.values()))

        async def served() -> bool:
            await cycle.run()
            return not (await runtime.journal.view()).orders

        await until(served, "the order of who was frozen")
    await assert_tracks_custody(stage, "ANETx")
