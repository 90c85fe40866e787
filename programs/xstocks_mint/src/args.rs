//! Arguments: Borsh, read in place without copies, to the last byte (trailing bytes are refused).

use crate::schema::{layout, Layout, Schema, Ty};
use core::marker::PhantomData;
use pinocchio::Address;

/// An argument type: its IDL type and how it is read from instruction data.
pub trait Arg {
    const TY: Ty;
    type View<'a>;
    /// Takes the argument from the front of `data`; None where the bytes do not hold it.
    fn read<'a>(data: &mut &'a [u8]) -> Option<Self::View<'a>>;
}

#[inline(always)]
fn take<'a>(data: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    if length > data.len() {
        return None;
    }
    let (taken, rest) = data.split_at(length);
    *data = rest;
    Some(taken)
}

macro_rules! integers {
    ($($t:ty),*) => { $(impl Arg for $t {
        const TY: Ty = <$t as Schema>::TY;
        type View<'a> = $t;
        #[inline(always)]
        fn read(data: &mut &[u8]) -> Option<$t> {
            let bytes = take(data, core::mem::size_of::<$t>())?;
            Some(<$t>::from_le_bytes(bytes.try_into().ok()?))
        }
    })* };
}
integers!(u8, u16, u32, u64, i64);

impl Arg for Address {
    const TY: Ty = Ty::Pubkey;
    type View<'a> = &'a Address;
    #[inline(always)]
    fn read<'a>(data: &mut &'a [u8]) -> Option<&'a Address> {
        let bytes = take(data, 32)?;
        // SAFETY: Address is a transparent [u8; 32] of alignment 1.
        Some(unsafe { &*bytes.as_ptr().cast() })
    }
}

impl<const N: usize> Arg for [u8; N] {
    const TY: Ty = <[u8; N] as Schema>::TY;
    type View<'a> = &'a [u8; N];
    #[inline(always)]
    fn read<'a>(data: &mut &'a [u8]) -> Option<&'a [u8; N]> {
        take(data, N)?.try_into().ok()
    }
}

impl<const N: usize> Arg for [u64; N] {
    const TY: Ty = <[u64; N] as Schema>::TY;
    type View<'a> = [u64; N];
    #[inline(always)]
    fn read(data: &mut &[u8]) -> Option<[u64; N]> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = u64::read(data)?;
        }
        Some(numbers)
    }
}

layout! {
    packed
    /// One mint or burn.
    struct IntentArg {
        /// The next sequence number of the asset.
        sequence: u64,
        amount_raw: u64,
        /// First 16 bytes of the intent's hash; kept on the asset.
        intent_hash: [u8; 16],
    }

    packed
    /// What a statement says of one asset. Mint and multiplier come from the Asset account.
    struct StatementEntryArg {
        shares_nano: u64,
        /// floor(shares_nano * 10^decimals / (10^9 * multiplier)), exactly.
        capacity_raw: u64,
        /// What of the redeemed total the custodian has counted.
        redeemed_seen_raw: u64,
    }

    packed
    /// An attester key.
    struct AttesterKeyArg {
        key: Address,
        /// 0 is the custodian itself.
        party: u8,
        expires_ts: i64,
    }

    packed
    /// The limits of an asset; see Policy.
    struct PolicyArg {
        supply_limit_raw: u64,
        mint_burst_raw: u64,
        mint_refill_raw_per_sec: u64,
        distribute_burst_raw: u64,
        distribute_refill_raw_per_sec: u64,
        burn_burst_raw: u64,
        burn_refill_raw_per_sec: u64,
        max_age_secs: u32,
        max_rise_bps: u32,
        max_multiplier_bps: u32,
        ca_tolerance_bps: u32,
        ca_window_secs: u32,
        min_notice_secs: u32,
        freezes_per_day: u32,
        redemption_lock_secs: u32,
    }
}

/// `Vec<T>` of packed structs: a slice of the instruction data.
pub struct List<T>(PhantomData<T>);

