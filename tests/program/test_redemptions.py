"""Redemptions: tokens wait in the redemption vault; settled they are burnt and one custodian owes the shares (M6);
rejected or cancelled they go back. Each ends once, in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from tests.program.redemption_calls import but_account, waiting, waiting_raw
from tests.program.test_distribute import setting
from tests.program.test_freeze import freezing, thawing
from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of, call
from tests.support.redeeming import Request, fresh_id, participant_with, requested
from xstocks_daemon.chain.addresses import TOKEN_2022, pubkey
from xstocks_daemon.chain.mint_layout import DECIMALS
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.snapshot import RedemptionState
from xstocks_daemon.domain.units import Address

#: The three ends of a redemption: the call, the state, the event.
ENDS: dict[str, tuple[Callable[[Request], Call], RedemptionState, str]] = {
    "settle": (Request.settle_call, RedemptionState.SETTLED, "RedemptionSettled"),
    "reject": (Request.reject_call, RedemptionState.REJECTED, "RedemptionRejected"),
    "cancel": (Request.cancel_call, RedemptionState.CANCELLED, "RedemptionCancelled"),
}


# ---- what they do ---------------------------------------------------------------------------------------------------


async def test_a_request_brings_tokens_into_the_redemption_vault(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = Request(asset, await participant_with(asset, 1_000))
    before = await asset.read()
    now_ts = await program.chain.clock_ts()
    [event] = await program.accepted(request.request_call(400))
    assert event.name == "RedemptionRequested"
    assert event.fields == {
        "mint": asset.mint,
        "redemption": request.address,
        "id": request.id,
        "wallet": request.owner,
        "source": request.account,
        "amount_raw": 400,
    }
    redemption = await request.read()
    assert redemption.requested_ts >= now_ts
    assert (redemption.state, redemption.closed_ts, redemption.custodian) == (RedemptionState.REQUESTED, None, None)
    assert (redemption.id, redemption.mint, redemption.wallet) == (request.id, asset.mint, request.owner)
    assert (redemption.source, redemption.amount_raw) == (request.account, 400)
    assert (await asset.balance_raw(request.account), await waiting_raw(asset)) == (600, 400)
    # Nothing is burnt or owed yet.
    assert (await asset.supply_raw(), await asset.read()) == (1_000, replace(before, open_redemptions=1))


async def test_settling_burns_the_tokens_and_one_custodian_owes_the_shares(
    program: DeployedProgram, asset: Asset
) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    before = await asset.read()
    [event] = await program.accepted(request.settle_call())
    assert event.name == "RedemptionSettled"
    assert event.fields == {
        "mint": asset.mint,
        "redemption": request.address,
        "id": request.id,
        "wallet": request.owner,
        "custodian": program.custodian().address,
        "amount_raw": 400,
        "supply_raw": 0,
        "redeemed_total_raw": 400,
    }
    redemption = await request.read()
    assert (redemption.state, redemption.custodian) == (RedemptionState.SETTLED, program.custodian().address)
    assert redemption.closed_ts is not None
    assert redemption.closed_ts >= redemption.requested_ts
    assert (await asset.supply_raw(), await waiting_raw(asset)) == (0, 0)
    after = await asset.read()
    own = before.entries[0]
    assert own.custodian == program.custodian().address
    # Only these two numbers and the bucket of burns moved: no sequence, no other bucket, no statement.
    redeemed = replace(own, redeemed_total_raw=400)
    entries = (redeemed, *before.entries[1:])
    burnt = replace(before, burnt_raw=400, burn_bucket=after.burn_bucket, open_redemptions=0, entries=entries)
    assert after == burnt
    assert (after.redeemed_raw, redeemed.unseen_raw) == (400, 400)


@pytest.mark.parametrize("end", ["reject", "cancel"])
async def test_rejected_or_cancelled_the_tokens_go_back(program: DeployedProgram, asset: Asset, end: str) -> None:
    act, state, name = ENDS[end]
    await asset.attest(1_000)
    request = await requested(asset, 400)
    before = await asset.read()
    [event] = await program.accepted(act(request))
    assert event.name == name
    assert event.fields == {
        "mint": asset.mint,
        "redemption": request.address,
        "id": request.id,
        "wallet": request.owner,
        "destination": request.account,
        "amount_raw": 400,
    }
    redemption = await request.read()
    # Who had accepted it stays to be read.
    assert (redemption.state, redemption.custodian) == (state, program.custodian().address)
    assert redemption.closed_ts is not None
    assert (await asset.balance_raw(request.account), await waiting_raw(asset)) == (400, 0)
    assert (await asset.supply_raw(), await asset.read()) == (400, replace(before, open_redemptions=0))


# ---- no double claim ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ENDS)
async def test_a_redemption_ends_once(program: DeployedProgram, asset: Asset, end: str) -> None:
    """Another one's tokens wait in the same vault: they are what a second claim would be paid with."""
    await asset.attest(1_000)
    request, other = await requested(asset, 400), await requested(asset, 400)
    first = ENDS[end][0]
    await program.accepted(first(request))
    assert await waiting_raw(asset) == 400
    for again, _state, _event in ENDS.values():
        await program.refused(again(request), ErrorCode.RedemptionClosed)
        assert (await program.chain.simulate(again(other))).err is None
    # Nor in one transaction.
    twice = first(other)
    await program.refused(twice + twice, ErrorCode.RedemptionClosed)
    await program.accepted(twice)


