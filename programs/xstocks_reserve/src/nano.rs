//! Tokens in billionths of a share, exactly. Integers of 64 bits alone, as LLVM's BPF backend multiplies no wider ones.

/// value = mantissa * 2^(biased exponent - 1075), the mantissa with its hidden bit.
const MANTISSA_BITS: u32 = 52;
const EXPONENT_BIAS: u64 = 1075;
/// Biased exponent of infinity and NaN.
const EXPONENT_SPECIAL: u64 = 0x7FF;
/// 5^(9 - decimals): a base unit is 10^(9 - decimals) billionths of a token; the twos go into the exponent.
const FIVES: [u64; 10] = [1_953_125, 390_625, 78_125, 15_625, 3_125, 625, 125, 25, 5, 1];

/// The whole billionths of a share that `amount_raw` stands for: floor(amount * 10^(9 - decimals) * multiplier).
///
/// None where that does not fit 64 bits, and where there are more than nine decimals or the multiplier is no normal
/// positive finite number (the program takes none of these).
#[inline(never)]
pub fn whole_nano(amount_raw: u64, multiplier_bits: u64, decimals: u8) -> Option<u64> {
    let biased = multiplier_bits >> MANTISSA_BITS; // with the sign, which makes it larger than EXPONENT_SPECIAL
    let fives = match FIVES.get(usize::from(decimals)) {
        Some(fives) if biased != 0 && biased < EXPONENT_SPECIAL => *fives,
        _ => return None,
    };
    if amount_raw == 0 {
        return Some(0);
    }
    let mantissa = (multiplier_bits & ((1 << MANTISSA_BITS) - 1)) | (1 << MANTISSA_BITS);
    // The product, of at most 64 + 53 + 21 bits, in three words from the lowest on.
    let (high, low) = multiply(amount_raw, mantissa);
    let (carry, lowest) = multiply(low, fives);
    let (highest, middle) = multiply(high, fives);
    let middle = middle.wrapping_add(carry);
    let highest = highest.wrapping_add(u64::from(middle < carry));

    // At most 2046 + 9.
    let exponent = biased.wrapping_add(9).wrapping_sub(u64::from(decimals));
    match EXPONENT_BIAS.checked_sub(exponent) {
        Some(shift) => shifted_right([lowest, middle, highest], shift),
        None if middle | highest == 0 => shifted_left(lowest, exponent.wrapping_sub(EXPONENT_BIAS)),
        None => None,
    }
}

/// floor(words / 2^shift), the words from the lowest on; None where it does not fit 64 bits.
#[inline(always)]
fn shifted_right(words: [u64; 3], shift: u64) -> Option<u64> {
    let [lowest, middle, highest] = words;
    let (first, second, third) = match shift >> 6 {
        0 => (lowest, middle, highest),
        1 => (middle, highest, 0),
        2 => (highest, 0, 0),
        _ => return Some(0),
    };
    let bits = shift & 63;
    if third != 0 || second >> bits != 0 {
        return None;
    }
    // Twice, because 64 bits at once are too many for a shift.
    Some((first >> bits) | ((second << 1) << (63 - bits)))
}

/// number * 2^shift for a number above zero; None where it does not fit 64 bits.
#[inline(always)]
const fn shifted_left(number: u64, shift: u64) -> Option<u64> {
    if shift < 64 && (number << shift) >> shift == number {
        Some(number << shift)
    } else {
        None
    }
}

/// a * b in full, its high and its low half. Of 32-bit halves; nothing below wraps.
#[inline(always)]
const fn multiply(a: u64, b: u64) -> (u64, u64) {
    const HALF: u64 = 0xFFFF_FFFF;
    let (a1, a0, b1, b0) = (a >> 32, a & HALF, b >> 32, b & HALF);
    let low = a0.wrapping_mul(b0);
    let middle = a1.wrapping_mul(b0).wrapping_add(low >> 32);
    let middle2 = a0.wrapping_mul(b1).wrapping_add(middle & HALF);
    let high = a1.wrapping_mul(b1).wrapping_add(middle >> 32).wrapping_add(middle2 >> 32);
    (high, (middle2 << 32) | (low & HALF))
}
