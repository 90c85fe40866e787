"""Amounts and multipliers are exact."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from xstocks_daemon.domain.units import (
    U64_MAX,
    UnitError,
    capacity_raw,
    decimal_text,
    multiplier_bits_of,
    multiplier_fraction,
    multiplier_text,
    shares_nano_for,
    shares_nano_of,
    shares_text,
)

MULTIPLIERS = st.floats(min_value=1e-6, max_value=1e6).map(
    lambda value: struct.unpack("<Q", struct.pack("<d", value))[0]
)
SHARES = st.integers(0, U64_MAX)


@given(st.floats(min_value=2.3e-308, max_value=1.7e308, allow_nan=False))
def test_a_multiplier_is_the_exact_fraction_of_its_bits(value: float) -> None:
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    assert multiplier_fraction(bits) == Fraction(value)


@pytest.mark.parametrize("value", [0.0, -0.0, -1.0, 5e-324, float("inf"), float("-inf"), float("nan")])
def test_what_is_not_a_multiplier(value: float) -> None:
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    with pytest.raises(UnitError, match="multiplier_bits"):
        multiplier_fraction(bits)


@given(MULTIPLIERS)
def test_a_multiplier_survives_its_text(bits: int) -> None:
    text = multiplier_text(bits)
    assume("e" not in text)
    assert multiplier_bits_of(text) == bits


@given(SHARES, MULTIPLIERS, st.integers(0, 9))
@example(U64_MAX, multiplier_bits_of("1.0"), 9)
def test_capacity_is_the_floor_of_the_exact_quotient(shares_nano: int, bits: int, decimals: int) -> None:
    exact = Fraction(shares_nano * 10**decimals, 10**9) / multiplier_fraction(bits)
    assume(exact < 2**64)
    capacity = capacity_raw(shares_nano, bits, decimals)
    assert capacity <= exact < capacity + 1


@given(st.integers(0, U64_MAX), st.integers(0, 10**6), MULTIPLIERS)
def test_more_shares_never_back_less(shares_nano: int, more: int, bits: int) -> None:
    assume(Fraction(shares_nano + more, 10) / multiplier_fraction(bits) < 2**64)
    assume(shares_nano + more <= U64_MAX)
    assert capacity_raw(shares_nano, bits, 8) <= capacity_raw(shares_nano + more, bits, 8)


def test_a_capacity_beyond_u64_is_refused() -> None:
    one = multiplier_bits_of("1.0")
    assert capacity_raw(U64_MAX, one, 9) == U64_MAX
    half = multiplier_bits_of("0.5")
    assert capacity_raw(U64_MAX // 2, half, 9) == U64_MAX - 1
    with pytest.raises(UnitError, match="capacity_raw"):
        capacity_raw(U64_MAX // 2 + 1, half, 9)


def test_an_entry_holds_18_billion_shares_and_not_one_billionth_more() -> None:
    assert shares_text(U64_MAX) == "18,446,744,073.709551615"
    assert shares_nano_of("18446744073.709551615") == U64_MAX
    one = multiplier_bits_of("1.0")
    assert shares_nano_for(U64_MAX // 10, one, 8) == U64_MAX - 5
    with pytest.raises(UnitError, match="shares_nano"):
        shares_nano_of("18446744073.709551616")
    with pytest.raises(UnitError, match="shares_nano"):
        shares_nano_for(U64_MAX // 10 + 1, one, 8)


def test_what_an_inexact_multiplier_leaves_is_one_base_unit() -> None:
    """The f64 of 0.1 is a little more than a tenth, so 2.5 shares back 25 tokens but for one base unit."""
    tenth, shares = multiplier_bits_of("0.1"), shares_nano_of("2.5")
    assert capacity_raw(shares, tenth, 8) == 25 * 10**8 - 1
    assert shares_nano_for(25 * 10**8, tenth, 8) == shares + 1


@given(st.integers(1, 10**15), MULTIPLIERS)
def test_the_fewest_shares_that_back_an_amount(amount_raw: int, bits: int) -> None:
    assume(amount_raw * 10 * multiplier_fraction(bits) < 2**63)
    shares = shares_nano_for(amount_raw, bits, 8)
    assert capacity_raw(shares, bits, 8) >= amount_raw
    assert capacity_raw(shares - 1, bits, 8) < amount_raw


@given(st.integers(0, U64_MAX))
def test_shares_survive_their_text(shares_nano: int) -> None:
    assert shares_nano_of(shares_text(shares_nano).replace(",", "")) == shares_nano


def test_digits_beyond_a_billionth_are_cut_off() -> None:
    assert shares_nano_of("12.3456789019") == 12_345_678_901


@pytest.mark.parametrize("text", ["", "-1", "+1", "1e3", "1.", ".5", "01", "1,000", " 1", "NaN", "١", "9" * 5_000])
def test_what_is_not_a_decimal_number(text: str) -> None:
    with pytest.raises(UnitError):
        shares_nano_of(text)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0, 8, "0"), (150_000_000, 8, "1.5"), (-1, 8, "-0.00000001"), (123_456_700, 2, "1,234,567"), (5, 0, "5")],
)
def test_decimal_text(value: int, decimals: int, text: str) -> None:
    assert decimal_text(value, decimals) == text
