"""Amounts and multipliers. Integers and exact fractions; a float never holds money.

`raw` is base units of a mint (u64), `shares_nano` integer billionths of a share (u64), `multiplier_bits` the
64 bits of the f64 in the mint's ScaledUiAmount extension, computed with as the exact fraction it denotes.
"""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from typing import NewType

Address = NewType("Address", bytes)
"""A Solana address: 32 raw bytes. Base58 exists only at the edges."""

ZERO_ADDRESS = Address(bytes(32))
U64_MAX = 2**64 - 1
SHARE_DECIMALS = 9
NANO_PER_SHARE = 10**9
BPS = 10_000
MILLIS_PER_SEC = 1_000

_MIN_NORMAL_EXPONENT = 1
_SPECIAL_EXPONENT = 0x7FF
_MANTISSA_BITS = 52
_EXPONENT_BIAS = 1075  # 1023 + 52: the value is significand * 2**(exponent - 1075)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
#: Longer than any u64 or f64 needs; beyond 4,300 digits Python refuses to convert a text by an error of its own.
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,399})(\.[0-9]{1,1100})?")


class UnitError(ValueError):
    """An amount or multiplier that is not one; the message names the value and what would be right."""


def checked_u64(value: int, name: str) -> int:
    """`value` if it fits an u64, else UnitError naming `name`."""
    if not 0 <= value <= U64_MAX:
        raise UnitError(f"{name} is {value}: it must be an integer from 0 to {U64_MAX}")
    return value


def multiplier_fraction(multiplier_bits: int) -> Fraction:
    """The exact value of an f64's bits. UnitError unless it is positive, finite and normal (IEEE 754)."""
    checked_u64(multiplier_bits, "multiplier_bits")
    exponent = (multiplier_bits >> _MANTISSA_BITS) & 0x7FF
    if multiplier_bits >> 63 or not _MIN_NORMAL_EXPONENT <= exponent < _SPECIAL_EXPONENT:
        raise UnitError(f"multiplier_bits {multiplier_bits} is not a positive, finite, normal f64")
    significand = (multiplier_bits & ((1 << _MANTISSA_BITS) - 1)) | (1 << _MANTISSA_BITS)
    return Fraction(significand) * Fraction(2) ** (exponent - _EXPONENT_BIAS)


def multiplier_bits_of(text: str) -> int:
    """The bits of the f64 nearest to a plain decimal such as "1.0032690125398187". UnitError otherwise."""
    if not _DECIMAL.fullmatch(text):
        raise UnitError(f"multiplier {text!r} is not a plain decimal number such as 1.0032")
    bits: int = struct.unpack("<Q", struct.pack("<d", float(text)))[0]
    multiplier_fraction(bits)
    return bits


def multiplier_text(multiplier_bits: int) -> str:
    """The shortest decimal that denotes exactly these bits; for people."""
    value: float = struct.unpack("<d", struct.pack("<Q", multiplier_bits))[0]
    return repr(value)


def capacity_raw(shares_nano: int, multiplier_bits: int, decimals: int) -> int:
    """The raw supply those shares can back: floor(shares_nano * 10**decimals / (10**9 * multiplier)).

    UnitError where the result does not fit an u64 (design, section 2).
    """
    checked_u64(shares_nano, "shares_nano")
    exact = Fraction(shares_nano * 10**decimals, NANO_PER_SHARE) / multiplier_fraction(multiplier_bits)
    return checked_u64(exact.numerator // exact.denominator, "capacity_raw")


def exact_nano(amount_raw: int, multiplier_bits: int, decimals: int) -> Fraction:
    """What `amount_raw` is worth at that multiplier, in billionths of a share, exactly."""
    return Fraction(amount_raw * NANO_PER_SHARE, 10**decimals) * multiplier_fraction(multiplier_bits)


def shares_nano_for(amount_raw: int, multiplier_bits: int, decimals: int) -> int:
    """The fewest shares_nano that back `amount_raw` (rounds up: the holder is owed at least this)."""
    exact = exact_nano(amount_raw, multiplier_bits, decimals)
    return checked_u64(-(-exact.numerator // exact.denominator), "shares_nano")


def lacks_less_than_nano(claimed_raw: int, shares_nano: int, multiplier_bits: int, decimals: int) -> int:
    """The fewest billionths such that `shares_nano` and less than these are worth `claimed_raw`: at least 1, and the
    greatest u64 where amount or worth of the claim does not fit one."""
    claimed_nano = exact_nano(claimed_raw, multiplier_bits, decimals)
    whole_nano = claimed_nano.numerator // claimed_nano.denominator
    if claimed_raw > U64_MAX or whole_nano > U64_MAX:
        return U64_MAX
    return min(U64_MAX, max(0, whole_nano - shares_nano) + 1)


def shares_nano_of(text: str) -> int:
    """Parse a decimal number of shares; digits beyond the ninth decimal are cut off (less is attested, never more)."""
    if not _DECIMAL.fullmatch(text):
        raise UnitError(f"shares {text!r} is not a plain decimal number such as 12.5")
    exact = Fraction(text) * NANO_PER_SHARE
    return checked_u64(exact.numerator // exact.denominator, "shares_nano")


def shares_text(shares_nano: int) -> str:
    """Billionths of a share as a decimal number of shares; for people."""
    return decimal_text(shares_nano, SHARE_DECIMALS)


def decimal_text(value: int, decimals: int) -> str:
    """An integer of 10**-decimals units as a plain decimal without trailing zeros; for people."""
    sign, digits = ("-", -value) if value < 0 else ("", value)
    whole, part = divmod(digits, 10**decimals)
    fraction = f"{part:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{sign}{whole:,}" + (f".{fraction}" if fraction else "")


def address_text(address: bytes) -> str:
    """An address as people know it (base58, the Bitcoin alphabet); for messages."""
    number, digits = int.from_bytes(address, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    zeros = len(address) - len(address.lstrip(b"\0"))
    return "1" * zeros + digits
