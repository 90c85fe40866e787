"""What follows from a snapshot: what counts from when to when, and sums that end where the program's end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import (
    ALPACA,
    GTN,
    NOW_TS,
    ONE_BITS,
    POLICY,
    TWO_BITS,
    config,
    custodian,
    entry,
    mint_address,
    snapshot,
    view,
)
from tests.domain.deciding import MINT
from xstocks_daemon.domain.reserve import Terms, reserve_of
from xstocks_daemon.domain.snapshot import Bucket, EntryState, backing_raw, ceiling_raw, entry_is_fresh
from xstocks_daemon.domain.units import U64_MAX


def test_capacities_beyond_u64_count_as_the_greatest_u64() -> None:
    """As in the program and its Rust reader: a ceiling above it would promise what no mint can use."""
    custodians = {address: custodian(address) for address in (ALPACA, GTN)}
    mint = mint_address(1)
    for other_raw, expected_raw in ((6, U64_MAX - 5), (5, U64_MAX - 5), (4, U64_MAX - 6)):
        entries = [entry(ALPACA, U64_MAX - 5, redeemed_total_raw=5), entry(GTN, other_raw)]
        one = view(mint, entries)
        assert backing_raw(one, custodians, NOW_TS) == expected_raw
        assert ceiling_raw(one, custodians, NOW_TS) == expected_raw
        reserve = reserve_of(
            config(),
            one.asset,
            mint,
            one.mint,
            custodians.values(),
            NOW_TS,
            upgrade_authority=None,
            terms=Terms(0, None),
        )
        assert (reserve.ceiling_raw, reserve.unseen_raw) == (expected_raw, 5)


@pytest.mark.parametrize(
    ("changes", "fresh"),
    [
        ({}, True),
        ({"state": EntryState.DETACHED}, False),
        ({"withdrawn": True}, False),
        ({"epoch": 0}, False),
        ({"observed_ms": (NOW_TS - 3_600) * 1_000}, True),
        ({"observed_ms": (NOW_TS - 3_600) * 1_000 - 1}, False),
        ({"expires_ts": NOW_TS + 1}, True),
        ({"expires_ts": NOW_TS}, False),
        ({"multiplier_bits": TWO_BITS}, False),
    ],
)
def test_what_makes_an_entry_count(changes: Any, fresh: bool) -> None:
    one = entry(ALPACA, 60, **changes)
    assert entry_is_fresh(one, custodian(ALPACA), POLICY, ONE_BITS, NOW_TS) is fresh
    assert not entry_is_fresh(one, None, POLICY, ONE_BITS, NOW_TS)


def test_unseen_redemptions_of_all_entries_are_taken_off_and_a_ceiling_stops_at_zero() -> None:
    one = view(MINT, [entry(ALPACA, 2), entry(GTN, 0, epoch=0, redeemed_total_raw=5, redeemed_seen_raw=1)])
    custodians = snapshot(one).custodians
    assert (backing_raw(one, custodians, NOW_TS), ceiling_raw(one, custodians, NOW_TS)) == (-2, 0)


@pytest.mark.parametrize(("now_ts", "in_force"), [(NOW_TS - 1, ONE_BITS), (NOW_TS, TWO_BITS), (NOW_TS + 1, TWO_BITS)])
def test_a_multiplier_is_in_force_from_its_second_on(now_ts: int, in_force: int) -> None:
    one = view(
        MINT,
        [],
        pending_multiplier_bits=TWO_BITS,
        multiplier_effective_ts=NOW_TS,
        mint_changes={"new_multiplier_bits": TWO_BITS, "new_multiplier_effective_ts": NOW_TS},
    )
    assert one.asset.effective_multiplier_bits(now_ts) == in_force
    assert one.mint.effective_multiplier_bits(now_ts) == in_force
    assert view(MINT, []).asset.effective_multiplier_bits(now_ts) == ONE_BITS


def test_a_bucket_refills_by_seconds_to_its_burst_and_never_backwards() -> None:
    bucket = Bucket(5, NOW_TS)
    assert [bucket.level_at(NOW_TS + secs, 10, 2) for secs in (-9, 0, 1, 2, 3, 9)] == [5, 5, 7, 9, 10, 10]


def test_what_holders_burnt_is_what_no_total_explains() -> None:
    one = view(MINT, [], supply_raw=50, adopted_raw=7, minted_raw=60, burnt_raw=9)
    assert one.holder_burnt_raw == 7 + 60 - 9 - 50


def test_the_window_around_a_change_is_that_of_the_policy() -> None:
    """M9: from the announcement on, and for so long after it took effect or was cancelled."""
    changed = view(MINT, [], multiplier_changed_ts=NOW_TS).asset
    ends_ts = NOW_TS + POLICY.ca_window_secs
    assert [changed.around_change(now_ts) for now_ts in (NOW_TS, ends_ts - 1, ends_ts)] == [True, True, False]
    announced = view(MINT, [], multiplier_effective_ts=NOW_TS + 9).asset
    assert announced.around_change(NOW_TS)
    assert announced.change_announced
    assert not view(MINT, []).asset.around_change(NOW_TS)


def test_inventory_and_tokens_that_wait_for_redemption_do_not_circulate() -> None:
    one = replace(view(MINT, [], supply_raw=50, vault_raw=20), redemption_vault_raw=7)
    assert one.circulating_raw == 23