impl<T: Layout> Arg for List<T> {
    const TY: Ty = Ty::Vec(&T::TY);
    type View<'a> = &'a [T];
    #[inline(always)]
    fn read<'a>(data: &mut &'a [u8]) -> Option<&'a [T]> {
        const { assert!(core::mem::align_of::<T>() == 1 && core::mem::size_of::<T>() < 256) };
        let count = u32::read(data)? as usize;
        // 255 is far above what a transaction holds, and keeps the product small.
        if count > 255 {
            return None;
        }
        let bytes = take(data, count * core::mem::size_of::<T>())?;
        // SAFETY: T is packed (alignment 1), takes every bit pattern, and count of them fit `bytes`.
        Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), count) })
    }
}

/// `bytes`.
pub struct Bytes;

impl Arg for Bytes {
    const TY: Ty = Ty::Bytes;
    type View<'a> = &'a [u8];
    #[inline(always)]
    fn read<'a>(data: &mut &'a [u8]) -> Option<&'a [u8]> {
        let length = u32::read(data)? as usize;
        take(data, length)
    }
}

/// `string`: bytes that are UTF-8.
pub struct Text;

impl Arg for Text {
    const TY: Ty = Ty::String;
    type View<'a> = &'a [u8];
    #[inline(always)]
    fn read<'a>(data: &mut &'a [u8]) -> Option<&'a [u8]> {
        let text = Bytes::read(data)?;
        is_utf8(text).then_some(text)
    }
}

/// Whether bytes are UTF-8. (core's own check returns more than eight bytes, which a BPF function cannot.)
#[inline(never)]
pub fn is_utf8(text: &[u8]) -> bool {
    let mut rest = text.iter();
    while let Some(&first) = rest.next() {
        // How many bytes follow, and what the first of them may be: no overlong forms, no surrogates, none above
        // U+10FFFF (Unicode 15, table 3-7).
        let (following, low, high) = match first {
            0x00..=0x7F => continue,
            0xC2..=0xDF => (1, 0x80, 0xBF),
            0xE0 => (2, 0xA0, 0xBF),
            0xED => (2, 0x80, 0x9F),
            0xE1..=0xEF => (2, 0x80, 0xBF),
            0xF0 => (3, 0x90, 0xBF),
            0xF1..=0xF3 => (3, 0x80, 0xBF),
            0xF4 => (3, 0x80, 0x8F),
            _ => return false,
        };
        match rest.next() {
            Some(&second) if second >= low && second <= high => {}
            _ => return false,
        }
        for _ in 1..following {
            match rest.next() {
                Some(0x80..=0xBF) => {}
                _ => return false,
            }
        }
    }
    true
}

/// A packed struct by value.
macro_rules! struct_args {
    ($($t:ty),*) => { $(impl Arg for $t {
        const TY: Ty = <$t as Schema>::TY;
        type View<'a> = &'a $t;
        #[inline(always)]
        fn read<'a>(data: &mut &'a [u8]) -> Option<&'a $t> {
            const { assert!(core::mem::align_of::<$t>() == 1) };
            let bytes = take(data, core::mem::size_of::<$t>())?;
            // SAFETY: packed (alignment 1), takes every bit pattern, and `bytes` has its size.
            Some(unsafe { &*bytes.as_ptr().cast() })
        }
    })* };
}
struct_args!(PolicyArg);

/// A list of (key, value) strings for the token metadata; checked when read, walked again when used.
pub struct MetadataFields;

/// The checked bytes of the list.
#[derive(Clone, Copy)]
pub struct MetadataFieldsView<'a> {
    left: u32,
    data: &'a [u8],
}

impl MetadataFields {
    pub const STRUCT: crate::schema::Struct = crate::schema::Struct {
        name: "MetadataField",
        docs: &[" An additional field of the token metadata."],
        fields: &[
            crate::schema::Field { name: "key", docs: &[], ty: Ty::String },
            crate::schema::Field { name: "value", docs: &[], ty: Ty::String },
        ],
    };
}

impl Arg for MetadataFields {
    const TY: Ty = Ty::Vec(&Ty::Defined("MetadataField"));
    type View<'a> = MetadataFieldsView<'a>;
    #[inline(always)]
    fn read<'a>(data: &mut &'a [u8]) -> Option<MetadataFieldsView<'a>> {
        let count = u32::read(data)?;
        let all = *data;
        for _ in 0..count {
            Text::read(data)?;
            Text::read(data)?;
        }
        Some(MetadataFieldsView { left: count, data: all })
    }
}

