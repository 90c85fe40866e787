"""Redemptions: tokens wait in the redemption vault; settled they are burnt and one custodian owes the shares (M6);
rejected or cancelled they go back. Each ends once, in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from tests.program.test_distribute import setting
from tests.program.test_freeze import freezing, thawing
from tests.program.test_mint_burn import entry_edited, scaled_ui_value
from tests.program.test_retire_release import releasing, retiring
from tests.support.deployed import OTHER_KEEPER, OWN_KEEPER, Asset, AssetPool, DeployedProgram
from tests.support.edit import patched, with_account
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of, call
from tests.support.redeeming import Request, fresh_id, participant_with, requested
from xstocks_daemon.chain.addresses import TOKEN_2022, pubkey
from xstocks_daemon.chain.mint_layout import DECIMALS
from xstocks_daemon.chain.program.idl import load_interface
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.snapshot import AssetState, CustodianState, Hold, RedemptionState, Scope
from xstocks_daemon.domain.units import Address

BOTH = (OWN_KEEPER, OTHER_KEEPER)
TOKEN_2022_MINT_PAUSED = 67

#: Where each account stands in the instructions.
PLACES = {
    name: {role.name: index for index, role in enumerate(roles)}
    for name, roles in load_interface().accounts_of.items()
    if name.endswith("_redemption")
}

#: In an Asset account: discriminator 8, version, bump, decimals, profile.
STATE_AT = 8 + 4
_CUSTODIAN_STATE_AT = 8 + 6
_ENTRY_MULTIPLIER_AT = 88

#: The three ends of a redemption: the call, the state, the event.
ENDS: dict[str, tuple[Callable[[Request], Call], RedemptionState, str]] = {
    "settle": (Request.settle_call, RedemptionState.SETTLED, "RedemptionSettled"),
    "reject": (Request.reject_call, RedemptionState.REJECTED, "RedemptionRejected"),
    "cancel": (Request.cancel_call, RedemptionState.CANCELLED, "RedemptionCancelled"),
}


def but_account(sent: Call, name: str, place: str, address: Address) -> Call:
    """The call of that instruction with another account in one place."""
    [instruction] = sent.instructions
    return sent.but(instructions=(with_account(instruction, PLACES[name][place], address),))


def waiting(asset: Asset) -> Address:
    return asset.program.addresses.redemption_vault(asset.mint)


async def waiting_raw(asset: Asset) -> int:
    return await asset.balance_raw(waiting(asset))


def pausing(program: DeployedProgram, scopes: Scope, mint: Address | None) -> Call:
    return program.by(
        "guardian", program.client.pause(guardian=program.keys.guardian.address, scopes=scopes, mint=mint)
    )


def resuming(program: DeployedProgram, scopes: Scope, mint: Address | None) -> Call:
    return program.by("resumer", program.client.resume(resumer=program.keys.resumer.address, scopes=scopes, mint=mint))


def attaching(asset: Asset, keeper: str, *, attach: bool) -> Call:
    program = asset.program
    build = program.client.attach_custodian if attach else program.client.detach_custodian
    admin = program.keys.admin.address
    return program.by("admin", build(admin=admin, custodian=program.keeper(keeper).address, mint=asset.mint))


def withdrawing(asset: Asset, keeper: str) -> Call:
    program, attester = asset.program, asset.program.quorum(keeper)[1]
    custodian = program.keeper(keeper).address
    instruction = program.client.withdraw_entry(attester=address_of(attester), custodian=custodian, mint=asset.mint)
    return call(instruction, attester)


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
    assert (await asset.supply_raw(), await asset.read()) == (1_000, before)


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
        "custodian": program.keeper().address,
        "amount_raw": 400,
        "supply_raw": 0,
        "redeemed_total_raw": 400,
    }
    redemption = await request.read()
    assert (redemption.state, redemption.custodian) == (RedemptionState.SETTLED, program.keeper().address)
    assert redemption.closed_ts is not None
    assert redemption.closed_ts >= redemption.requested_ts
    assert (await asset.supply_raw(), await waiting_raw(asset)) == (0, 0)
    after = await asset.read()
    own = before.entries[0]
    assert own.custodian == program.keeper().address
    # Only these two numbers moved: no sequence, no bucket, no statement.
    redeemed = replace(own, redeemed_total_raw=400)
    assert after == replace(before, burnt_raw=400, entries=(redeemed, *before.entries[1:]))
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
    assert (redemption.state, redemption.custodian) == (state, None)
    assert redemption.closed_ts is not None
    assert (await asset.balance_raw(request.account), await waiting_raw(asset)) == (400, 0)
    assert (await asset.supply_raw(), await asset.read()) == (400, before)


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
    await program.accepted(two.request_call(400) + two.settle_call())
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
    await program.accepted(act(request, destination=other))
    assert await asset.balance_raw(other) == 400


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
    await program.accepted(again.request_call(300))
    await program.accepted(again.settle_call())
    assert (await asset.supply_raw(), await waiting_raw(asset)) == (200, 200)


# ---- accounts in the place of others --------------------------------------------------------------------------------


async def test_each_takes_its_own_accounts_only(
    program: DeployedProgram, pool: AssetPool, foreign_program: DeployedProgram
) -> None:
    asset, other = await pool.take(), await pool.take()
    for each in (asset, other):
        await each.attest(1_000)
    request, elsewhere = await requested(asset, 400), await requested(other, 400)
    fresh = Request(asset, await participant_with(asset, 100))
    kind = ErrorCode.AccountDiscriminatorMismatch
    shared = {
        ("asset", other.address): ErrorCode.WrongMint,
        ("asset", program.addresses.config): kind,
        ("asset", foreign_program.addresses.config): ErrorCode.AccountOwnedByWrongProgram,
        ("mint", other.mint): ErrorCode.WrongMint,
        ("redemption_vault", waiting(other)): ErrorCode.WrongRedemptionVault,
        ("redemption_vault", asset.vault): ErrorCode.WrongRedemptionVault,
        ("redemption_vault", request.account): ErrorCode.WrongRedemptionVault,
    }
    config = {
        ("config", foreign_program.addresses.config): ErrorCode.AccountOwnedByWrongProgram,
        ("config", asset.address): kind,
    }
    record = {
        ("redemption", elsewhere.address): ErrorCode.RedemptionMismatch,
        ("redemption", asset.address): kind,
        ("redemption", fresh.address): ErrorCode.AccountNotInitialized,
        ("redemption", request.account): ErrorCode.AccountOwnedByWrongProgram,
        ("redemption_authority", program.addresses.redemption_authority(other.mint)): ErrorCode.ConstraintSeeds,
        ("redemption_authority", asset.address): ErrorCode.ConstraintSeeds,
    }
    custodian = {
        ("custodian", foreign_program.keeper().address): ErrorCode.AccountOwnedByWrongProgram,
        ("custodian", asset.address): kind,
        ("custodian", address_of(Keypair())): ErrorCode.AccountNotInitialized,
    }
    new_record = {
        ("redemption", elsewhere.address): ErrorCode.ConstraintSeeds,
        ("redemption", replace(fresh, id=fresh_id()).address): ErrorCode.ConstraintSeeds,
        ("participant", program.addresses.config): kind,
    }
    # A cancel looks at who asks before anything else, so another one's record is refused for that.
    not_asked = {("redemption", elsewhere.address): ErrorCode.NotRedeemer}
    for sent, name, wrong in (
        (fresh.request_call(1), "request_redemption", shared | config | new_record),
        (request.cancel_call(), "cancel_redemption", shared | record | not_asked),
        (request.reject_call(), "reject_redemption", shared | config | record),
        (request.settle_call(), "settle_redemption", shared | config | record | custodian),
    ):
        for (place, address), error in wrong.items():
            await program.refused(but_account(sent, name, place, address), error)
        assert (await program.chain.simulate(sent)).err is None
    await program.accepted(fresh.request_call(1))
    await program.accepted(request.settle_call())


async def test_one_wallets_redemption_of_another_mint_is_not_this_ones(
    program: DeployedProgram, pool: AssetPool
) -> None:
    """The same wallet with a redemption of each mint: a worthless one must not take the other's tokens."""
    asset, other = await pool.take(), await pool.take()
    for each in (asset, other):
        await each.attest(1_000)
    request = await requested(asset, 100)
    rich = await requested(other, 400, wallet=request.wallet)
    mixed = but_account(request.cancel_call(), "cancel_redemption", "redemption", rich.address)
    await program.refused(mixed, ErrorCode.RedemptionMismatch)
    await program.accepted(request.cancel_call())
    await program.accepted(rich.cancel_call())


