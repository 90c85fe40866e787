//! Exact integer arithmetic for amounts. LLVM's BPF backend has no 128-bit multiply and no checked 64-bit one, so
//! products are built from 32-bit halves.

use crate::error::{Error, Result};

/// Basis points of one.
pub const BPS: u64 = 10_000;
/// Bits of an f64 mantissa that are stored.
const MANTISSA_BITS: u32 = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
/// Biased exponent of infinity and NaN.
const EXPONENT_SPECIAL: u64 = 0x7FF;
/// value = mantissa * 2^(biased exponent - 1075), the mantissa with its hidden bit.
const EXPONENT_BIAS: u64 = 1075;

/// An unsigned 128-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wide {
    pub high: u64,
    pub low: u64,
}

impl Wide {
    #[inline(always)]
    pub const fn less_or_equal(self, other: Self) -> bool {
        self.high < other.high || (self.high == other.high && self.low <= other.low)
    }

    /// self * 2^shift; None where it does not fit 128 bits.
    #[inline(always)]
    fn checked_shift(self, shift: u64) -> Option<Self> {
        if self.high == 0 && self.low == 0 {
            return Some(self);
        }
        if shift == 0 {
            return Some(self);
        }
        if shift < 64 {
            if self.high >> (64 - shift) != 0 {
                return None;
            }
            return Some(Self { high: (self.high << shift) | (self.low >> (64 - shift)), low: self.low << shift });
        }
        if shift >= 128 || self.high != 0 || (shift > 64 && self.low >> (128 - shift) != 0) {
            return None;
        }
        Some(Self { high: self.low << (shift - 64), low: 0 })
    }

    /// self - other; None where it is negative.
    #[inline(always)]
    const fn checked_minus(self, other: Self) -> Option<Self> {
        if !other.less_or_equal(self) {
            return None;
        }
        let borrow = (self.low < other.low) as u64;
        Some(Self {
            high: self.high.wrapping_sub(other.high).wrapping_sub(borrow),
            low: self.low.wrapping_sub(other.low),
        })
    }
}

/// a * b in full. Each partial product of 32-bit halves fits 64 bits; the wrapping operations below never wrap,
/// they only keep overflow checks out of debug builds' way.
#[inline(always)]
pub const fn multiply(a: u64, b: u64) -> Wide {
    const HALF: u64 = 0xFFFF_FFFF;
    let (a1, a0, b1, b0) = (a >> 32, a & HALF, b >> 32, b & HALF);
    let low = a0.wrapping_mul(b0);
    let middle = a1.wrapping_mul(b0).wrapping_add(low >> 32);
    let middle2 = a0.wrapping_mul(b1).wrapping_add(middle & HALF);
    Wide {
        high: a1.wrapping_mul(b1).wrapping_add(middle >> 32).wrapping_add(middle2 >> 32),
        low: (middle2 << 32) | (low & HALF),
    }
}

/// a + b, or u64::MAX where it does not fit.
#[inline(always)]
pub const fn saturating_add(a: u64, b: u64) -> u64 {
    let sum = a.wrapping_add(b); // compared below: fewer instructions here than checked_add
    if sum < a {
        u64::MAX
    } else {
        sum
    }
}

/// Refuses a multiplier that is not a normal positive finite number: zero, negative, NaN, infinite, subnormal.
///
/// # Errors
/// MultiplierInvalid.
#[inline(always)]
pub fn check_multiplier(bits: u64) -> Result {
    // The sign bit makes the shifted exponent larger than EXPONENT_SPECIAL.
    let exponent = bits >> MANTISSA_BITS;
    if exponent == 0 || exponent >= EXPONENT_SPECIAL {
        return Err(Error::MultiplierInvalid);
    }
    Ok(())
}