impl MetadataFieldsView<'_> {
    /// How many pairs are left.
    #[inline(always)]
    pub const fn left(&self) -> u32 {
        self.left
    }
}

impl<'a> Iterator for MetadataFieldsView<'a> {
    type Item = (&'a [u8], &'a [u8]);
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((Bytes::read(&mut self.data)?, Bytes::read(&mut self.data)?))
    }
}

/// The structs that arguments are made of, for the IDL.
pub const ARG_STRUCTS: &[crate::schema::Struct] =
    &[IntentArg::STRUCT, StatementEntryArg::STRUCT, AttesterKeyArg::STRUCT, PolicyArg::STRUCT, MetadataFields::STRUCT];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_end_where_the_bytes_end() {
        let one = [&1u32.to_le_bytes()[..], &[7; 32]].concat();
        let mut data = &one[..];
        let list = List::<IntentArg>::read(&mut data).unwrap();
        assert_eq!((list.len(), data.len(), { list[0].sequence }), (1, 0, 0x0707_0707_0707_0707));
        assert!(List::<IntentArg>::read(&mut &one[..35]).is_none());
        assert!(List::<IntentArg>::read(&mut &[0xFF; 64][..]).is_none());
        assert!(u64::read(&mut &[0; 7][..]).is_none());
    }

    /// The program stores intent hashes and does not compute them; this pins what clients must compute:
    /// sha256("xstocks:intent:v1" | genesis | program | mint | kind u8 | sequence u64 | amount_raw u64 | destination |
    /// order_id), its first 16 bytes.
    #[test]
    fn intent_hashes_meet_the_golden_vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/intent.json")).unwrap();
        let key = |value: &serde_json::Value| *Address::from_str_const(value.as_str().unwrap()).as_array();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut seen = 0;
        for intent in vectors["intents"].as_array().unwrap() {
            let order_id = intent["order_id_hex"].as_str().unwrap();
            let order_id: Vec<u8> =
                (0..16).map(|i| u8::from_str_radix(&order_id[2 * i..2 * i + 2], 16).unwrap()).collect();
            let preimage = [
                b"xstocks:intent:v1",
                &key(&vectors["genesis_hash"])[..],
                &key(&vectors["program_id"]),
                &key(&vectors["mint_of_intents"]),
                &[u8::try_from(intent["kind"].as_u64().unwrap()).unwrap()],
                &intent["sequence"].as_u64().unwrap().to_le_bytes(),
                &intent["amount_raw"].as_u64().unwrap().to_le_bytes(),
                &key(&intent["destination"]),
                &order_id,
            ]
            .concat();
            assert_eq!(hex(&preimage), intent["preimage_hex"].as_str().unwrap());
            assert_eq!(hex(&crate::hash::sha256(&[&preimage])[..16]), intent["intent_hash_hex"].as_str().unwrap());
            seen += 1;
        }
        assert!(seen > 0);
    }

    #[test]
    fn metadata_fields_are_read_in_order_and_refused_when_cut() {
        let data =
            [&2u32.to_le_bytes()[..], &[1, 0, 0, 0, b'a', 0, 0, 0, 0, 1, 0, 0, 0, b'b', 1, 0, 0, 0, b'c']].concat();
        let fields: Vec<_> = MetadataFields::read(&mut &data[..]).unwrap().collect();
        assert_eq!(fields, [(&b"a"[..], &b""[..]), (b"b", b"c")]);
        for end in 0..data.len() {
            assert!(MetadataFields::read(&mut &data[..end]).is_none(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn utf8_is_what_the_standard_library_says(text in proptest::collection::vec(any::<u8>(), 0..6)) {
            prop_assert_eq!(is_utf8(&text), core::str::from_utf8(&text).is_ok());
        }

        #[test]
        fn every_string_is_utf8(text: String) {
            prop_assert!(is_utf8(text.as_bytes()));
        }
    }

    #[test]
    fn every_two_byte_start_is_judged_as_by_the_standard_library() {
        for start in 0..=u16::MAX {
            for end in [&[][..], &[0x80], &[0x80, 0x80]] {
                let text = [&start.to_be_bytes()[..], end].concat();
                assert_eq!(is_utf8(&text), core::str::from_utf8(&text).is_ok(), "{text:x?}");
            }
        }
    }
}
