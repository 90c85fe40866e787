"""accept_redemption: a custodian's word before anything is burnt (M6), and the time that its wallet then waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair

from tests.program.redemption_calls import waiting_raw
from tests.program.test_redemption_blame import attaching
from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import address_of
from tests.support.redeeming import Request, requested
from xstocks_daemon.domain.snapshot import RedemptionState, Scope

BOTH = (OWN_CUSTODIAN, OTHER_CUSTODIAN)
LOCK_SECS = 300


async def waiting(asset: Asset, amount_raw: int = 400) -> Request:
    """An open redemption that nobody has accepted; both custodians would cover it."""
    for custodian in BOTH:
        await asset.attest(1_000, custodian=custodian)
    return await requested(asset, amount_raw, by=None)


async def test_nothing_is_burnt_that_its_custodian_has_not_accepted(program: DeployedProgram, asset: Asset) -> None:
    request = await waiting(asset)
    before = await asset.read()
    await program.refused(request.settle_call(), ErrorCode.RedemptionNotAccepted)
    assert (await asset.read(), await waiting_raw(asset)) == (before, 400)
    assert (await request.read()).custodian is None
    now_ts = await program.chain.clock_ts()
    [event] = await program.accepted(request.accept_call())
    accepted = await request.read()
    attester = program.quorum(parties=(0,))[0]
    assert (event.name, event.fields) == (
        "RedemptionAccepted",
        {
            "mint": asset.mint,
            "redemption": request.address,
            "id": request.id,
            "wallet": request.owner,
            "custodian": program.custodian().address,
            "attester": address_of(attester),
            "amount_raw": 400,
            "locked_until_ts": accepted.locked_until_ts,
        },
    )
    assert (accepted.state, accepted.custodian) == (RedemptionState.REQUESTED, program.custodian().address)
    assert accepted.accepted_epoch == 1
    assert accepted.locked_until_ts >= now_ts
    assert await asset.read() == before
    await program.accepted(request.settle_call())


async def test_it_is_settled_on_the_custodian_that_accepted_it(program: DeployedProgram, asset: Asset) -> None:
    request = await waiting(asset)
    await program.accepted(request.accept_call(OTHER_CUSTODIAN))
    await program.refused(request.settle_call(), ErrorCode.RedemptionNotAccepted)
    await program.accepted(request.settle_call(OTHER_CUSTODIAN))


async def test_it_is_accepted_once(program: DeployedProgram, asset: Asset) -> None:
    request = await waiting(asset)
    await program.accepted(request.accept_call())
    accepted = await request.read()
    for custodian in BOTH:
        await program.refused(request.accept_call(custodian), ErrorCode.RedemptionAlreadyAccepted)
    assert await request.read() == accepted
    await program.accepted(request.settle_call())
    await program.refused(request.accept_call(), ErrorCode.RedemptionClosed)


async def test_only_the_custodians_own_party_accepts(program: DeployedProgram, asset: Asset) -> None:
    """The agents that verify it deliver nothing, and another custodian's word is not this one's."""
    request = await waiting(asset)
    agent = program.quorum(parties=(1,))[0]
    others = (agent, Keypair(), program.quorum(OTHER_CUSTODIAN, parties=(0,))[0], program.keys.operator.keypair)
    for key in others:
        await program.refused(request.accept_call(attester=key), ErrorCode.NotOwnParty)
    await program.accepted(request.accept_call())


@pytest.mark.embedded_only
async def test_an_expired_key_accepts_nothing(program: DeployedProgram, asset: Asset) -> None:
    now_ts = await program.chain.clock_ts()
    name = await program.add_custodian(expires_in_secs=(1_000, 10**6, 10**6))
    await program.accepted(attaching(asset, name, attach=True))
    request = await waiting(asset)
    assert (await program.chain.simulate(request.accept_call(name))).err is None
    await program.chain.clock_reaches(now_ts + 1_000)
    await program.refused(request.accept_call(name), ErrorCode.SignerExpired)
    await program.accepted(request.accept_call())


async def test_a_custodian_accepts_only_for_assets_it_is_attached_to(program: DeployedProgram, asset: Asset) -> None:
    request = await waiting(asset)
    outsider = await program.add_custodian()
    await program.refused(request.accept_call(outsider), ErrorCode.NotAttached)
    await program.accepted(attaching(asset, OTHER_CUSTODIAN, attach=False))
    await program.refused(request.accept_call(OTHER_CUSTODIAN), ErrorCode.NotAttached)
    await program.accepted(attaching(asset, OTHER_CUSTODIAN, attach=True))
    await program.accepted(request.accept_call(OTHER_CUSTODIAN))


async def test_nothing_is_accepted_that_cannot_be_settled(program: DeployedProgram, asset: Asset) -> None:
    """Paused or on hold it would only be kept from its wallet."""
    request = await waiting(asset)
    keys = program.keys
    pause = program.client.pause(guardian=keys.guardian.address, scopes=Scope.REDEEM, mint=asset.mint)
    await program.accepted(program.by("guardian", pause))
    await program.refused(request.accept_call(), ErrorCode.Paused)
    resume = program.client.resume(resumer=keys.resumer.address, scopes=Scope.REDEEM, mint=asset.mint)
    await program.accepted(program.by("resumer", resume))
    await program.accepted(request.hold_call())
    await program.refused(request.accept_call(), ErrorCode.RedemptionOnHold)
    await program.accepted(request.clear_hold_call())
    await program.accepted(request.accept_call())


async def test_an_asset_stands_for_its_own_redemptions_only(program: DeployedProgram, asset: Asset) -> None:
    request = await waiting(asset)
    [other] = await program.register()
    await program.refused(replace(request, asset=other).accept_call(), ErrorCode.AccountNotInitialized)
    elsewhere = await requested_elsewhere(other)
    [instruction] = request.accept_call().instructions
    [mixed] = elsewhere.accept_call().instructions
    places = [meta.pubkey for meta in instruction.accounts]
    assert places[4] != mixed.accounts[4].pubkey
    sent = request.accept_call()
    wrong = type(mixed)(mixed.program_id, mixed.data, [*instruction.accounts[:4], mixed.accounts[4]])
    await program.refused(sent.but(instructions=(wrong,)), ErrorCode.RedemptionMismatch)
    await program.accepted(sent)


async def requested_elsewhere(asset: Asset) -> Request:
    await asset.attest(1_000)
    return await requested(asset, 100, by=None)


# ---- the wallet waits -----------------------------------------------------------------------------------------------


@pytest.mark.embedded_only
async def test_once_accepted_the_wallet_waits_for_the_policys_time(program: DeployedProgram, asset: Asset) -> None:
    await asset.set_policy(redemption_lock_secs=LOCK_SECS)
    accepted, twin = await waiting(asset), await waiting(asset)
    await program.accepted(accepted.accept_call())
    await program.accepted(twin.cancel_call())
    locked_until_ts = (await accepted.read()).locked_until_ts
    await program.refused(accepted.cancel_call(), ErrorCode.RedemptionLocked)
    # A policy that changed since changes nothing of it.
    await asset.set_policy(redemption_lock_secs=0)
    await program.chain.clock_reaches(locked_until_ts - 2)
    locked = {"InstructionError": [1, {"Custom": int(ErrorCode.RedemptionLocked)}]}
    assert (await program.chain.simulate(accepted.cancel_call())).err == locked
    await program.chain.clock_reaches(locked_until_ts)
    assert (await program.chain.simulate(accepted.settle_call())).err is None
    await program.accepted(accepted.cancel_call())
    assert ((await accepted.read()).state, await waiting_raw(asset)) == (RedemptionState.CANCELLED, 0)


@pytest.mark.embedded_only
async def test_the_operator_gives_back_what_was_accepted_at_any_time(program: DeployedProgram, asset: Asset) -> None:
    await asset.set_policy(redemption_lock_secs=LOCK_SECS)
    request = await waiting(asset)
    await program.accepted(request.accept_call())
    await program.refused(request.cancel_call(), ErrorCode.RedemptionLocked)
    await program.accepted(request.reject_call())
    await program.refused(request.cancel_call(), ErrorCode.RedemptionClosed)


@pytest.mark.embedded_only
async def test_a_revoked_keys_word_counts_no_more_and_locks_nothing_anew(own_program: DeployedProgram) -> None:
    """What a stolen key of the custodian accepted is not settled after its revocation; the custodian itself may accept
    it again, and its wallet does not wait longer for that."""
    program = own_program
    [asset] = await program.register()
    await asset.set_policy(redemption_lock_secs=LOCK_SECS)
    request = await waiting(asset)
    await program.accepted(request.accept_call())
    locked_until_ts = (await request.read()).locked_until_ts
    revoke = program.client.revoke_custodian_key(
        authority=program.keys.guardian.address,
        custodian=program.custodian().address,
        key=program.custodian().attesters[2].address,
    )
    await program.accepted(program.by("guardian", revoke))
    await asset.attest(1_000)
    await program.refused(request.settle_call(), ErrorCode.RedemptionNotAccepted)
    await program.chain.advance_clock(60)
    await program.refused(request.accept_call(OTHER_CUSTODIAN), ErrorCode.RedemptionAlreadyAccepted)
    await program.accepted(request.accept_call())
    accepted = await request.read()
    assert (accepted.accepted_epoch, accepted.locked_until_ts) == (2, locked_until_ts)
    await program.accepted(request.settle_call())
