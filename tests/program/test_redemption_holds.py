"""Holds of redemptions: compliance keeps the tokens where they wait, until it clears the hold or recovers them (M7)."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair

from tests.program.redemption_calls import but_account, waiting_raw
from tests.program.test_freeze import freezing
from tests.program.test_pauses import pausing, resuming
from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of, call
from tests.support.redeeming import Request, participant_with, requested
from xstocks_daemon.chain.program import Profile, RecoveryState
from xstocks_daemon.domain.snapshot import RedemptionState, Scope
from xstocks_daemon.domain.units import Address

YEAR_SECS = 365 * 86_400


async def heir_of(asset: Asset) -> Address:
    return await asset.open_account(address_of(Keypair()))


def cleared_by_both(request: Request, authority: Keypair, resumer: Keypair | None) -> Call:
    instruction = request.program.client.clear_redemption_hold(
        authority=address_of(authority),
        redemption=request.address,
        resumer=None if resumer is None else address_of(resumer),
    )
    return call(instruction, authority, *([] if resumer is None else [resumer]))


def cancelling_recovery(request: Request) -> Call:
    guardian = request.program.keys.guardian.address
    instruction = request.program.client.cancel_recovery(guardian=guardian, source=request.address)
    return request.program.by("guardian", instruction)


async def test_a_held_redemption_is_neither_settled_nor_given_back_until_it_is_cleared(
    program: DeployedProgram, asset: Asset
) -> None:
    await asset.attest(1_000)
    held, twin = await requested(asset, 400), await requested(asset, 300)
    await program.refused(held.clear_hold_call(), ErrorCode.RedemptionNotOnHold)
    [event] = await program.accepted(held.hold_call())
    named = {"mint": asset.mint, "redemption": held.address, "id": held.id}
    assert (event.name, event.fields) == ("RedemptionHeld", {**named, "wallet": held.owner, "amount_raw": 400})
    assert (await held.read()).on_hold
    await program.refused(held.hold_call(), ErrorCode.RedemptionOnHold)
    for sent in (held.settle_call(), held.reject_call(), held.cancel_call()):
        await program.refused(sent, ErrorCode.RedemptionOnHold)
    assert (await held.read()).state is RedemptionState.REQUESTED
    assert (await waiting_raw(asset), await asset.supply_raw()) == (700, 700)
    for sent in (twin.settle_call(), twin.reject_call(), twin.cancel_call()):
        assert (await program.chain.simulate(sent)).err is None

    [event] = await program.accepted(held.clear_hold_call())
    by = program.keys.compliance.address
    assert (event.name, event.fields) == ("RedemptionHoldCleared", {**named, "by": by})
    assert not (await held.read()).on_hold
    for sent in (held.settle_call(), held.reject_call(), held.cancel_call()):
        assert (await program.chain.simulate(sent)).err is None


async def test_a_redemption_that_ended_is_not_held(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    ended, twin = await requested(asset, 400), await requested(asset, 300)
    await program.accepted(ended.cancel_call())
    await program.refused(ended.hold_call(), ErrorCode.RedemptionClosed)
    await program.refused(ended.announce_recovery_call(await heir_of(asset)), ErrorCode.RedemptionClosed)
    await program.accepted(twin.hold_call())


async def test_admin_and_resumer_clear_a_hold_together(program: DeployedProgram, asset: Asset) -> None:
    """What a stolen compliance key holds is not lost; one of them alone lets nothing go."""
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await program.accepted(request.hold_call())
    keys = program.keys
    admin, resumer, guardian = keys.admin.keypair, keys.resumer.keypair, keys.guardian.keypair
    await program.refused(cleared_by_both(request, admin, None), ErrorCode.NotResumer)
    await program.refused(cleared_by_both(request, admin, guardian), ErrorCode.NotResumer)
    await program.refused(cleared_by_both(request, resumer, admin), ErrorCode.NotCompliance)
    [event] = await program.accepted(cleared_by_both(request, admin, resumer))
    assert event.fields["by"] == address_of(admin)
    await program.accepted(request.cancel_call())


@pytest.mark.parametrize("profile", [Profile.XSTOCKS, Profile.OPEN])
async def test_an_announced_recovery_moves_a_redemptions_tokens(program: DeployedProgram, profile: Profile) -> None:
    """Whole, and also where nothing can be frozen: they lie in the program's own vault."""
    [asset] = await program.register(profile=profile)
    await asset.attest(1_000)
    request, other = await requested(asset, 400), await requested(asset, 300)
    heir = await heir_of(asset)
    [event] = await program.accepted(request.announce_recovery_call(heir))
    address = program.addresses.recovery(request.address)
    info = await program.chain.account(address)
    recovery = program.client.recovery(address, info.data, info.owner)
    named = {"mint": asset.mint, "recovery": address, "source": request.address, "destination": heir, "amount_raw": 400}
    assert (event.name, event.fields) == ("RecoveryAnnounced", {**named, "ready_ts": recovery.ready_ts})
    assert (recovery.state, recovery.amount_raw) == (RecoveryState.ANNOUNCED, 400)
    # Held at once, and no hold that compliance alone could clear meanwhile.
    assert (await request.read()).on_hold
    await program.refused(request.cancel_call(), ErrorCode.RedemptionOnHold)
    await program.refused(request.clear_hold_call(), ErrorCode.RecoveryOpen)
    await program.refused(request.announce_recovery_call(heir), ErrorCode.RecoveryOpen)

    before = await asset.supply_raw()
    [event] = await program.accepted(request.execute_recovery_call(heir))
    assert (event.name, event.fields) == ("RecoveryExecuted", named)
    redemption = await request.read()
    assert (redemption.state, redemption.on_hold) == (RedemptionState.RECOVERED, False)
    assert redemption.closed_ts is not None
    assert (await asset.balance_raw(heir), await waiting_raw(asset), await asset.supply_raw()) == (400, 300, before)
    await program.refused(request.execute_recovery_call(heir), ErrorCode.RecoveryNotOpen)
    for sent in (request.settle_call(), request.reject_call(), request.cancel_call()):
        await program.refused(sent, ErrorCode.RedemptionClosed)
    await program.accepted(other.cancel_call())


