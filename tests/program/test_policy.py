"""tighten_policy at once and loosen_policy: limits and the buckets under them (M5)."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.initialized import ROOMY
from tests.support.live_chain import Call
from xstocks_daemon.domain.snapshot import Policy

LOWER = (
    "supply_limit_raw",
    "mint_burst_raw",
    "mint_refill_raw_per_sec",
    "distribute_burst_raw",
    "distribute_refill_raw_per_sec",
    "burn_burst_raw",
    "burn_refill_raw_per_sec",
    "redemption_lock_secs",
    "max_age_secs",
    "max_rise_bps",
    "max_multiplier_bps",
    "ca_tolerance_bps",
    "freezes_per_day",
)
"""Values that are stricter when lower."""
HIGHER = ("ca_window_secs", "min_notice_secs")
"""Values that are stricter when longer."""


def tightening(asset: Asset, policy: Policy) -> Call:
    program = asset.program
    return program.by(
        "admin", program.client.tighten_policy(admin=program.keys.admin.address, mint=asset.mint, policy=policy)
    )


def loosening(asset: Asset, policy: Policy) -> Call:
    program = asset.program
    return program.by(
        "admin", program.client.loosen_policy(admin=program.keys.admin.address, mint=asset.mint, policy=policy)
    )


@pytest.mark.parametrize("name", [*LOWER, *HIGHER])
async def test_a_limit_is_tightened_at_once_and_never_loosened_so(
    program: DeployedProgram, asset: Asset, name: str
) -> None:
    before = replace(ROOMY, redemption_lock_secs=300)
    await program.accepted(loosening(asset, before))
    now = getattr(before, name)
    step = 1 if name in HIGHER else -1
    looser = replace(before, **{name: now - step})
    stricter = replace(before, **{name: now + step})
    await program.refused(tightening(asset, looser), ErrorCode.NotTightening)
    [event] = await program.accepted(tightening(asset, stricter))
    assert (event.name, event.fields["loosened"]) == ("PolicyChanged", 0)
    assert (event.fields["old"], event.fields["new"]) == (asdict(before), asdict(stricter))
    assert (await asset.read()).policy == stricter
    await program.refused(tightening(asset, before), ErrorCode.NotTightening)
    [event] = await program.accepted(loosening(asset, before))
    assert (event.name, event.fields["loosened"]) == ("PolicyChanged", 1)
    assert (event.fields["old"], event.fields["new"]) == (asdict(stricter), asdict(before))
    assert (await asset.read()).policy == before


async def test_one_looser_value_among_stricter_ones_is_refused(program: DeployedProgram, asset: Asset) -> None:
    mixed = replace(ROOMY, supply_limit_raw=1, mint_burst_raw=1, max_rise_bps=ROOMY.max_rise_bps + 1)
    await program.refused(tightening(asset, mixed), ErrorCode.NotTightening)
    await program.accepted(tightening(asset, replace(mixed, max_rise_bps=ROOMY.max_rise_bps)))


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ({"max_age_secs": 0}, {"max_age_secs": 1}),
        ({"ca_tolerance_bps": 10_001}, {"ca_tolerance_bps": 10_000}),
        ({"redemption_lock_secs": 30 * 86_400 + 1}, {"redemption_lock_secs": 30 * 86_400}),
    ],
    ids=["no age", "tolerance above all", "a lock of more than 30 days"],
)
async def test_a_policy_keeps_its_bounds(
    program: DeployedProgram, asset: Asset, bad: dict[str, int], good: dict[str, int]
) -> None:
    await program.refused(loosening(asset, replace(ROOMY, **bad)), ErrorCode.PolicyInvalid)
    await program.accepted(loosening(asset, replace(ROOMY, **good)))


async def test_the_strictest_policy_keeps_them_too(program: DeployedProgram, asset: Asset) -> None:
    await program.refused(tightening(asset, replace(ROOMY, max_age_secs=0)), ErrorCode.PolicyInvalid)
    await program.accepted(tightening(asset, replace(ROOMY, max_age_secs=1)))


async def test_a_smaller_bucket_keeps_no_more_than_its_size(program: DeployedProgram, asset: Asset) -> None:
    """What was saved up under a looser policy does not survive a stricter one."""
    await asset.attest(1_000)
    small = replace(ROOMY, mint_burst_raw=100, mint_refill_raw_per_sec=0)
    await program.accepted(tightening(asset, small))
    assert (await asset.read()).mint_bucket.level_raw == 100
    await program.accepted(loosening(asset, replace(ROOMY, mint_refill_raw_per_sec=0)))
    assert (await asset.read()).mint_bucket.level_raw == 100
    await program.refused(await asset.mint_call(101), ErrorCode.BucketEmpty)
    await program.accepted(await asset.mint_call(100))
