"""withdraw_entry: one attester says "do not trust our number", and minting on it stops at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair

from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.domain.snapshot import Hold
from xstocks_daemon.domain.units import MILLIS_PER_SEC


def withdrawing(asset: Asset, attester: Keypair, custodian: str = OWN_CUSTODIAN) -> Call:
    program = asset.program
    custodian_address = program.custodian(custodian).address
    instruction = program.client.withdraw_entry(
        attester=address_of(attester), custodian=custodian_address, mint=asset.mint
    )
    return call(instruction, attester)


async def test_a_withdrawn_entry_counts_nothing_until_a_newer_statement(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(400))
    kept_back = await program.statement({asset: 10_000})
    skew_secs = (await program.config()).max_skew_secs
    before_ts = await program.chain.clock_ts()
    [event] = await program.accepted(withdrawing(asset, program.quorum()[1]))

    entry = await asset.entry()
    assert (entry.withdrawn, entry.shares_nano, entry.capacity_raw) == (True, 0, 0)
    assert entry.observed_ms >= (before_ts + skew_secs) * MILLIS_PER_SEC
    assert (event.name, event.fields["observed_ms"]) == ("EntryWithdrawn", entry.observed_ms)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)

    # Whatever was signed before cannot revive it, whoever relays it and whenever.
    await program.chain.clock_reaches(entry.observed_ms // MILLIS_PER_SEC - skew_secs + 1)
    await program.refused(program.relay(kept_back), ErrorCode.StatementNotNewer)
    await program.refused(program.relay(replace(kept_back, observed_ms=entry.observed_ms)), ErrorCode.StatementNotNewer)
    await program.accepted(program.relay(replace(kept_back, observed_ms=entry.observed_ms + 1)))
    assert not (await asset.entry()).withdrawn
    await program.accepted(await asset.mint_call(600))


async def test_only_an_attester_of_that_custodian_withdraws_its_entry(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    foreign = program.quorum(OTHER_CUSTODIAN)[0]
    for outsider in (Keypair(), foreign, program.keys.guardian.keypair):
        await program.refused(withdrawing(asset, outsider), ErrorCode.NotAttester)
    await program.accepted(withdrawing(asset, foreign, OTHER_CUSTODIAN))
    assert (await asset.entry()).capacity_raw == 1_000
    await program.accepted(withdrawing(asset, program.quorum()[0]))
    assert (await asset.entry()).capacity_raw == 0


async def test_an_entry_that_is_not_attached_cannot_be_withdrawn(program: DeployedProgram, asset: Asset) -> None:
    admin = program.keys.admin.address
    custodian = program.custodian(OTHER_CUSTODIAN).address
    attester = program.quorum(OTHER_CUSTODIAN)[0]
    detach = program.client.detach_custodian(admin=admin, custodian=custodian, mint=asset.mint)
    await program.accepted(program.by("admin", detach))
    await program.refused(withdrawing(asset, attester, OTHER_CUSTODIAN), ErrorCode.NotAttached)
    attach = program.client.attach_custodian(admin=admin, custodian=custodian, mint=asset.mint)
    await program.accepted(program.by("admin", attach))
    await program.accepted(withdrawing(asset, attester, OTHER_CUSTODIAN))

    name = await program.add_custodian()
    await program.refused(withdrawing(asset, program.quorum(name)[0], name), ErrorCode.NotAttached)


@pytest.mark.embedded_only
async def test_an_expired_attester_withdraws_nothing(program: DeployedProgram, asset: Asset) -> None:
    now_ts = await program.chain.clock_ts()
    name = await program.add_custodian(expires_in_secs=(10**6, 1_000, 10**6))
    attach = program.client.attach_custodian(
        admin=program.keys.admin.address, custodian=program.custodian(name).address, mint=asset.mint
    )
    await program.accepted(program.by("admin", attach))
    own, agent = program.quorum(name)
    await program.accepted(withdrawing(asset, agent, name))
    await program.chain.clock_reaches(now_ts + 1_000)
    await program.refused(withdrawing(asset, agent, name), ErrorCode.SignerExpired)
    await program.accepted(withdrawing(asset, own, name))


async def test_the_first_statement_after_a_withdrawal_is_compared_with_nothing(
    program: DeployedProgram, pool: AssetPool
) -> None:
    """Outside of M9's window. So `max_rise_bps` holds a slip, and not a quorum that means it (threat model)."""
    asset, twin = await pool.take(), await pool.take()
    for each in (asset, twin):
        await each.attest(1_000)
    await program.accepted(withdrawing(asset, program.quorum()[0]))
    await program.chain.clock_reaches((await asset.entry()).observed_ms // MILLIS_PER_SEC + 1)
    for each, holds in ((asset, Hold(0)), (twin, Hold.RISE)):
        await each.attest(10_000)
        assert (await each.read()).holds is holds
    await program.accepted(await asset.mint_call(10_000))
    await program.refused(await twin.mint_call(10_000), ErrorCode.OnHold)