# ---- pauses and states ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("everywhere", [False, True], ids=["of the asset", "globally"])
async def test_a_pause_of_redemptions_stops_all_but_cancel(own_program: DeployedProgram, everywhere: bool) -> None:
    program = own_program
    [asset] = await program.register()
    await asset.attest(1_000)
    open_ones = [await requested(asset, 100) for _ in range(3)]
    settled, rejected, cancelled = open_ones
    fresh = Request(asset, await participant_with(asset, 100))
    mint = None if everywhere else asset.mint
    await program.accepted(pausing(program, Scope.REDEEM, mint))
    for sent in (fresh.request_call(100), settled.settle_call(), rejected.reject_call()):
        await program.refused(sent, ErrorCode.Paused)
    await program.accepted(cancelled.cancel_call())
    await program.accepted(await asset.mint_call(1))  # nothing else stops
    await program.accepted(resuming(program, Scope.REDEEM, mint))
    for sent in (fresh.request_call(100), settled.settle_call(), rejected.reject_call()):
        await program.accepted(sent)


async def test_a_pause_of_transfers_stops_redemptions_by_token_2022_cancel_too(
    program: DeployedProgram, asset: Asset
) -> None:
    await asset.attest(1_000)
    open_ones = [await requested(asset, 100) for _ in range(3)]
    settled, rejected, cancelled = open_ones
    fresh = Request(asset, await participant_with(asset, 100))
    await program.accepted(pausing(program, Scope.TRANSFERS, asset.mint))
    for sent in (fresh.request_call(100), settled.settle_call(), rejected.reject_call()):
        await program.refused(sent, ErrorCode.Paused)
    # This program lets it through, but while the mint is paused no token moves.
    await program.chain.fails(cancelled.cancel_call(), {"InstructionError": [1, {"Custom": TOKEN_2022_MINT_PAUSED}]})
    await program.accepted(resuming(program, Scope.TRANSFERS, asset.mint))
    for sent in (fresh.request_call(100), settled.settle_call(), rejected.reject_call(), cancelled.cancel_call()):
        await program.accepted(sent)


