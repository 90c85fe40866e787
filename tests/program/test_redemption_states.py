"""Redemptions: accounts in the place of others, pauses, the states of an asset."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair

from tests.program.redemption_calls import but_account, waiting, waiting_raw
from tests.program.test_retire_release import releasing, retiring
from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of
from tests.support.redeeming import Request, fresh_id, participant_with, requested
from xstocks_daemon.domain.snapshot import AssetState, Hold, Scope
from xstocks_daemon.domain.units import Address

TOKEN_2022_MINT_PAUSED = 67

#: In an Asset account: discriminator 8, version, bump, decimals, profile.
STATE_AT = 8 + 4


def pausing(program: DeployedProgram, scopes: Scope, mint: Address | None) -> Call:
    return program.by(
        "guardian", program.client.pause(guardian=program.keys.guardian.address, scopes=scopes, mint=mint)
    )


def resuming(program: DeployedProgram, scopes: Scope, mint: Address | None) -> Call:
    return program.by("resumer", program.client.resume(resumer=program.keys.resumer.address, scopes=scopes, mint=mint))


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
        ("custodian", foreign_program.custodian().address): ErrorCode.AccountOwnedByWrongProgram,
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
    await program.accepted(fresh.accept_call())
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


@pytest.mark.embedded_only
async def test_of_a_released_asset_nothing_is_redeemed(program: DeployedProgram, pool: AssetPool) -> None:
    asset, twin = await pool.take(), await pool.take()
    for each in (asset, twin):
        await each.attest(1_000)
    fresh = Request(asset, await participant_with(asset, 100))
    await program.accepted(releasing(program, asset, address_of(Keypair())))
    await program.refused(fresh.request_call(100), ErrorCode.AssetNotActive)
    # A second line: a release leaves none open, so the account is edited here.
    settled = await requested(twin, 100)
    await twin.rewrite(STATE_AT, AssetState.RELEASED)
    await program.refused(settled.settle_call(), ErrorCode.AssetNotActive)
    await twin.rewrite(STATE_AT, AssetState.ACTIVE)
    await program.accepted(settled.settle_call())


async def test_a_hold_stops_minting_and_not_redeeming(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await asset.attest(100_000)
    assert (await asset.read()).holds == Hold.RISE
    await program.refused(await asset.mint_call(1), ErrorCode.OnHold)
    await program.accepted(request.settle_call())