async def test_a_number_is_used_once_by_anybody(program: DeployedProgram, pool: AssetPool) -> None:
    asset, elsewhere = await pool.take(), await pool.take()
    for each in (asset, elsewhere):
        await each.attest(1_000)
    request = await requested(asset, 400)
    rival = Request(asset, await participant_with(asset, 400), request.id)
    same = Request(asset, request.wallet, request.id)
    await program.accepted(await asset.mint_call(100))
    await program.accepted(await asset.distribute_call(100, request.wallet))
    for taken in (rival, same):
        await program.refused(taken.request_call(1), ErrorCode.AlreadyInitialized)
    await program.accepted(request.cancel_call())
    for taken in (rival, same):
        await program.refused(taken.request_call(1), ErrorCode.AlreadyInitialized)
    # Another number, and the same number of another mint, are free.
    await program.accepted(replace(rival, id=fresh_id()).request_call(1))
    await program.accepted(Request(elsewhere, await participant_with(elsewhere, 1), request.id).request_call(1))


@pytest.mark.parametrize("lamports", [1_000_000, 10**10], ids=["under-funded", "over-funded"])
async def test_a_prefunded_record_address_blocks_nothing(program: DeployedProgram, asset: Asset, lamports: int) -> None:
    await asset.attest(100)
    request = Request(asset, await participant_with(asset, 100))
    await program.chain.fund(request.address, lamports=lamports)
    await program.accepted(request.request_call(100))
    assert (await request.read()).amount_raw == 100


