"""Redemptions: whom one may be blamed on, and what it does to the ceiling (M6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.program.test_mint_burn import entry_edited
from tests.program.test_mint_limits import scaled_ui_value
from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import Call, address_of, call
from tests.support.redeeming import Request, participant_with, requested
from xstocks_daemon.domain.snapshot import CustodianState, Hold

BOTH = (OWN_CUSTODIAN, OTHER_CUSTODIAN)

_CUSTODIAN_STATE_AT = 8 + 6

_ENTRY_MULTIPLIER_AT = 88

ONLY_NOT_ACCEPTED = {"InstructionError": [1, {"Custom": int(ErrorCode.RedemptionNotAccepted)}]}
"""Whoever gets so far has a fresh entry that covers the amount."""


def attaching(asset: Asset, custodian: str, *, attach: bool) -> Call:
    program = asset.program
    build = program.client.attach_custodian if attach else program.client.detach_custodian
    admin = program.keys.admin.address
    return program.by("admin", build(admin=admin, custodian=program.custodian(custodian).address, mint=asset.mint))


def withdrawing(asset: Asset, custodian: str) -> Call:
    program, attester = asset.program, asset.program.quorum(custodian)[1]
    custodian_address = program.custodian(custodian).address
    instruction = program.client.withdraw_entry(
        attester=address_of(attester), custodian=custodian_address, mint=asset.mint
    )
    return call(instruction, attester)


# ---- whom a redemption may be blamed on -----------------------------------------------------------------------------


async def settles_only_on_the_other(request: Request) -> None:
    """The own custodian's entry is not fresh, the other's is: the redemption is blamed on who speaks."""
    asset, program = request.asset, request.program
    assert OWN_CUSTODIAN != OTHER_CUSTODIAN
    before = await asset.read()
    await program.refused(request.settle_call(), ErrorCode.EntryNotFresh)
    await program.accepted(request.settle_call(OTHER_CUSTODIAN))
    after = await asset.read()
    totals = [
        entry.redeemed_total_raw - old.redeemed_total_raw
        for entry, old in zip(after.entries, before.entries, strict=True)
    ]
    custodians = [entry.custodian for entry in after.entries]
    assert dict(zip(custodians, totals, strict=True)) == {
        program.custodian(OWN_CUSTODIAN).address: 0,
        program.custodian(OTHER_CUSTODIAN).address: (await request.read()).amount_raw,
    }


async def test_nothing_is_blamed_on_a_custodian_that_never_spoke(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000, custodian=OTHER_CUSTODIAN)
    wallet = await program.participant()
    await program.chain.fund(address_of(wallet))
    await asset.open_account(address_of(wallet))
    await program.accepted(await asset.mint_call(400, custodians=BOTH))
    await program.accepted(await asset.distribute_call(400, wallet))
    request = Request(asset, wallet)
    await program.accepted(request.request_call(400) + request.accept_call(OTHER_CUSTODIAN))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_a_withdrawn_entry(program: DeployedProgram, asset: Asset) -> None:
    for custodian in BOTH:
        await asset.attest(1_000, custodian=custodian)
    request = await requested(asset, 400, by=OTHER_CUSTODIAN)
    await program.accepted(withdrawing(asset, OWN_CUSTODIAN))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_a_detached_entry(program: DeployedProgram, asset: Asset) -> None:
    for custodian in BOTH:
        await asset.attest(1_000, custodian=custodian)
    request = await requested(asset, 400, by=OTHER_CUSTODIAN)
    await program.accepted(attaching(asset, OWN_CUSTODIAN, attach=False))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_an_entry_of_an_old_key_epoch(own_program: DeployedProgram) -> None:
    program = own_program
    [asset] = await program.register()
    for custodian in BOTH:
        await asset.attest(1_000, custodian=custodian)
    request = await requested(asset, 400, by=OTHER_CUSTODIAN)
    own = program.custodian()
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
    assert (await program.chain.simulate(first.settle_call())).err == ONLY_NOT_ACCEPTED
    await program.chain.clock_reaches(expires_ts)
    await settles_only_on_the_other(first)

    await asset.attest(1_000)
    observed_ms = (await asset.entry()).observed_ms
    max_age_secs = (await asset.read()).policy.max_age_secs
    await program.chain.clock_reaches(observed_ms // 1_000 + max_age_secs - 5)
    await asset.attest(1_000, custodian=OTHER_CUSTODIAN, redeemed_seen_raw=0)
    assert (await program.chain.simulate(second.settle_call())).err == ONLY_NOT_ACCEPTED
    await program.chain.clock_reaches(observed_ms // 1_000 + max_age_secs + 1)
    await settles_only_on_the_other(second)


async def _two_requests(asset: Asset) -> tuple[Request, Request]:
    for custodian in BOTH:
        await asset.attest(1_000, custodian=custodian)
    return await requested(asset, 300, by=OTHER_CUSTODIAN), await requested(asset, 300, by=OTHER_CUSTODIAN)


@pytest.mark.embedded_only
async def test_nothing_is_blamed_on_an_entry_of_another_multiplier(program: DeployedProgram, asset: Asset) -> None:
    for custodian in BOTH:
        await asset.attest(1_000, custodian=custodian)
    request = await requested(asset, 400, by=OTHER_CUSTODIAN)
    info = await program.chain.account(asset.address)
    other_bits = (0x3FF0_0000_0000_0001).to_bytes(8, "little")
    edited = entry_edited(info.data, 0, _ENTRY_MULTIPLIER_AT, other_bits)
    await program.chain.set_account(asset.address, replace(info, data=edited))
    await settles_only_on_the_other(request)


async def test_nothing_is_blamed_on_a_custodian_without_an_entry(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    outsider = await program.add_custodian()
    await program.refused(request.settle_call(outsider), ErrorCode.NotAttached)
    await program.accepted(request.settle_call())


@pytest.mark.embedded_only
async def test_nothing_is_blamed_on_a_retired_custodian(own_program: DeployedProgram) -> None:
    program = own_program
    [asset] = await program.register()
    await asset.attest(1_000)
    request = await requested(asset, 400)
    address = program.custodian().address
    info = await program.chain.account(address)
    retired = patched(info.data, _CUSTODIAN_STATE_AT, bytes([CustodianState.RETIRED]))
    await program.chain.set_account(address, replace(info, data=retired))
    assert (await program.read_custodian(address)).state is CustodianState.RETIRED
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
    await program.accepted(request.request_call(600) + request.accept_call())
    await program.accepted(request.settle_call())
    await asset.attest(400, redeemed_seen_raw=300)
    assert (await asset.read()).holds == Hold(0)
    await asset.attest(400, redeemed_seen_raw=600)
    assert (await asset.read()).holds == Hold.RISE


async def test_a_redemption_is_covered_by_its_custodians_own_shares(program: DeployedProgram, asset: Asset) -> None:
    """To the unit, and beside what it owes already; the other's shares do not help."""
    await asset.attest(500)
    await asset.attest(500, custodian=OTHER_CUSTODIAN)
    wallet = await participant_with(asset, 0)
    await program.accepted(await asset.mint_call(1_000, custodians=BOTH))
    await program.accepted(await asset.distribute_call(1_000, wallet))
    large, exact, rest, one = (Request(asset, wallet) for _ in range(4))
    for request, amount_raw in ((large, 501), (exact, 300), (rest, 198), (one, 1)):
        await program.accepted(request.request_call(amount_raw) + request.accept_call())
    await program.refused(large.settle_call(), ErrorCode.RedemptionNotCovered)
    await program.accepted(exact.settle_call())  # leaves 200
    await program.accepted(rest.settle_call())  # leaves 2
    await program.accepted(one.settle_call())  # leaves 1
    await program.accepted(large.cancel_call())
    two = Request(asset, wallet)
    await program.accepted(two.request_call(2) + two.accept_call(OTHER_CUSTODIAN))
    await program.refused(two.settle_call(), ErrorCode.RedemptionNotCovered)
    await program.accepted(two.settle_call(OTHER_CUSTODIAN))
    last = Request(asset, wallet)
    await program.accepted(last.request_call(1) + last.accept_call())
    await program.accepted(last.settle_call())  # to the last unit
    assert (await asset.entry()).unseen_raw == 500
    # Counted and paid out it covers again what the statement says.
    await asset.attest(100, redeemed_seen_raw=500)
    more = Request(asset, wallet)
    await program.accepted(more.request_call(100) + more.accept_call())
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
    await asset.attest(500, custodian=OTHER_CUSTODIAN)
    request = await requested(asset, 300, by=OTHER_CUSTODIAN)
    await program.accepted(request.settle_call(OTHER_CUSTODIAN))
    own, other = await asset.entry(), await asset.entry(OTHER_CUSTODIAN)
    assert (own.redeemed_total_raw, other.redeemed_total_raw) == (0, 300)
    assert (own.capacity_raw, other.capacity_raw) == (1_000, 500)
    await program.refused(await asset.mint_call(1_201, custodians=BOTH), ErrorCode.CeilingExceeded)
    # Silent, the other backs nothing, and what it owes still counts, whether or not it is passed.
    await program.accepted(withdrawing(asset, OTHER_CUSTODIAN))
    for custodians in (BOTH, (OWN_CUSTODIAN,)):
        await program.refused(await asset.mint_call(701, custodians=custodians), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(700, custodians=BOTH))
    # Seen, it lowers nothing any more.
    entry = await asset.entry(OTHER_CUSTODIAN)
    await program.chain.clock_reaches(entry.observed_ms // 1_000 + 1)
    await asset.attest(0, custodian=OTHER_CUSTODIAN, redeemed_seen_raw=300)
    await program.refused(await asset.mint_call(301, custodians=BOTH), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(300, custodians=BOTH))


async def test_detaching_and_attaching_again_loses_no_counter(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await asset.attest(500, custodian=OTHER_CUSTODIAN)
    request = await requested(asset, 300, by=OTHER_CUSTODIAN)
    await program.accepted(request.settle_call(OTHER_CUSTODIAN))
    for attach in (False, True):
        await program.accepted(attaching(asset, OTHER_CUSTODIAN, attach=attach))
        entry = await asset.entry(OTHER_CUSTODIAN)
        assert (entry.redeemed_total_raw, entry.redeemed_seen_raw, entry.capacity_raw) == (300, 0, 0)
        assert len((await asset.read()).entries) == len(BOTH)
        await program.refused(await asset.mint_call(701, custodians=BOTH), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(700, custodians=BOTH))
    await program.chain.clock_reaches(entry.observed_ms // 1_000 + 1)
    ahead = await asset.statement_for(200, custodian=OTHER_CUSTODIAN, redeemed_seen_raw=301)
    await program.refused(program.relay(ahead, *program.quorum(OTHER_CUSTODIAN)), ErrorCode.SeenAboveTotal)
    await asset.attest(200, custodian=OTHER_CUSTODIAN, redeemed_seen_raw=300)
    await program.accepted(await asset.mint_call(500, custodians=BOTH))


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
