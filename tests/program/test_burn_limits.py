"""The bucket that burn and settle_redemption take from together (M5): the operator burns neither the inventory nor what
waits in the redemption vault at will."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.program.redemption_calls import waiting_raw
from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN, ROOMY
from tests.support.redeeming import requested
from xstocks_daemon.domain.snapshot import RedemptionState

METERED = replace(ROOMY, burn_burst_raw=1_000, burn_refill_raw_per_sec=100)


async def metered(program: DeployedProgram) -> Asset:
    """An asset whose bucket for burns holds 1,000 and is full, with 10,000 in its vault."""
    [asset] = await program.register(policy=METERED, custodians=(OWN_CUSTODIAN,))
    await asset.attest(20_000)
    await program.chain.advance_clock(60)
    await program.accepted(await asset.mint_call(10_000))
    return asset


@pytest.mark.embedded_only
async def test_the_inventory_is_burnt_at_the_pace_of_the_bucket(program: DeployedProgram) -> None:
    asset = await metered(program)
    await program.refused(await asset.burn_call(1_001), ErrorCode.BucketEmpty)
    await program.accepted(await asset.burn_call(1_000))
    bucket = (await asset.read()).burn_bucket
    assert bucket.level_raw == 0
    level_raw = bucket.level_at(await program.chain.clock_ts(), 1_000, 100)
    err = {"InstructionError": [1, {"Custom": int(ErrorCode.BucketEmpty)}]}
    assert (await program.chain.simulate(await asset.burn_call(level_raw + 1))).err == err
    assert await asset.supply_raw() == 9_000
    await program.chain.advance_clock(60)
    await program.accepted(await asset.burn_call(1_000))


@pytest.mark.embedded_only
async def test_a_batch_of_burns_takes_each_out_of_the_bucket(program: DeployedProgram) -> None:
    asset = await metered(program)
    await program.refused(await asset.burn_call(600, 401), ErrorCode.BucketEmpty)
    await program.accepted(await asset.burn_call(600, 400))


@pytest.mark.embedded_only
async def test_settling_takes_from_the_bucket_of_burns(program: DeployedProgram) -> None:
    asset = await metered(program)
    request = await requested(asset, 700)
    await program.accepted(await asset.burn_call(700))
    bucket = (await asset.read()).burn_bucket
    err = {"InstructionError": [1, {"Custom": int(ErrorCode.BucketEmpty)}]}
    assert bucket.level_at(await program.chain.clock_ts(), 1_000, 100) < 700
    assert (await program.chain.simulate(request.settle_call())).err == err
    assert ((await request.read()).state, await waiting_raw(asset)) == (RedemptionState.REQUESTED, 700)
    await program.chain.advance_clock(60)
    before = (await asset.read()).burn_bucket.level_at(await program.chain.clock_ts(), 1_000, 100)
    assert before == 1_000
    await program.accepted(request.settle_call())
    assert (await asset.read()).burn_bucket.level_raw == 300
    # What is given back is not burnt.
    other = await requested(asset, 700)
    await program.accepted(other.cancel_call())


@pytest.mark.embedded_only
async def test_a_redemption_above_the_bucket_is_not_settled_and_can_be_taken_back(program: DeployedProgram) -> None:
    asset = await metered(program)
    request = await requested(asset, 1_001)
    await program.refused(request.settle_call(), ErrorCode.BucketEmpty)
    await program.accepted(request.cancel_call())
    await program.accepted((await requested(asset, 1_000, wallet=request.wallet)).settle_call())


@pytest.mark.embedded_only
async def test_a_change_of_the_limits_keeps_what_was_taken_and_fills_nothing(program: DeployedProgram) -> None:
    asset = await metered(program)
    await asset.set_policy(burn_burst_raw=100, burn_refill_raw_per_sec=0)
    assert (await asset.read()).burn_bucket.level_raw == 100
    await asset.set_policy(burn_burst_raw=1_000)
    assert (await asset.read()).burn_bucket.level_raw == 100
    await program.refused(await asset.burn_call(101), ErrorCode.BucketEmpty)
    await program.accepted(await asset.burn_call(100))
