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

    /// self - other, for an `other` that is not larger.
    #[inline(always)]
    const fn minus(self, other: Self) -> Self {
        let borrow = (self.low < other.low) as u64;
        Self { high: self.high.wrapping_sub(other.high).wrapping_sub(borrow), low: self.low.wrapping_sub(other.low) }
    }

    /// self * 2, for a number below 2^127.
    #[inline(always)]
    const fn doubled(self) -> Self {
        Self { high: (self.high << 1) | (self.low >> 63), low: self.low << 1 }
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

/// 5^(9 - decimals): a base unit of a mint is 10^(9 - decimals) billionths of a token, and the twos of that go into
/// the exponent.
const FIVES: [u64; 10] = [1_953_125, 390_625, 78_125, 15_625, 3_125, 625, 125, 25, 5, 1];
/// The largest of them whose product with a mantissa fits 64 bits.
const MOST_FIVES: u64 = 625;

/// Whether capacity_raw == floor(shares_nano * 10^decimals / (10^9 * multiplier)), exactly, for 0 to 9 decimals.
///
/// One base unit stands for multiplier * 10^(9 - decimals) = unit * 2^(exponent - 1075) billionths of a share, with
/// an integer unit, so this is capacity * unit <= shares * 2^(1075 - exponent) < (capacity + 1) * unit.
#[inline(never)] // on its own it keeps more in registers
pub fn is_capacity(shares_nano: u64, multiplier_bits: u64, decimals: u8, capacity_raw: u64) -> bool {
    let Some(&fives) = FIVES.get(decimals as usize) else { return false };
    if check_multiplier(multiplier_bits).is_err() {
        return false;
    }
    let mantissa = (multiplier_bits & MANTISSA_MASK) | (1 << MANTISSA_BITS);
    // At most 2046 + 9.
    let exponent = (multiplier_bits >> MANTISSA_BITS).wrapping_add(9).wrapping_sub(decimals as u64);
    // The short way, for at least 5 decimals and multipliers near one (with 8 decimals from 2^-12 to 2^51): always,
    // in practice.
    let shift = EXPONENT_BIAS.wrapping_sub(exponent);
    if shift.wrapping_sub(1) < 63 && fives <= MOST_FIVES {
        let unit = mantissa.wrapping_mul(fives); // below 2^63
        let value = multiply(capacity_raw, unit);
        let (high, low) = (shares_nano >> (64 - shift), shares_nano << shift);
        let borrow = (low < value.low) as u64;
        // high - borrow is the high half of value, and the rest is less than one unit.
        return high == value.high.wrapping_add(borrow) && low.wrapping_sub(value.low) < unit;
    }
    capacity_by_division(shares_nano, multiply(mantissa, fives), exponent) == Some(capacity_raw)
}

/// floor(shares * 2^(1075 - exponent) / unit) by binary long division; None where it does not fit 64 bits. The unit is
/// from 2^52 to 2^74.
///
/// Of shares that are not zero the first bit comes within 75 steps, and 64 steps later the quotient is beyond 64 bits:
/// a loop of at most 140 steps, whatever the exponent.
#[cold]
#[inline(never)]
fn capacity_by_division(shares: u64, unit: Wide, exponent: u64) -> Option<u64> {
    if shares == 0 {
        return Some(0);
    }
    // Whole multiples of the unit first, as the divisor then: one of more than 128 bits is more than any shares.
    let Some(divisor) = unit.checked_shift(exponent.saturating_sub(EXPONENT_BIAS)) else { return Some(0) };
    let (mut quotient, mut rest) = (0, Wide { high: 0, low: shares });
    if divisor.high == 0 {
        quotient = shares.checked_div(divisor.low)?;
        rest.low = shares.checked_rem(divisor.low)?;
    }
    // The rest stays below the divisor, and where there is a step at all that is below 2^74.
    for _ in exponent..EXPONENT_BIAS {
        if quotient >> 63 != 0 {
            return None;
        }
        quotient <<= 1;
        rest = rest.doubled();
        if divisor.less_or_equal(rest) {
            rest = rest.minus(divisor);
            quotient |= 1;
        }
    }
    Some(quotient)
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

    /// Independent of the code above: floor(shares * 10^decimals * 2^-exponent / (10^9 * mantissa)) in base 2.
    fn exact_capacity(shares_nano: u64, multiplier_bits: u64, decimals: u8) -> Option<u64> {
        let mantissa = u128::from((multiplier_bits & MANTISSA_MASK) | (1 << MANTISSA_BITS));
        let exponent = i64::try_from(multiplier_bits >> MANTISSA_BITS).unwrap() - 1075;
        let (dividend, divisor) = (u128::from(shares_nano) * 10u128.pow(decimals.into()), mantissa * 1_000_000_000);
        let (mut quotient, mut rest) = (dividend / divisor, dividend % divisor);
        if exponent >= 0 {
            return u64::try_from(if exponent > 100 { 0 } else { quotient >> exponent }).ok();
        }
        for _ in 0..-exponent {
            rest *= 2;
            quotient = quotient.checked_mul(2)? + rest / divisor;
            rest %= divisor;
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
            let (shares, bits) = (number("shares_nano"), number("multiplier_bits"));
            let decimals = u8::try_from(number("decimals")).unwrap();
            match vector.get("capacity_raw") {
                Some(capacity) => {
                    let capacity = capacity.as_u64().unwrap();
                    assert!(is_capacity(shares, bits, decimals, capacity), "{vector}");
                    let more = capacity.checked_add(1);
                    assert!(more.is_none_or(|more| !is_capacity(shares, bits, decimals, more)), "{vector}");
                    assert!(capacity == 0 || !is_capacity(shares, bits, decimals, capacity - 1), "{vector}");
                }
                None => assert!(!is_capacity(shares, bits, decimals, u64::MAX), "{vector}"),
            }
            seen += 1;
        }
        assert_eq!(seen, 352);
    }

    #[test]
    fn a_multiplier_must_be_normal_positive_and_finite() {
        for bad in
            [0.0, -0.0, -1.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 2.0, 5e-324]
        {
            assert_eq!(check_multiplier(bad.to_bits()), Err(Error::MultiplierInvalid), "{bad}");
            assert!(!is_capacity(0, bad.to_bits(), 8, 0));
        }
        for good in [1.0, f64::MIN_POSITIVE, f64::MAX, 0.1, 1e6] {
            assert_eq!(check_multiplier(good.to_bits()), Ok(()), "{good}");
        }
        for decimals in 0..=9 {
            assert!(is_capacity(u64::MAX, f64::MAX.to_bits(), decimals, 0));
            assert!(is_capacity(0, f64::MIN_POSITIVE.to_bits(), decimals, 0));
            assert!(!is_capacity(1, f64::MIN_POSITIVE.to_bits(), decimals, u64::MAX));
        }
    }

    #[test]
    fn u64_max_is_a_capacity_of_its_own_shares() {
        // With 9 decimals and a multiplier of 1 a billionth of a share is one base unit: 18,446,744,073.709551615 shares.
        for (shares, multiplier, decimals) in [(u64::MAX, 1.0, 9), (u64::MAX, 0.1f64.next_up(), 8)] {
            let most = exact_capacity(shares, multiplier.to_bits(), decimals).unwrap();
            assert!(is_capacity(shares, multiplier.to_bits(), decimals, most), "{multiplier}");
            assert!(!is_capacity(shares, multiplier.to_bits(), decimals, most - 1), "{multiplier}");
        }
        assert!(is_capacity(u64::MAX, 1f64.to_bits(), 9, u64::MAX));
        assert!(!is_capacity(u64::MAX - 1, 1f64.to_bits(), 9, u64::MAX));
        assert!(is_capacity(u64::MAX - 1, 1f64.to_bits(), 9, u64::MAX - 1));
        // One more base unit than an u64 holds is refused, not wrapped.
        assert!(is_capacity(u64::MAX / 2, 0.5f64.to_bits(), 9, u64::MAX - 1));
        for claimed in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(!is_capacity(u64::MAX / 2 + 1, 0.5f64.to_bits(), 9, claimed));
            assert!(!is_capacity(u64::MAX, 2f64.powi(-500).to_bits(), 9, claimed));
        }
    }

    #[test]
    fn more_than_nine_decimals_have_no_capacity() {
        for decimals in [10, 11, 255] {
            assert!(!is_capacity(0, 1f64.to_bits(), decimals, 0));
        }
        assert!(is_capacity(0, 1f64.to_bits(), 9, 0));
    }

    /// 25 tokens at the f64 of 0.1, which is a little more than a tenth: 2.5 shares back all but one base unit.
    #[test]
    fn what_an_inexact_multiplier_leaves_is_cut_off() {
        let (tokens_raw, shares_nano) = (2_500_000_000, 2_500_000_000);
        assert!(is_capacity(shares_nano, 0.1f64.to_bits(), 8, tokens_raw - 1));
        assert!(!is_capacity(shares_nano, 0.1f64.to_bits(), 8, tokens_raw));
        assert!(is_capacity(shares_nano + 1, 0.1f64.to_bits(), 8, tokens_raw));
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
        fn capacity_is_the_exact_floor(shares: u64, bits: u64, decimals in 0u8..10, off in 1u64..1000) {
            prop_assume!(check_multiplier(bits).is_ok());
            match exact_capacity(shares, bits, decimals) {
                Some(capacity) => {
                    prop_assert!(is_capacity(shares, bits, decimals, capacity));
                    prop_assert!(!is_capacity(shares, bits, decimals, capacity.wrapping_add(off)));
                    prop_assert!(!is_capacity(shares, bits, decimals, capacity.wrapping_sub(off)));
                }
                None => prop_assert!(!is_capacity(shares, bits, decimals, off.wrapping_neg())),
            }
        }

        #[test]
        fn capacity_near_one_is_the_exact_floor(
            shares: u64, multiplier in 1e-3f64..1e4, decimals in 0u8..10, off in 1u64..3,
        ) {
            let bits = multiplier.to_bits();
            if let Some(capacity) = exact_capacity(shares, bits, decimals) {
                prop_assert!(is_capacity(shares, bits, decimals, capacity));
                prop_assert!(!is_capacity(shares, bits, decimals, capacity.wrapping_add(off)));
                prop_assert!(!is_capacity(shares, bits, decimals, capacity.wrapping_sub(off)));
            }
        }

        /// A difference of 2^64, which the low halves alone do not show, is some units to some thousand units of capacity.
        #[test]
        fn no_capacity_above_the_floor_is_one(shares: u64, multiplier in 0.5f64..2.0, decimals in 5u8..10) {
            let bits = multiplier.to_bits();
            if let Some(capacity) = exact_capacity(shares, bits, decimals) {
                for above in 1..20_000 {
                    prop_assert!(!is_capacity(shares, bits, decimals, capacity.wrapping_add(above)), "{} above", above);
                }
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
