"""What a reserve says, at the edges of each answer (the vectors shared with Rust are in tests/reserve)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import ALPACA, GTN, NOW_TS, TWO_BITS, config, custodian, entry, mint_address, view
from xstocks_daemon.domain.reserve import Reserve, ReserveError, Terms, reserve_of
from xstocks_daemon.domain.snapshot import AssetState, AssetView, Scope
from xstocks_daemon.domain.units import Address

MINT = mint_address(1)
ENTRIES = [entry(ALPACA, 60), entry(GTN, 40, redeemed_total_raw=7, redeemed_seen_raw=4)]


def reserve(
    one: AssetView, *, mint: Address = MINT, custodians: tuple[Address, ...] = (ALPACA, GTN), **changes: Any
) -> Reserve:
    now_ts = changes.pop("now_ts", NOW_TS)
    authority, terms = changes.pop("upgrade_authority", None), changes.pop("terms", Terms(0, None))
    return reserve_of(
        config(**changes),
        one.asset,
        mint,
        one.mint,
        [custodian(each) for each in custodians],
        now_ts,
        upgrade_authority=authority,
        terms=terms,
    )


@pytest.mark.parametrize(("supply_raw", "backed", "shortfall_raw"), [(96, True, 0), (97, True, 0), (98, False, 1)])
def test_a_supply_is_backed_up_to_the_ceiling_exactly(supply_raw: int, backed: bool, shortfall_raw: int) -> None:
    found = reserve(view(MINT, ENTRIES, supply_raw))
    assert (found.ceiling_raw, found.fully_backed, found.shortfall_raw) == (97, backed, shortfall_raw)


def test_a_custodian_that_is_left_out_counts_zero_and_its_unseen_redemptions_count() -> None:
    found = reserve(view(MINT, ENTRIES, 50), custodians=(ALPACA,))
    assert (found.ceiling_raw, found.unseen_raw) == (57, 3)


def test_no_statement_counts_where_the_mint_applies_another_multiplier() -> None:
    one = view(MINT, ENTRIES, 50)
    other = replace(one, mint=replace(one.mint, new_multiplier_bits=TWO_BITS))
    found = reserve(other)
    assert (found.ceiling_raw, found.fully_backed, found.newest_age_secs) == (0, False, None)
    assert reserve(one).newest_age_secs == 100


@pytest.mark.parametrize(
    ("observed_ms", "age_secs"),
    [(NOW_TS * 1_000, 0), (NOW_TS * 1_000 - 1, 1), (NOW_TS * 1_000 - 1_000, 1), (NOW_TS * 1_000 + 500, 0)],
)
def test_an_age_is_rounded_up_and_never_negative(observed_ms: int, age_secs: int) -> None:
    found = reserve(view(MINT, [entry(ALPACA, 60, observed_ms=observed_ms)], 50), custodians=(ALPACA,))
    assert (found.newest_age_secs, found.oldest_age_secs) == (age_secs, age_secs)


@pytest.mark.parametrize(
    ("sealed", "state", "enforced"),
    [
        (True, AssetState.ACTIVE, True),
        (True, AssetState.RETIRED, True),
        (False, AssetState.ACTIVE, False),
        (True, AssetState.RELEASED, False),
    ],
)
def test_nothing_is_enforced_before_sealing_or_after_release(sealed: bool, state: AssetState, enforced: bool) -> None:
    assert reserve(view(MINT, ENTRIES, 50, state=state), sealed=sealed).enforced is enforced


@pytest.mark.parametrize(
    ("timelock_secs", "asked_secs", "authority", "expected", "enforced"),
    [
        (3_600, 3_600, None, None, True),
        (3_599, 3_600, None, None, False),
        (3_600, 3_600, ALPACA, ALPACA, True),
        (3_600, 3_600, None, ALPACA, True),
        (3_600, 3_600, ALPACA, None, False),
        (3_600, 3_600, ALPACA, GTN, False),
    ],
)
def test_rules_are_enforced_on_the_readers_terms(
    timelock_secs: int, asked_secs: int, authority: Address | None, expected: Address | None, enforced: bool
) -> None:
    terms = Terms(asked_secs, expected)
    found = reserve(view(MINT, ENTRIES, 50), timelock_secs=timelock_secs, upgrade_authority=authority, terms=terms)
    assert found.enforced is enforced


def test_a_pause_of_everything_is_one_of_the_asset_too() -> None:
    found = reserve(view(MINT, ENTRIES, 50, paused=Scope.BURN), paused=Scope.MINT)
    assert found.paused == Scope.MINT | Scope.BURN


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"now_ts": -1}, "the clock says -1: that is no Unix time"),
        ({"now_ts": 2**40}, f"the clock says {2**40}: that is no Unix time"),
        ({"mint": mint_address(2)}, "^mint .* is not the asset's: that is "),
        ({"custodians": (ALPACA, GTN, Address(b"z" * 32))}, "^custodian .* has no entry in the asset$"),
    ],
)
def test_what_does_not_belong_together_is_refused(changes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ReserveError, match=message):
        reserve(view(MINT, ENTRIES, 50), **changes)
