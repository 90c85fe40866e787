//! A later layout, for the trial in `crate::next_layout`: version 2 of the Asset is version 1 with a tail behind it.

use crate::{
    schema::layout,
    state::{
        asset::Asset,
        definition::{State, VERSION},
    },
};

/// The version after the one that is written.
pub const NEXT_VERSION: u8 = VERSION + 1;
/// Bytes of the whole Asset account of that version.
pub const MIGRATED_SPACE: usize = Asset::SPACE + core::mem::size_of::<AssetTail>();

layout! {
    C
    /// What version 2 of the Asset has behind the fields of version 1.
    struct AssetTail {
        /// When it was migrated.
        migrated_ts: i64,
        reserved: [u8; 56],
    }
}

/// Whether these are the bytes of an account of the next version, which begins with all of an S.
#[cold]
#[inline(never)]
pub fn is_migrated<S: State>(data: &[u8]) -> bool {
    S::DISCRIMINATOR == Asset::DISCRIMINATOR
        && data.len() == MIGRATED_SPACE
        && data.starts_with(&Asset::DISCRIMINATOR)
        && data.get(8) == Some(&NEXT_VERSION)
}
