"""mint: amounts, buckets, the supply limit (M5); states, holds and the multiplier of the asset."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN, ROOMY
from xstocks_daemon.domain.snapshot import AssetState, Hold, Policy

# Offsets in the Asset account: discriminator 8, version, bump, decimals, profile, state, ...
_ASSET_STATE_AT = 8 + 4


# ---- amounts, rate and supply limit (M5) -----------------------------------------------------------------------------


async def test_nothing_is_no_amount(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.refused(await asset.mint_call(0), ErrorCode.AmountZero)
    await program.accepted(await asset.mint_call(1))
    await program.refused(await asset.burn_call(0), ErrorCode.AmountZero)
    await program.accepted(await asset.burn_call(1))


async def test_the_supply_limit_holds_whatever_is_attested(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await asset.set_policy(supply_limit_raw=600)
    await program.refused(await asset.mint_call(601), ErrorCode.SupplyLimitExceeded)
    await program.accepted(await asset.mint_call(600))
    await program.refused(await asset.mint_call(1), ErrorCode.SupplyLimitExceeded)
    await asset.set_policy(supply_limit_raw=601)
    await program.accepted(await asset.mint_call(1))


async def nearly_everything(program: DeployedProgram, policy: Policy) -> tuple[Asset, int]:
    """An asset and its ceiling, close to the end of u64: at this multiplier a billionth of a share backs 1.6 units."""
    [asset] = await program.register(policy=policy, multiplier="0.0625", custodians=(OWN_CUSTODIAN,))
    steps = (2**64 - 1) // 8
    await program.accepted(program.relay(await program.statement({asset: 5 * steps})))
    return asset, 8 * steps


async def test_amounts_near_the_end_of_u64_are_refused_by_name(program: DeployedProgram) -> None:
    most = 2**64 - 1
    asset, ceiling_raw = await nearly_everything(program, ROOMY)
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
    await program.accepted(await asset.mint_call(100))
    await asset.set_policy(supply_limit_raw=most, mint_burst_raw=most, mint_refill_raw_per_sec=most)
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
    await program.refused(await asset.mint_call(most), ErrorCode.SupplyLimitExceeded)
    await program.refused(await asset.mint_call(most - 100), ErrorCode.CeilingExceeded)
    await program.refused(await asset.mint_call(ceiling_raw - 99), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(ceiling_raw - 100))


@pytest.mark.embedded_only
async def test_a_supply_that_overflows_is_beyond_every_limit(program: DeployedProgram) -> None:
    """Also where the program has not minted it itself: the supply is edited here."""
    most = 2**64 - 1
    policy = replace(ROOMY, supply_limit_raw=most, mint_burst_raw=most, mint_refill_raw_per_sec=most)
    asset, ceiling_raw = await nearly_everything(program, policy)
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
    info = await program.chain.account(asset.mint)
    supply_at = 36
    await program.chain.set_account(asset.mint, replace(info, data=patched(info.data, supply_at, b"\1")))
    await program.refused(await asset.mint_call(most), ErrorCode.SupplyLimitExceeded)
    await program.chain.set_account(asset.mint, info)
    await program.accepted(await asset.mint_call(ceiling_raw))


@pytest.mark.embedded_only
async def test_the_bucket_starts_empty_and_refills_by_whole_seconds(program: DeployedProgram) -> None:
    policy = replace(ROOMY, mint_burst_raw=1_000, mint_refill_raw_per_sec=100)
    [asset] = await program.register(policy=policy, custodians=(OWN_CUSTODIAN,))
    bucket = (await asset.read()).mint_bucket
    assert bucket.level_raw == 0
    await asset.attest(10_000)

    await program.chain.advance_clock(3)
    level_raw = bucket.level_at(await program.chain.clock_ts(), 1_000, 100)
    assert 300 <= level_raw < 1_000
    err = {"InstructionError": [1, {"Custom": int(ErrorCode.BucketEmpty)}]}
    assert (await program.chain.simulate(await asset.mint_call(level_raw + 1))).err == err
    assert (await program.chain.simulate(await asset.mint_call(level_raw))).err is None

    await program.chain.advance_clock(60)
    await program.refused(await asset.mint_call(1_001), ErrorCode.BucketEmpty)
    await program.accepted(await asset.mint_call(1_000))
    bucket = (await asset.read()).mint_bucket
    assert bucket.level_raw == 0
    level_raw = bucket.level_at(await program.chain.clock_ts(), 1_000, 100)
    assert (await program.chain.simulate(await asset.mint_call(level_raw + 1))).err == err


@pytest.mark.embedded_only
@pytest.mark.parametrize("burst_raw", [7, 8, 9], ids=["one below the refill", "the refill itself", "one above it"])
async def test_a_bucket_is_never_fuller_than_its_size(program: DeployedProgram, asset: Asset, burst_raw: int) -> None:
    """Two seconds at 4 a second, into buckets around 8."""
    await asset.attest(10_000)
    await asset.set_policy(mint_burst_raw=0)
    await asset.set_policy(mint_burst_raw=burst_raw, mint_refill_raw_per_sec=4)
    bucket = (await asset.read()).mint_bucket
    assert bucket.level_raw == 0
    await program.chain.clock_reaches(bucket.updated_ts + 2)
    level_raw = bucket.level_at(await program.chain.clock_ts(), burst_raw, 4)
    assert min(burst_raw, 8) <= level_raw <= burst_raw
    err = {"InstructionError": [1, {"Custom": int(ErrorCode.BucketEmpty)}]}
    assert (await program.chain.simulate(await asset.mint_call(level_raw + 1))).err == err
    assert (await program.chain.simulate(await asset.mint_call(level_raw))).err is None


async def test_a_bucket_of_nothing_lets_nothing_through(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await asset.set_policy(mint_burst_raw=0)
    await program.refused(await asset.mint_call(1), ErrorCode.BucketEmpty)
    await asset.set_policy(mint_burst_raw=1_000)
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
    await program.accepted(await asset.mint_call(1))


async def test_the_first_mint_passes_the_bucket_once(program: DeployedProgram) -> None:
    """initial_mint_raw is fixed at registration and consumed first; the rest goes through the bucket."""
    policy = replace(ROOMY, mint_burst_raw=50, mint_refill_raw_per_sec=50)
    [asset] = await program.register(policy=policy, initial_mint_raw=1_000, custodians=(OWN_CUSTODIAN,))
    await asset.attest(10_000)
    await program.accepted(await asset.mint_call(400))
    assert (await asset.read()).initial_mint_raw == 600
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
    await program.refused(await asset.mint_call(651), ErrorCode.BucketEmpty)
    await program.accepted(await asset.mint_call(650))
    assert (await asset.read()).initial_mint_raw == 0
    await program.refused(await asset.mint_call(51), ErrorCode.BucketEmpty)


async def test_burning_gives_nothing_back_to_the_bucket(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    before = (await asset.read()).mint_bucket
    await program.accepted(await asset.burn_call(1_000))
    assert (await asset.read()).mint_bucket == before


# ---- states, holds, multiplier ---------------------------------------------------------------------------------------


@pytest.mark.embedded_only
@pytest.mark.parametrize("state", [AssetState.HALTED, AssetState.RETIRED, AssetState.RELEASED])
async def test_only_an_active_asset_is_minted(program: DeployedProgram, asset: Asset, state: AssetState) -> None:
    """Retired and halted assets still burn; a released one is not the program's any more."""
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(100))
    info = await program.chain.account(asset.address)
    edited = replace(info, data=patched(info.data, _ASSET_STATE_AT, bytes([state])))
    await program.chain.set_account(asset.address, edited)
    assert (await asset.read()).state is state
    await program.refused(await asset.mint_call(1), ErrorCode.AssetNotActive)
    if state is AssetState.RELEASED:
        await program.refused(await asset.burn_call(1), ErrorCode.AssetNotActive)
    else:
        await program.accepted(await asset.burn_call(1))
        info = replace(info, data=patched((await program.chain.account(asset.address)).data, _ASSET_STATE_AT, b"\1"))
    await program.chain.set_account(asset.address, info)
    await program.accepted(await asset.mint_call(1))