/// Whether capacity_raw == floor(shares_micro * 10^8 / (10^6 * multiplier)), exactly, for a mint of 8 decimals.
///
/// With multiplier = m * 2^e this is capacity * m * 2^e <= 100 * shares < (capacity + 1) * m * 2^e. The products
/// stay below 2^117 and 2^71; a shift that leaves 128 bits decides the comparison by itself.
#[inline(never)] // on its own it keeps more in registers
pub fn is_capacity(shares_micro: u64, multiplier_bits: u64, capacity_raw: u64) -> bool {
    /// 10^decimals / 10^6
    const RAW_PER_MICRO: u64 = 100;
    if check_multiplier(multiplier_bits).is_err() {
        return false;
    }
    let mantissa = (multiplier_bits & MANTISSA_MASK) | (1 << MANTISSA_BITS);
    let biased = multiplier_bits >> MANTISSA_BITS;
    let value = multiply(capacity_raw, mantissa);
    // The short way, for multipliers from 2^-11 to 2^52 and shares whose product fits 64 bits: nearly always.
    let shift = EXPONENT_BIAS.wrapping_sub(biased);
    if shift.wrapping_sub(1) < 63 && shares_micro <= u64::MAX / RAW_PER_MICRO {
        let shares = shares_micro.wrapping_mul(RAW_PER_MICRO); // fits, as just checked
        let (high, low) = (shares >> (64 - shift), shares << shift);
        let borrow = (low < value.low) as u64;
        // high - borrow is the high half of value, and the rest is less than one unit.
        return high == value.high.wrapping_add(borrow) && low.wrapping_sub(value.low) < mantissa;
    }
    let shares = multiply(shares_micro, RAW_PER_MICRO);
    // 0 <= shares - value < one unit of capacity, all scaled by the power of two that makes them integers.
    if biased <= EXPONENT_BIAS {
        // A scaled number of shares beyond 128 bits is beyond value + mantissa too.
        let Some(shares) = shares.checked_shift(EXPONENT_BIAS - biased) else { return false };
        shares.checked_minus(value).is_some_and(|rest| rest.high == 0 && rest.low < mantissa)
    } else {
        // multiplier >= 2^53
        let shift = biased - EXPONENT_BIAS;
        let unit = Wide { high: 0, low: mantissa }.checked_shift(shift);
        value
            .checked_shift(shift)
            .and_then(|value| shares.checked_minus(value))
            .is_some_and(|rest| unit.is_none_or(|unit| !unit.less_or_equal(rest)))
    }
}

/// Whether `new` is above `old` by more than `bps` basis points.
#[inline(always)]
pub const fn rises_above(old: u64, new: u64, bps: u32) -> bool {
    // BPS + bps < 2^33
    !multiply(new, BPS).less_or_equal(multiply(old, BPS + bps as u64))
}

/// Whether `new` is below `old` by more than `bps` basis points, at most all of them.
#[inline(always)]
pub const fn falls_below(old: u64, new: u64, bps: u32) -> bool {
    !multiply(old, BPS.saturating_sub(bps as u64)).less_or_equal(multiply(new, BPS))
}

/// Whether multiplier `new` is within `bps` basis points of `old`, exactly: new * BPS <= old * (BPS + bps) and
/// new * BPS >= old * (BPS - bps), where both are normal positive finite numbers (f64 bits).
#[inline(never)]
pub fn multiplier_within(old_bits: u64, new_bits: u64, bps: u32) -> bool {
    let product = |bits: u64, factor: u64| multiply((bits & MANTISSA_MASK) | (1 << MANTISSA_BITS), factor);
    let (old_exponent, new_exponent) = (old_bits >> MANTISSA_BITS, new_bits >> MANTISSA_BITS);
    let new = product(new_bits, BPS);
    let most = product(old_bits, BPS.wrapping_add(bps as u64)); // below 2^33
    let least = product(old_bits, BPS.saturating_sub(bps as u64));
    scaled_less_or_equal(new, new_exponent, most, old_exponent)
        && scaled_less_or_equal(least, old_exponent, new, new_exponent)
}