async def test_a_retired_asset_is_still_redeemed(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    settled, rejected, cancelled = [await requested(asset, 100) for _ in range(3)]
    fresh = Request(asset, await participant_with(asset, 100))
    await program.accepted(retiring(program, asset))
    await program.refused(await asset.mint_call(1), ErrorCode.AssetNotActive)
    for sent in (fresh.request_call(100), settled.settle_call(), rejected.reject_call(), cancelled.cancel_call()):
        await program.accepted(sent)
    assert (await asset.supply_raw(), await waiting_raw(asset)) == (300, 100)
    # The custodian counts it, and the last one is settled on what is left.
    await asset.attest(300, redeemed_seen_raw=100)
    await program.accepted(fresh.settle_call())


@pytest.mark.embedded_only
async def test_a_halted_asset_is_redeemed(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    settled, rejected, cancelled = [await requested(asset, 100) for _ in range(3)]
    fresh = Request(asset, await participant_with(asset, 100))
    await asset.rewrite(STATE_AT, AssetState.HALTED)
    await program.refused(await asset.mint_call(1), ErrorCode.AssetNotActive)
    for sent in (fresh.request_call(100), settled.settle_call(), rejected.reject_call(), cancelled.cancel_call()):
        await program.accepted(sent)


async def test_of_a_released_asset_tokens_only_go_back(program: DeployedProgram, pool: AssetPool) -> None:
    asset, twin = await pool.take(), await pool.take()

    async def requests(asset: Asset) -> list[Request]:
        await asset.attest(1_000)
        return [*[await requested(asset, 100) for _ in range(3)], Request(asset, await participant_with(asset, 100))]

    settled, rejected, cancelled, fresh = await requests(asset)
    await program.accepted(releasing(program, asset, address_of(Keypair())))
    for sent in (fresh.request_call(100), settled.settle_call()):
        await program.refused(sent, ErrorCode.AssetNotActive)
    for sent in (rejected.reject_call(), cancelled.cancel_call()):
        await program.accepted(sent)
    assert await asset.balance_raw(cancelled.account) == 100
    settled, _, _, fresh = await requests(twin)
    for sent in (fresh.request_call(100), settled.settle_call()):
        await program.accepted(sent)


async def test_a_hold_stops_minting_and_not_redeeming(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await asset.attest(100_000)
    assert (await asset.read()).holds == Hold.RISE
    await program.refused(await asset.mint_call(1), ErrorCode.OnHold)
    await program.accepted(request.settle_call())


# ---- whom a redemption may be blamed on -----------------------------------------------------------------------------


async def settles_only_on_the_other(request: Request) -> None:
    """The own keeper's entry is not fresh, the other's is: the redemption is blamed on who speaks."""
    asset, program = request.asset, request.program
    assert OWN_KEEPER != OTHER_KEEPER
    before = await asset.read()
    await program.refused(request.settle_call(), ErrorCode.EntryNotFresh)
    await program.accepted(request.settle_call(OTHER_KEEPER))
    after = await asset.read()
    totals = [
        entry.redeemed_total_raw - old.redeemed_total_raw
        for entry, old in zip(after.entries, before.entries, strict=True)
    ]
    custodians = [entry.custodian for entry in after.entries]
    assert dict(zip(custodians, totals, strict=True)) == {
        program.keeper(OWN_KEEPER).address: 0,
        program.keeper(OTHER_KEEPER).address: (await request.read()).amount_raw,
    }


async def test_nothing_is_blamed_on_a_custodian_that_never_spoke(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000, keeper=OTHER_KEEPER)
    wallet = await program.participant()
    await program.chain.fund(address_of(wallet))
    await asset.open_account(address_of(wallet))
    await program.accepted(await asset.mint_call(400, keepers=BOTH))
    await program.accepted(await asset.distribute_call(400, wallet))
    request = Request(asset, wallet)
    await program.accepted(request.request_call(400))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_a_withdrawn_entry(program: DeployedProgram, asset: Asset) -> None:
    for keeper in BOTH:
        await asset.attest(1_000, keeper=keeper)
    request = await requested(asset, 400)
    await program.accepted(withdrawing(asset, OWN_KEEPER))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_a_detached_entry(program: DeployedProgram, asset: Asset) -> None:
    for keeper in BOTH:
        await asset.attest(1_000, keeper=keeper)
    request = await requested(asset, 400)
    await program.accepted(attaching(asset, OWN_KEEPER, attach=False))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_an_entry_of_an_old_key_epoch(own_program: DeployedProgram) -> None:
    program = own_program
    [asset] = await program.register()
    for keeper in BOTH:
        await asset.attest(1_000, keeper=keeper)
    request = await requested(asset, 400)
    own = program.keeper()
    revoke = program.client.revoke_custodian_key(
        authority=program.keys.guardian.address, custodian=own.address, key=own.attesters[2].address
    )
    await program.accepted(program.by("guardian", revoke))
    await settles_only_on_the_other(request)


@pytest.mark.embedded_only
async def test_nothing_is_blamed_on_an_entry_that_expired_or_grew_too_old(
    program: DeployedProgram, asset: Asset
) -> None:
    first, second = await _two_requests(asset)
    expires_ts = await program.chain.clock_ts() + 1_000
    await asset.attest(1_000, expires_ts=expires_ts)
    await program.chain.clock_reaches(expires_ts - 5)
    assert (await program.chain.simulate(first.settle_call())).err is None
    await program.chain.clock_reaches(expires_ts)
    await settles_only_on_the_other(first)

    await asset.attest(1_000)
    observed_ms = (await asset.entry()).observed_ms
    max_age_secs = (await asset.read()).policy.max_age_secs
    await program.chain.clock_reaches(observed_ms // 1_000 + max_age_secs - 5)
    await asset.attest(1_000, keeper=OTHER_KEEPER, redeemed_seen_raw=0)
    assert (await program.chain.simulate(second.settle_call())).err is None
    await program.chain.clock_reaches(observed_ms // 1_000 + max_age_secs + 1)
    await settles_only_on_the_other(second)


async def _two_requests(asset: Asset) -> tuple[Request, Request]:
    for keeper in BOTH:
        await asset.attest(1_000, keeper=keeper)
    return await requested(asset, 300), await requested(asset, 300)


@pytest.mark.embedded_only
async def test_nothing_is_blamed_on_an_entry_of_another_multiplier(program: DeployedProgram, asset: Asset) -> None:
    for keeper in BOTH:
        await asset.attest(1_000, keeper=keeper)
    request = await requested(asset, 400)
    info = await program.chain.account(asset.address)
    other_bits = (0x3FF0_0000_0000_0001).to_bytes(8, "little")
    edited = entry_edited(info.data, 0, _ENTRY_MULTIPLIER_AT, other_bits)
    await program.chain.set_account(asset.address, replace(info, data=edited))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_a_custodian_without_an_entry(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    outsider = await program.add_keeper()
    await program.refused(request.settle_call(outsider), ErrorCode.NotAttached)
    await program.accepted(request.settle_call())


@pytest.mark.embedded_only
async def test_nothing_is_blamed_on_a_retired_custodian(own_program: DeployedProgram) -> None:
    program = own_program
    [asset] = await program.register()
    await asset.attest(1_000)
    request = await requested(asset, 400)
    address = program.keeper().address
    info = await program.chain.account(address)
    retired = patched(info.data, _CUSTODIAN_STATE_AT, bytes([CustodianState.RETIRED]))
    await program.chain.set_account(address, replace(info, data=retired))
    assert (await program.custodian(address)).state is CustodianState.RETIRED
    await program.refused(request.settle_call(), ErrorCode.CustodianRetired)
    await program.chain.set_account(address, info)
    await program.accepted(request.settle_call())


@pytest.mark.embedded_only
async def test_a_multiplier_that_the_asset_does_not_know_stops_settling(program: DeployedProgram, asset: Asset) -> None:
    """The entry was signed with another one; what it covers is not known. Tokens still go back."""
    await asset.attest(1_000)
    request, other = await requested(asset, 400), await requested(asset, 400)
    info = await program.chain.account(asset.mint)
    start = scaled_ui_value(info.data)
    effective_ts = await program.chain.clock_ts() + 1_000
    two = 0x4000_0000_0000_0000
    scheduled = patched(info.data, start + 40, effective_ts.to_bytes(8, "little") + two.to_bytes(8, "little"))
    await program.chain.set_account(asset.mint, replace(info, data=scheduled))
    assert (await program.chain.simulate(request.settle_call())).err is None
    await program.chain.clock_reaches(effective_ts)
    await program.refused(request.settle_call(), ErrorCode.MultiplierMismatch)
    await program.accepted(other.cancel_call())
    after = await program.chain.account(asset.mint)
    put_back = patched(after.data, start + 40, info.data[start + 40 : start + 56])
    await program.chain.set_account(asset.mint, replace(after, data=put_back))
    await program.accepted(request.settle_call())


async def test_a_capacity_that_stays_while_redemptions_are_counted_is_a_rise(
    program: DeployedProgram, asset: Asset
) -> None:
    """M9: compared is what was there less what is newly seen, 100 in the end: 400 again is far above the bound."""
    await asset.attest(1_000)
    wallet = await participant_with(asset, 0)
    await program.accepted(await asset.mint_call(1_000))
    await program.accepted(await asset.distribute_call(600, wallet))
    request = Request(asset, wallet)
    await program.accepted(request.request_call(600))
    await program.accepted(request.settle_call())
    await asset.attest(400, redeemed_seen_raw=300)
    assert (await asset.read()).holds == Hold(0)
    await asset.attest(400, redeemed_seen_raw=600)
    assert (await asset.read()).holds == Hold.RISE


async def test_a_redemption_is_covered_by_its_custodians_own_shares(program: DeployedProgram, asset: Asset) -> None:
    """To the unit, and beside what it owes already; the other's shares do not help."""
    await asset.attest(500)
    await asset.attest(500, keeper=OTHER_KEEPER)
    wallet = await participant_with(asset, 0)
    await program.accepted(await asset.mint_call(1_000, keepers=BOTH))
    await program.accepted(await asset.distribute_call(1_000, wallet))
    large, exact, rest, one = (Request(asset, wallet) for _ in range(4))
    for request, amount_raw in ((large, 501), (exact, 300), (rest, 198), (one, 1)):
        await program.accepted(request.request_call(amount_raw))
    await program.refused(large.settle_call(), ErrorCode.RedemptionNotCovered)
    await program.accepted(exact.settle_call())  # leaves 200
    await program.accepted(rest.settle_call())  # leaves 2
    await program.accepted(one.settle_call())  # leaves 1
    await program.accepted(large.cancel_call())
    two = Request(asset, wallet)
    await program.accepted(two.request_call(2))
    await program.refused(two.settle_call(), ErrorCode.RedemptionNotCovered)
    await program.accepted(two.settle_call(OTHER_KEEPER))
    last = Request(asset, wallet)
    await program.accepted(last.request_call(1))
    await program.accepted(last.settle_call())  # to the last unit
    assert (await asset.entry()).unseen_raw == 500
    # Counted and paid out it covers again what the statement says.
    await asset.attest(100, redeemed_seen_raw=500)
    more = Request(asset, wallet)
    await program.accepted(more.request_call(100))
    await program.accepted(more.settle_call())


# ---- the ceiling (M6) -----------------------------------------------------------------------------------------------


async def test_after_a_redemption_nothing_is_minted_on_the_old_statement(
    program: DeployedProgram, asset: Asset
) -> None:
    old = await asset.attest(1_000)
    request = await requested(asset, 400)
    await program.accepted(await asset.mint_call(600))
    await program.accepted(request.settle_call())
    assert await asset.supply_raw() == 600
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await program.refused(program.relay(old), ErrorCode.StatementNotNewer)
    # A newer one that has not counted it frees nothing, and none can count more than was redeemed.
    await asset.attest(1_000)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    ahead = await asset.statement_for(1_000, redeemed_seen_raw=401)
    await program.refused(program.relay(ahead), ErrorCode.SeenAboveTotal)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    # Counted: the shares are gone, the supply is in line.
    await asset.attest(600, redeemed_seen_raw=400)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    # New shares are bought; only they back new tokens.
    await asset.attest(800, redeemed_seen_raw=400)
    await program.refused(await asset.mint_call(201), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(200))


async def test_burning_and_minting_on_the_old_statement_after_a_redemption(
    program: DeployedProgram, asset: Asset
) -> None:
    """The operator's own burns free the ceiling, a redemption does not: mixed they stay apart."""
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await program.accepted(await asset.mint_call(600))
    await program.accepted(await asset.burn_call(200))
    await program.accepted(request.settle_call())
    assert await asset.supply_raw() == 400
    state = await asset.read()
    assert (state.burnt_raw, state.redeemed_raw) == (600, 400)
    await program.refused(await asset.mint_call(201), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(200))


async def test_two_custodians_share_the_ceiling_and_not_the_blame(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await asset.attest(500, keeper=OTHER_KEEPER)
    request = await requested(asset, 300)
    await program.accepted(request.settle_call(OTHER_KEEPER))
    own, other = await asset.entry(), await asset.entry(OTHER_KEEPER)
    assert (own.redeemed_total_raw, other.redeemed_total_raw) == (0, 300)
    assert (own.capacity_raw, other.capacity_raw) == (1_000, 500)
    await program.refused(await asset.mint_call(1_201, keepers=BOTH), ErrorCode.CeilingExceeded)
    # Silent, the other backs nothing, and what it owes still counts, whether or not it is passed.
    await program.accepted(withdrawing(asset, OTHER_KEEPER))
    for keepers in (BOTH, (OWN_KEEPER,)):
        await program.refused(await asset.mint_call(701, keepers=keepers), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(700, keepers=BOTH))
    # Seen, it lowers nothing any more.
    entry = await asset.entry(OTHER_KEEPER)
    await program.chain.clock_reaches(entry.observed_ms // 1_000 + 1)
    await asset.attest(0, keeper=OTHER_KEEPER, redeemed_seen_raw=300)
    await program.refused(await asset.mint_call(301, keepers=BOTH), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(300, keepers=BOTH))


async def test_detaching_and_attaching_again_loses_no_counter(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await asset.attest(500, keeper=OTHER_KEEPER)
    request = await requested(asset, 300)
    await program.accepted(request.settle_call(OTHER_KEEPER))
    for attach in (False, True):
        await program.accepted(attaching(asset, OTHER_KEEPER, attach=attach))
        entry = await asset.entry(OTHER_KEEPER)
        assert (entry.redeemed_total_raw, entry.redeemed_seen_raw, entry.capacity_raw) == (300, 0, 0)
        assert len((await asset.read()).entries) == len(BOTH)
        await program.refused(await asset.mint_call(701, keepers=BOTH), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(700, keepers=BOTH))
    await program.chain.clock_reaches(entry.observed_ms // 1_000 + 1)
    ahead = await asset.statement_for(200, keeper=OTHER_KEEPER, redeemed_seen_raw=301)
    await program.refused(program.relay(ahead, *program.quorum(OTHER_KEEPER)), ErrorCode.SeenAboveTotal)
    await asset.attest(200, keeper=OTHER_KEEPER, redeemed_seen_raw=300)
    await program.accepted(await asset.mint_call(500, keepers=BOTH))


async def test_a_stolen_operator_key_turns_no_redemption_into_its_own(program: DeployedProgram, asset: Asset) -> None:
    """It may settle or reject what participants requested: burnt, with the claim recorded for the participant, or
    back in its hands. It takes none, opens none, and mints nothing for it."""
    await asset.attest(1_000)
    first, second = await requested(asset, 500), await requested(asset, 500)
    operator = program.keys.operator.keypair
    own_account = await asset.open_account(address_of(operator))
    await program.refused(first.reject_call(destination=own_account), ErrorCode.DestinationOwnerMismatch)
    as_wallet = program.client.cancel_redemption(
        wallet=address_of(operator), mint=asset.mint, redemption=first.address, destination=own_account
    )
    await program.refused(call(as_wallet, operator), ErrorCode.NotRedeemer)
    await program.refused(Request(asset, operator).request_call(1), ErrorCode.AccountNotInitialized)
    await program.accepted(first.settle_call())
    await program.accepted(second.reject_call())
    assert (await first.read()).wallet == first.owner
    assert await asset.balance_raw(second.account) == 500
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    assert await asset.balance_raw(own_account) == 0