@pytest.mark.embedded_only
async def test_a_multiplier_that_the_asset_does_not_know_stops_minting(program: DeployedProgram, asset: Asset) -> None:
    """The mint's effective multiplier, by the clock: a scheduled one counts from its second on."""
    await asset.attest(1_000)
    info = await program.chain.account(asset.mint)
    start = scaled_ui_value(info.data)
    effective_ts = await program.chain.clock_ts() + 1_000
    two = 0x4000_0000_0000_0000
    scheduled = patched(info.data, start + 40, effective_ts.to_bytes(8, "little") + two.to_bytes(8, "little"))
    await program.chain.set_account(asset.mint, replace(info, data=scheduled))
    await program.accepted(await asset.mint_call(100))
    await program.chain.clock_reaches(effective_ts)
    await program.refused(await asset.mint_call(100), ErrorCode.MultiplierMismatch)
    after = await program.chain.account(asset.mint)
    put_back = patched(after.data, start + 40, info.data[start + 40 : start + 56])
    await program.chain.set_account(asset.mint, replace(after, data=put_back))
    await program.accepted(await asset.mint_call(100))


@pytest.mark.embedded_only
async def test_the_place_of_the_multiplier_is_verified_at_each_use(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    info = await program.chain.account(asset.mint)
    start = scaled_ui_value(info.data)
    for wrong in (patched(info.data, start - 4, (24).to_bytes(2, "little")), info.data[: start + 50]):
        await program.chain.set_account(asset.mint, replace(info, data=wrong))
        await program.refused(await asset.mint_call(100), ErrorCode.MultiplierOffsetInvalid)
    await program.chain.set_account(asset.mint, info)
    await program.accepted(await asset.mint_call(100))


def scaled_ui_value(mint_data: bytes) -> int:
    """Where the value of the ScaledUiAmount extension starts in a mint."""
    offset = 166
    while True:
        kind, length = (int.from_bytes(mint_data[offset + at : offset + at + 2], "little") for at in (0, 2))
        if kind == 25:
            return offset + 4
        offset += 4 + length


async def test_a_hold_stops_minting_and_not_burning(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(100)
    await program.accepted(await asset.mint_call(100))
    await asset.attest(10_000)
    assert (await asset.read()).holds == Hold.RISE
    await program.refused(await asset.mint_call(1), ErrorCode.OnHold)
    await program.accepted(await asset.burn_call(1))
    await program.accepted(await asset.clear_hold_call(Hold.RISE))
    await program.accepted(await asset.mint_call(1))