async def test_the_guardian_stops_it_and_the_redemption_stays_held(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request, heir = await requested(asset, 400), await heir_of(asset)
    await program.accepted(request.announce_recovery_call(heir))
    await program.accepted(cancelling_recovery(request))
    await program.refused(request.execute_recovery_call(heir), ErrorCode.RecoveryNotOpen)
    await program.refused(request.cancel_call(), ErrorCode.RedemptionOnHold)
    # Announced anew it may be executed; cleared, it goes back.
    await program.accepted(request.announce_recovery_call(heir))
    assert (await program.chain.simulate(request.execute_recovery_call(heir))).err is None
    await program.accepted(cancelling_recovery(request))
    await program.accepted(request.clear_hold_call())
    await program.accepted(request.cancel_call())
    assert await asset.balance_raw(request.account) == 400


@pytest.mark.embedded_only
async def test_it_waits_for_its_delay_and_in_a_pause_of_transfers(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request, heir = await requested(asset, 400), await heir_of(asset)
    for delay_secs in (YEAR_SECS + 1, 2**64 - 1):
        await program.refused(
            request.announce_recovery_call(heir, delay_secs=delay_secs), ErrorCode.RecoveryDelayInvalid
        )
    assert not (await request.read()).on_hold
    ready_ts = await program.chain.clock_ts() + 1_000
    await program.accepted(request.announce_recovery_call(heir, delay_secs=1_000))
    await program.refused(request.execute_recovery_call(heir), ErrorCode.RecoveryNotReady)
    await program.chain.clock_reaches(ready_ts + 5)
    await program.accepted(pausing(program, Scope.TRANSFERS, asset.mint))
    await program.refused(request.execute_recovery_call(heir), ErrorCode.Paused)
    await program.accepted(resuming(program, Scope.TRANSFERS, asset.mint))
    await program.accepted(request.execute_recovery_call(heir))


async def test_it_takes_its_own_accounts_only(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await pool.take(), await pool.take()
    for each in (asset, other):
        await each.attest(1_000)
    request, rival, elsewhere = await requested(asset, 400), await requested(asset, 400), await requested(other, 400)
    heir, second = await heir_of(asset), await heir_of(asset)
    frozen = await heir_of(asset)
    await program.accepted(program.by("compliance", freezing(program, asset, frozen)))
    announcing = request.announce_recovery_call(heir)
    name = "announce_redemption_recovery"
    for place, address, error in (
        ("mint", other.mint, ErrorCode.WrongMint),
        ("redemption", elsewhere.address, ErrorCode.RedemptionMismatch),
        ("redemption", rival.address, ErrorCode.ConstraintSeeds),
        ("destination", asset.vault, ErrorCode.VaultProtected),
        ("destination", program.addresses.redemption_vault(asset.mint), ErrorCode.VaultProtected),
        ("destination", await heir_of(other), ErrorCode.TokenAccountInvalid),
        ("destination", frozen, ErrorCode.AccountFrozen),
    ):
        await program.refused(but_account(announcing, name, place, address), error)
    await program.accepted(announcing)
    await program.accepted(rival.announce_recovery_call(second))
    rivals = program.addresses.recovery(rival.address)
    await program.refused(but_account(announcing, name, "recovery", rivals), ErrorCode.ConstraintSeeds)

    executing, name = request.execute_recovery_call(heir), "execute_redemption_recovery"
    for place, address, error in (
        ("mint", other.mint, ErrorCode.WrongMint),
        ("redemption", elsewhere.address, ErrorCode.RedemptionMismatch),
        ("redemption", rival.address, ErrorCode.RecoveryMismatch),
        ("redemption_vault", asset.vault, ErrorCode.WrongRedemptionVault),
        ("destination", second, ErrorCode.RecoveryMismatch),
        ("recovery", rivals, ErrorCode.RecoveryMismatch),
    ):
        await program.refused(but_account(executing, name, place, address), error)
    await program.accepted(executing)
    clearing = rival.clear_hold_call()
    own = program.addresses.recovery(request.address)
    unguarded = but_account(clearing, "clear_redemption_hold", "recovery", own)
    await program.refused(unguarded, ErrorCode.ConstraintSeeds)
    await program.accepted(cancelling_recovery(rival))
    await program.accepted(clearing)


async def test_a_frozen_destination_gets_no_redemption(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request, heir = await requested(asset, 400), await heir_of(asset)
    await program.accepted(request.announce_recovery_call(heir))
    executing = request.execute_recovery_call(heir)
    assert (await program.chain.simulate(executing)).err is None
    await program.accepted(program.by("compliance", freezing(program, asset, heir)))
    await program.refused(executing, ErrorCode.AccountFrozen)


async def test_a_stolen_compliance_key_gets_no_redemption_alone(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request, thief = await requested(asset, 400), await participant_with(asset, 0)
    account = asset.token_account(address_of(thief))
    await program.accepted(request.announce_recovery_call(account))
    [instruction] = request.execute_recovery_call(account).instructions
    compliance = program.keys.compliance.keypair
    alone = but_account(call(instruction, compliance), "execute_redemption_recovery", "admin", address_of(compliance))
    await program.refused(alone, ErrorCode.NotAdmin)
    await program.accepted(cancelling_recovery(request))
    await program.accepted(cleared_by_both(request, program.keys.admin.keypair, program.keys.resumer.keypair))
    await program.accepted(request.cancel_call())
    assert (await asset.balance_raw(account), await asset.balance_raw(request.account)) == (0, 400)
