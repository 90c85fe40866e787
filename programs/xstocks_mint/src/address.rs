//! Comparing addresses. Word by word: `==` on byte arrays is a call of memcmp, which costs more than the four words.

use pinocchio::Address;

/// Whether two addresses are equal.
#[inline(always)]
pub fn address_eq(a: &Address, b: &Address) -> bool {
    solana_address::address_eq(a, b)
}

/// Whether `a` stands before `b`, by bytes.
#[inline(always)]
pub fn ascending(a: &Address, b: &Address) -> bool {
    let ((a, _), (b, _)) = (a.as_array().as_chunks::<8>(), b.as_array().as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        // The order of bytes is the order of numbers whose first byte counts most.
        let (a, b) = (u64::from_be_bytes(*a), u64::from_be_bytes(*b));
        if a != b {
            return a < b;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn addresses_are_ordered_as_their_bytes_are(a: [u8; 32], at in 0usize..32, byte: u8, b: [u8; 32]) {
            // Two that differ in one byte, and any two.
            let mut near = a;
            near[at] = byte;
            for other in [near, b] {
                let (first, second) = (Address::new_from_array(a), Address::new_from_array(other));
                prop_assert_eq!(ascending(&first, &second), a < other);
                prop_assert_eq!(ascending(&second, &first), other < a);
                prop_assert_eq!(address_eq(&first, &second), a == other);
            }
        }
    }
}
