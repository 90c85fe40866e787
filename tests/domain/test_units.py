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
    shares_micro_for,
    shares_micro_of,
    shares_text,
)

MULTIPLIERS = st.floats(min_value=1e-6, max_value=1e6).map(
    lambda value: struct.unpack("<Q", struct.pack("<d", value))[0]
)
SHARES = st.integers(0, 10**16)


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
@example(U64_MAX, multiplier_bits_of("1.0"), 6)
def test_capacity_is_the_floor_of_the_exact_quotient(shares_micro: int, bits: int, decimals: int) -> None:
    exact = Fraction(shares_micro * 10**decimals, 10**6) / multiplier_fraction(bits)
    assume(exact < 2**64)
    capacity = capacity_raw(shares_micro, bits, decimals)
    assert capacity <= exact < capacity + 1


@given(st.integers(0, U64_MAX), st.integers(0, 10**6), MULTIPLIERS)
def test_more_shares_never_back_less(shares_micro: int, more: int, bits: int) -> None:
    assume(Fraction((shares_micro + more) * 100) / multiplier_fraction(bits) < 2**64)
    assume(shares_micro + more <= U64_MAX)
    assert capacity_raw(shares_micro, bits, 8) <= capacity_raw(shares_micro + more, bits, 8)


def test_a_capacity_beyond_u64_is_refused() -> None:
    one = multiplier_bits_of("1.0")
    assert capacity_raw(U64_MAX, one, 6) == U64_MAX
    with pytest.raises(UnitError, match="capacity_raw"):
        capacity_raw(U64_MAX, one, 7)


@given(st.integers(1, 10**15), MULTIPLIERS)
def test_the_fewest_shares_that_back_an_amount(amount_raw: int, bits: int) -> None:
    needed = Fraction(amount_raw, 100) * multiplier_fraction(bits)
    assume(needed < 2**63)
    assume(Fraction(100) / multiplier_fraction(bits) < 2**30)
    shares = shares_micro_for(amount_raw, bits, 8)
    assert capacity_raw(shares, bits, 8) >= amount_raw
    assert capacity_raw(shares - 1, bits, 8) < amount_raw


@given(st.integers(0, U64_MAX))
def test_shares_survive_their_text(shares_micro: int) -> None:
    assert shares_micro_of(shares_text(shares_micro).replace(",", "")) == shares_micro


def test_digits_beyond_a_millionth_are_cut_off() -> None:
    assert shares_micro_of("12.3456789") == 12_345_678


@pytest.mark.parametrize("text", ["", "-1", "+1", "1e3", "1.", ".5", "01", "1,000", " 1", "NaN", "١", "9" * 5_000])
def test_what_is_not_a_decimal_number(text: str) -> None:
    with pytest.raises(UnitError):
        shares_micro_of(text)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0, 8, "0"), (150_000_000, 8, "1.5"), (-1, 8, "-0.00000001"), (123_456_700, 2, "1,234,567"), (5, 0, "5")],
)
def test_decimal_text(value: int, decimals: int, text: str) -> None:
    assert decimal_text(value, decimals) == text