async def test_request_and_end_fit_one_transaction(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    wallet = await participant_with(asset, 400)
    one, two = Request(asset, wallet), Request(asset, wallet)
    await program.accepted(one.request_call(400) + one.cancel_call())
    await program.accepted(two.request_call(400) + two.accept_call() + two.settle_call())
    assert (await one.read()).state is RedemptionState.CANCELLED
    assert (await two.read()).state is RedemptionState.SETTLED
    assert (await asset.supply_raw(), await waiting_raw(asset)) == (0, 0)


# ---- who and what ---------------------------------------------------------------------------------------------------


async def test_an_amount_is_above_zero_and_at_most_the_balance(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = Request(asset, await participant_with(asset, 400))
    await program.refused(request.request_call(0), ErrorCode.AmountZero)
    for amount_raw in (401, 2**64 - 1):
        await program.refused(request.request_call(amount_raw), ErrorCode.SourceTooLow)
    await program.accepted(request.request_call(400))


async def test_only_an_active_participant_requests(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = Request(asset, await participant_with(asset, 400))
    later_ts = await program.chain.clock_ts() + 10_000
    stranger = Keypair()
    account = await asset.open_account(address_of(stranger))
    await program.chain.fund(address_of(stranger))
    paid = transfer_tokens(
        source=request.account,
        mint=asset.mint,
        destination=account,
        owner=request.owner,
        amount_raw=100,
        decimals=DECIMALS,
    )
    await program.accepted(call(paid, request.wallet))
    of_stranger = Request(asset, stranger)
    await program.refused(of_stranger.request_call(100), ErrorCode.AccountNotInitialized)
    borrowed = but_account(
        of_stranger.request_call(100), "request_redemption", "participant", program.addresses.participant(request.owner)
    )
    await program.refused(borrowed, ErrorCode.ParticipantMismatch)
    await program.accepted(setting(program, stranger, later_ts, state=0))
    await program.refused(of_stranger.request_call(100), ErrorCode.ParticipantInactive)
    await program.accepted(setting(program, stranger, later_ts))
    await program.accepted(of_stranger.request_call(100))


@pytest.mark.embedded_only
async def test_an_expired_participant_cancels_but_does_not_request(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    wallet = await participant_with(asset, 400, expires_in_secs=1_000)
    expires_ts = await program.chain.clock_ts() + 1_000
    await program.accepted(setting(program, wallet, expires_ts))
    before, late = Request(asset, wallet), Request(asset, wallet)
    await program.chain.clock_reaches(expires_ts - 5)
    await program.accepted(before.request_call(300))
    await program.chain.clock_reaches(expires_ts)
    await program.refused(late.request_call(100), ErrorCode.ParticipantExpired)
    await program.accepted(before.cancel_call())
    assert await asset.balance_raw(before.account) == 400
    await program.accepted(setting(program, wallet, expires_ts + 10_000))
    await program.accepted(late.request_call(100))


async def test_a_removed_participant_still_gets_its_tokens_back(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await program.accepted(setting(program, request.wallet, await program.chain.clock_ts() + 10_000, state=0))
    await program.accepted(request.cancel_call())
    assert await asset.balance_raw(request.account) == 400


async def test_only_the_wallet_that_requested_cancels(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request, thief = await requested(asset, 400), await participant_with(asset, 0)
    stolen = program.client.cancel_redemption(
        wallet=address_of(thief),
        mint=asset.mint,
        redemption=request.address,
        destination=asset.token_account(address_of(thief)),
    )
    await program.refused(call(stolen, thief), ErrorCode.NotRedeemer)
    await program.accepted(request.cancel_call())


async def test_the_source_is_the_wallets_own_account_of_this_mint(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await pool.take(), await pool.take()
    for each in (asset, other):
        await each.attest(1_000)
    request = Request(asset, await participant_with(asset, 400))
    victim = await participant_with(asset, 400)
    elsewhere = await other.open_account(request.owner)
    wrong = {
        asset.token_account(address_of(victim)): ErrorCode.SourceOwnerMismatch,
        elsewhere: ErrorCode.SourceInvalid,
        asset.token_account(address_of(Keypair())): ErrorCode.SourceInvalid,
        asset.mint: ErrorCode.SourceInvalid,
        asset.address: ErrorCode.SourceInvalid,
        asset.vault: ErrorCode.SourceIsVault,
        waiting(asset): ErrorCode.SourceIsVault,
        other.vault: ErrorCode.SourceInvalid,
    }
    for source, error in wrong.items():
        await program.refused(request.request_call(1, source=source), error)
    await program.accepted(request.request_call(1))


async def test_a_frozen_source_redeems_nothing(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = Request(asset, await participant_with(asset, 400))
    await program.accepted(program.by("compliance", freezing(program, asset, request.account)))
    await program.refused(request.request_call(400), ErrorCode.SourceInvalid)
    await program.accepted(program.by("compliance", thawing(program, asset, request.account)))
    await program.accepted(request.request_call(400))


async def test_the_destination_is_the_wallets_own_account_of_this_mint(
    program: DeployedProgram, pool: AssetPool
) -> None:
    asset, other = await pool.take(), await pool.take()
    await asset.attest(1_000)
    request, rival = await requested(asset, 400), await participant_with(asset, 0)
    elsewhere = await other.open_account(request.owner)
    wrong = {
        asset.token_account(address_of(rival)): ErrorCode.DestinationOwnerMismatch,
        asset.token_account(program.keys.operator.address): ErrorCode.DestinationInvalid,
        elsewhere: ErrorCode.DestinationInvalid,
        asset.mint: ErrorCode.DestinationInvalid,
        asset.address: ErrorCode.DestinationInvalid,
        asset.vault: ErrorCode.DestinationIsVault,
        waiting(asset): ErrorCode.DestinationIsVault,
        other.vault: ErrorCode.DestinationInvalid,
    }
    for destination, error in wrong.items():
        await program.refused(request.cancel_call(destination=destination), error)
        await program.refused(request.reject_call(destination=destination), error)
    await program.accepted(request.reject_call())


async def test_a_frozen_account_gets_nothing_back(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await program.accepted(program.by("compliance", freezing(program, asset, request.account)))
    await program.refused(request.cancel_call(), ErrorCode.DestinationInvalid)
    await program.refused(request.reject_call(), ErrorCode.DestinationInvalid)
    await program.accepted(program.by("compliance", thawing(program, asset, request.account)))
    await program.accepted(request.cancel_call())


def closing(account: Address, owner: Keypair) -> Call:
    """Token-2022 CloseAccount; the rent goes to the owner."""
    metas = [
        AccountMeta(pubkey(account), is_signer=False, is_writable=True),
        AccountMeta(owner.pubkey(), is_signer=False, is_writable=True),
        AccountMeta(owner.pubkey(), is_signer=True, is_writable=False),
    ]
    return call(Instruction(pubkey(TOKEN_2022), bytes([9]), metas), owner)


@pytest.mark.parametrize("end", ["reject", "cancel"])
async def test_a_participant_that_closed_its_account_opens_another(
    program: DeployedProgram, asset: Asset, end: str
) -> None:
    act = {"reject": Request.reject_call, "cancel": Request.cancel_call}[end]
    await asset.attest(1_000)
    request = await requested(asset, 400)
    other = await asset.open_another(request.wallet)
    await program.chain.accepted(closing(request.account, request.wallet))
    await program.refused(act(request), ErrorCode.DestinationInvalid)
    await program.refused(act(request, destination=other), ErrorCode.RefundNeedsParticipant)
    await program.accepted(act(request, destination=other, listed=True))
    assert await asset.balance_raw(other) == 400


@pytest.mark.parametrize("end", ["reject", "cancel"])
async def test_a_wallet_that_was_delisted_gets_its_tokens_only_where_they_came_from(
    program: DeployedProgram, asset: Asset, end: str
) -> None:
    """Frozen and delisted, it would else have them in another account of its own."""
    name, act = {
        "reject": ("reject_redemption", Request.reject_call),
        "cancel": ("cancel_redemption", Request.cancel_call),
    }[end]
    await asset.attest(1_000)
    request = await requested(asset, 400)
    other, friend = await asset.open_another(request.wallet), await participant_with(asset, 0)
    later_ts = await program.chain.clock_ts() + 10_000
    await program.accepted(program.by("compliance", freezing(program, asset, request.account)))
    await program.accepted(setting(program, request.wallet, later_ts, state=0))
    elsewhere = act(request, destination=other, listed=True)
    await program.refused(act(request), ErrorCode.DestinationInvalid)
    await program.refused(act(request, destination=other), ErrorCode.RefundNeedsParticipant)
    await program.refused(elsewhere, ErrorCode.ParticipantInactive)
    friends = but_account(elsewhere, name, "participant", program.addresses.participant(address_of(friend)))
    await program.refused(friends, ErrorCode.ParticipantMismatch)
    assert (await asset.balance_raw(other), await waiting_raw(asset)) == (0, 400)
    # Listed again it may; and thawed, delisted or not, they go back.
    await program.accepted(setting(program, request.wallet, later_ts))
    assert (await program.chain.simulate(elsewhere)).err is None
    await program.accepted(setting(program, request.wallet, later_ts, state=0))
    await program.accepted(program.by("compliance", thawing(program, asset, request.account)))
    await program.accepted(act(request))
    assert await asset.balance_raw(request.account) == 400


async def test_tokens_that_strayed_into_the_vault_are_nobodys_claim(program: DeployedProgram, asset: Asset) -> None:
    """Anybody may send there by a plain transfer; a redemption is worth what was requested, no more."""
    await asset.attest(1_000)
    request = Request(asset, await participant_with(asset, 500))
    await program.accepted(request.request_call(300))
    stray = transfer_tokens(
        source=request.account,
        mint=asset.mint,
        destination=waiting(asset),
        owner=request.owner,
        amount_raw=200,
        decimals=DECIMALS,
    )
    await program.chain.accepted(call(stray, request.wallet))
    await program.accepted(request.cancel_call())
    assert (await asset.balance_raw(request.account), await waiting_raw(asset)) == (300, 200)
    again = replace(request, id=fresh_id())
    await program.accepted(again.request_call(300) + again.accept_call())
    await program.accepted(again.settle_call())
    assert (await asset.supply_raw(), await waiting_raw(asset)) == (200, 200)