/// a * 2^a_exponent <= b * 2^b_exponent, for a and b that are not beyond 128 bits.
#[inline(always)]
fn scaled_less_or_equal(a: Wide, a_exponent: u64, b: Wide, b_exponent: u64) -> bool {
    match a_exponent.checked_sub(b_exponent) {
        // What leaves 128 bits is the larger one.
        Some(shift) => a.checked_shift(shift).is_some_and(|a| a.less_or_equal(b)),
        None => b.checked_shift(b_exponent.wrapping_sub(a_exponent)).is_none_or(|b| a.less_or_equal(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact_capacity(shares_micro: u64, multiplier: f64) -> Option<u64> {
        // Independent of the code above: num-free big rational by u128 long division in base 2.
        let bits = multiplier.to_bits();
        let mantissa = u128::from((bits & MANTISSA_MASK) | (1 << MANTISSA_BITS));
        let exponent = i64::try_from(bits >> MANTISSA_BITS).unwrap() - 1075;
        let (mut quotient, mut rest) =
            (u128::from(shares_micro) * 100 / mantissa, u128::from(shares_micro) * 100 % mantissa);
        if exponent >= 0 {
            return u64::try_from(if exponent > 100 { 0 } else { quotient >> exponent }).ok();
        }
        for _ in 0..-exponent {
            rest *= 2;
            quotient = quotient.checked_mul(2)? + rest / mantissa;
            rest %= mantissa;
            if quotient > u128::from(u64::MAX) {
                return None;
            }
        }
        u64::try_from(quotient).ok()
    }

    #[test]
    fn capacity_meets_the_golden_vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/capacity.json")).unwrap();
        let mut seen = 0;
        for vector in vectors.as_array().unwrap() {
            let number = |key: &str| vector[key].as_u64().unwrap();
            let (shares, bits) = (number("shares_micro"), number("multiplier_bits"));
            assert_eq!(number("decimals"), 8);
            match vector.get("capacity_raw") {
                Some(capacity) => {
                    let capacity = capacity.as_u64().unwrap();
                    assert!(is_capacity(shares, bits, capacity), "{vector}");
                    assert!(!is_capacity(shares, bits, capacity + 1), "{vector}");
                    assert!(capacity == 0 || !is_capacity(shares, bits, capacity - 1), "{vector}");
                }
                None => assert!(!is_capacity(shares, bits, u64::MAX), "{vector}"),
            }
            seen += 1;
        }
        assert_eq!(seen, 66);
    }

    #[test]
    fn a_multiplier_must_be_normal_positive_and_finite() {
        for bad in
            [0.0, -0.0, -1.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 2.0, 5e-324]
        {
            assert_eq!(check_multiplier(bad.to_bits()), Err(Error::MultiplierInvalid), "{bad}");
            assert!(!is_capacity(0, bad.to_bits(), 0));
        }
        for good in [1.0, f64::MIN_POSITIVE, f64::MAX, 0.1, 1e6] {
            assert_eq!(check_multiplier(good.to_bits()), Ok(()), "{good}");
        }
        assert!(is_capacity(1, f64::MAX.to_bits(), 0) && !is_capacity(1, f64::MIN_POSITIVE.to_bits(), u64::MAX));
    }

    #[test]
    fn u64_max_is_a_capacity_of_its_own_shares() {
        // 18446744073709551615 raw at multiplier 100: 18446744073709551615 * 100 / 100 micro shares.
        assert!(is_capacity(u64::MAX, 100f64.to_bits(), u64::MAX));
        assert!(!is_capacity(u64::MAX - 1, 100f64.to_bits(), u64::MAX));
        assert!(is_capacity(u64::MAX - 1, 100f64.to_bits(), u64::MAX - 1));
    }

    proptest! {
        #[test]
        fn multiply_is_the_128_bit_product(a: u64, b: u64) {
            let wide = multiply(a, b);
            prop_assert_eq!((u128::from(wide.high) << 64) | u128::from(wide.low), u128::from(a) * u128::from(b));
            prop_assert_eq!(saturating_add(a, b), a.saturating_add(b));
        }

        #[test]
        fn shift_is_exact_or_refused(high: u64, low: u64, shift in 0u64..200) {
            let value = (u128::from(high) << 64) | u128::from(low);
            let exact = (value == 0 || (shift < 128 && value.leading_zeros() as u64 >= shift))
                .then(|| value.checked_shl(u32::try_from(shift).unwrap()).unwrap_or(0));
            let got = Wide { high, low }.checked_shift(shift).map(|w| (u128::from(w.high) << 64) | u128::from(w.low));
            prop_assert_eq!(got, exact);
        }

        #[test]
        fn capacity_is_the_exact_floor(shares: u64, bits: u64, off in 1u64..1000) {
            prop_assume!(check_multiplier(bits).is_ok());
            if let Some(capacity) = exact_capacity(shares, f64::from_bits(bits)) {
                prop_assert!(is_capacity(shares, bits, capacity));
                prop_assert!(!is_capacity(shares, bits, capacity.wrapping_add(off)));
                prop_assert!(!is_capacity(shares, bits, capacity.wrapping_sub(off)));
            }
        }

        #[test]
        fn capacity_near_one_is_the_exact_floor(shares: u64, multiplier in 1e-3f64..1e4, off in 1u64..3) {
            let bits = multiplier.to_bits();
            if let Some(capacity) = exact_capacity(shares, multiplier) {
                prop_assert!(is_capacity(shares, bits, capacity));
                prop_assert!(!is_capacity(shares, bits, capacity.wrapping_add(off)));
                prop_assert!(!is_capacity(shares, bits, capacity.wrapping_sub(off)));
            }
        }

        #[test]
        fn a_rise_is_compared_exactly(old: u64, new: u64, bps: u32) {
            let exact = u128::from(new) * 10_000 > u128::from(old) * (10_000 + u128::from(bps));
            prop_assert_eq!(rises_above(old, new, bps), exact);
        }

        #[test]
        fn a_fall_is_compared_exactly(old: u64, new: u64, bps in 0u32..=12_000) {
            let exact = u128::from(new) * 10_000 < u128::from(old) * 10_000u128.saturating_sub(u128::from(bps));
            prop_assert_eq!(falls_below(old, new, bps), exact);
        }

        /// Against exact integers: multipliers near each other, as 2^-60 units.
        #[test]
        fn a_change_of_the_multiplier_is_bounded_exactly(
            old in 0.05f64..200.0, factor in 0.2f64..4.0, bps in 0u32..40_000, ulps in 0u64..3,
        ) {
            let new = f64::from_bits((old * factor).to_bits() + ulps);
            let units = |value: f64| -> u128 {
                let bits = value.to_bits();
                let mantissa = u128::from((bits & MANTISSA_MASK) | (1 << MANTISSA_BITS));
                mantissa << (bits >> MANTISSA_BITS).checked_sub(EXPONENT_BIAS - 60).unwrap()
            };
            let (wide_old, wide_new, bps_) = (units(old), units(new), u128::from(bps));
            let exact = wide_new * 10_000 <= wide_old * (10_000 + bps_)
                && wide_new * 10_000 >= wide_old * 10_000u128.saturating_sub(bps_);
            prop_assert_eq!(multiplier_within(old.to_bits(), new.to_bits(), bps), exact);
        }

        /// Any two multipliers, however far apart: a bound of nothing lets only the same one through, and the order of
        /// the bounds is kept.
        #[test]
        fn any_two_multipliers_are_compared(old: u64, new: u64, bps: u32) {
            prop_assume!(check_multiplier(old).is_ok() && check_multiplier(new).is_ok());
            prop_assert_eq!(multiplier_within(old, new, 0), old == new);
            prop_assert!(multiplier_within(old, old, bps));
            let (low, high) = (f64::from_bits(old).min(f64::from_bits(new)), f64::from_bits(old).max(f64::from_bits(new)));
            if high / low > 500_000.0 {
                prop_assert!(!multiplier_within(low.to_bits(), high.to_bits(), bps) );
            }
        }
    }
}
