"""Arithmetic is not a shortfall: what rounding down and inexact multipliers leave is shown, and nothing is burnt."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.domain.builders import ALPACA, GTN, asset_plan_of, custody, entry, statement, view
from tests.domain.deciding import MINT, NEVER_ASKS, decide
from xstocks_daemon.domain.decisions import Action, AssetPlan, Reason
from xstocks_daemon.domain.plan_inputs import PlanPolicy
from xstocks_daemon.domain.snapshot import EntryState
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import (
    U64_MAX,
    Address,
    capacity_raw,
    exact_nano,
    multiplier_bits_of,
    multiplier_fraction,
)

ACTIONS = Path(__file__).parents[2] / "localnet" / "catalogue" / "corporate_actions.json"
TENTH = multiplier_bits_of("0.1")
TOKENS_RAW, SHARES_NANO = 25 * 10**8, 2_500_000_000


def said(custodian: Address, shares_nano: int, bits: int, secs_ago: int) -> SignedStatement:
    """A custodian's statement of those shares."""
    one = statement(custodian, {MINT: capacity_raw(shares_nano, bits, 8)}, secs_ago, multiplier_bits=bits)
    entries = tuple(replace(line, shares_nano=shares_nano) for line in one.statement.entries)
    return replace(one, statement=replace(one.statement, entries=entries))


def planned(
    shares_nano: dict[Address, int], supply_raw: int, bits: int, policy: PlanPolicy = NEVER_ASKS, vault_raw: int = 10**9
) -> AssetPlan:
    """The plan of an asset whose custodians have said that twice, and whose chain has it."""
    entries = [
        entry(custodian, capacity_raw(shares, bits, 8), shares_nano=shares, multiplier_bits=bits)
        for custodian, shares in shares_nano.items()
    ]
    pairs = [(said(one, shares, bits, 10), said(one, shares, bits, 50)) for one, shares in shares_nano.items()]
    on_mint = {"multiplier_bits": bits, "new_multiplier_bits": bits}
    one = view(MINT, entries, supply_raw, vault_raw, mint_changes=on_mint, multiplier_bits=bits)
    return asset_plan_of(decide(one, custody(pairs), policy), MINT)


def test_the_unit_that_no_float_leaves_is_rounding_and_is_not_burnt() -> None:
    line = planned({ALPACA: SHARES_NANO}, TOKENS_RAW, TENTH)
    assert (line.action, line.amount_raw, line.reason) == (Action.NONE, 0, Reason.ROUNDING)
    assert (line.excess_raw, line.rounding_raw, line.shortfall_raw) == (1, 1, 0)
    assert line.on_target
    assert line.target_raw == TOKENS_RAW - 1


def test_one_billionth_less_than_that_is_missing_and_is_burnt() -> None:
    line = planned({ALPACA: SHARES_NANO - 1}, TOKENS_RAW, TENTH)
    assert (line.action, line.amount_raw, line.reason) == (Action.BURN, 2, Reason.TO_TARGET)
    assert (line.rounding_raw, line.on_target) == (0, False)
    empty = planned({ALPACA: SHARES_NANO - 1}, TOKENS_RAW, TENTH, vault_raw=0)
    assert (empty.reason, empty.shortfall_raw) == (Reason.SHORTFALL, 2)


@pytest.mark.parametrize(("limit_nano", "reason"), [(0, Reason.TO_TARGET), (1, Reason.TO_TARGET), (2, Reason.ROUNDING)])
def test_the_policy_says_what_is_rounding(limit_nano: int, reason: Reason) -> None:
    policy = replace(NEVER_ASKS, rounding_nano=limit_nano)
    assert planned({ALPACA: SHARES_NANO - 1}, TOKENS_RAW, TENTH, policy).reason is reason


def test_no_limit_burns_even_the_unit_of_the_float() -> None:
    line = planned({ALPACA: SHARES_NANO}, TOKENS_RAW, TENTH, replace(NEVER_ASKS, rounding_nano=0))
    assert (line.action, line.amount_raw) == (Action.BURN, 1)


def test_an_entry_that_does_not_count_has_no_rounding() -> None:
    bits = {"multiplier_bits": TENTH, "new_multiplier_bits": TENTH}
    entries = [
        entry(ALPACA, TOKENS_RAW - 2, shares_nano=SHARES_NANO - 1, multiplier_bits=TENTH),
        entry(GTN, 0, state=EntryState.DETACHED, multiplier_bits=TENTH),
    ]
    one = view(MINT, entries, TOKENS_RAW, 0, mint_changes=bits, multiplier_bits=TENTH)
    pair = (said(ALPACA, SHARES_NANO - 1, TENTH, 10), said(ALPACA, SHARES_NANO - 1, TENTH, 50))
    line = asset_plan_of(decide(one, custody([pair]), NEVER_ASKS), MINT)
    assert (line.reason, line.rounding_raw) == (Reason.SHORTFALL, 0)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="rounding_nano"):
        PlanPolicy(rounding_nano=-1)


SHARES = st.integers(1, 10**15)
MULTIPLIERS = st.floats(0.05, 200.0).map(lambda value: multiplier_bits_of(f"{value:.17f}"))


@given(SHARES, SHARES, MULTIPLIERS)
def test_what_the_shares_of_all_entries_pay_is_never_burnt_or_a_shortfall(one: int, two: int, bits: int) -> None:
    """Each entry's capacity is rounded down for itself; together their shares may pay for a unit more."""
    supply_raw = floor(Fraction(one + two, 10) / multiplier_fraction(bits))
    assume(supply_raw <= U64_MAX)
    line = planned({ALPACA: one, GTN: two}, supply_raw, bits)
    assert line.amount_raw == 0
    assert (line.shortfall_raw, line.rounding_raw) == (0, line.excess_raw)
    assert line.on_target


@given(SHARES, SHARES, st.integers(0, 20), MULTIPLIERS)
def test_what_lacks_a_billionth_for_each_entry_is_missing(one: int, two: int, over_raw: int, bits: int) -> None:
    """From two billionths on, of two entries, the whole excess is a shortfall; below it none of it is."""
    supply_raw = ceil(Fraction(one + two, 10) / multiplier_fraction(bits)) + over_raw
    assume(supply_raw <= U64_MAX)
    line = planned({ALPACA: one, GTN: two}, supply_raw, bits, vault_raw=0)
    missing = exact_nano(supply_raw, bits, 8) - (one + two) >= 2
    assert line.action is Action.NONE
    assert (line.shortfall_raw, line.rounding_raw) == ((line.excess_raw, 0) if missing else (0, line.excess_raw))
    assert (line.reason is Reason.SHORTFALL) == missing


def test_honest_books_end_short_after_no_recorded_change_of_a_multiplier() -> None:
    """1,000 shares whose tokens are all issued; at each change the shares rise as the multiplier did, rounded down."""
    changes = json.loads(ACTIONS.read_text())["multiplier_history"]
    short_by: dict[int, list[int]] = {}
    for per_share in (10**6, 10**9):
        short_by[per_share] = []
        for change in changes:
            old, new = (multiplier_bits_of(f"{float(change[f'multiplier_{which}']):.40f}") for which in ("old", "new"))
            nano = 10**9 // per_share
            supply_raw = capacity_raw(1_000 * 10**9, old, 8)
            kept = floor(1_000 * per_share * multiplier_fraction(new) / multiplier_fraction(old)) * nano
            short_raw = max(0, supply_raw - capacity_raw(kept, new, 8))
            short_by[per_share].append(short_raw)
            if per_share == 10**9:
                line = planned({ALPACA: kept}, supply_raw, new)
                assert (line.amount_raw if line.action is Action.BURN else 0, line.shortfall_raw) == (0, 0)
                assert line.rounding_raw == short_raw
    millionths, billionths = short_by[10**6], short_by[10**9]
    assert (len(changes), sum(short > 0 for short in millionths), max(millionths)) == (645, 635, 124)
    assert (sum(short > 0 for short in billionths), max(billionths)) == (355, 1)
