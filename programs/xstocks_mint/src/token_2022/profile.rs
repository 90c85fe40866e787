//! The mint profiles: which extensions a mint of each has, and what follows from that.

use crate::{
    error::{Error, Result},
    state::{PROFILE_OPEN, PROFILE_PERMISSIONED, PROFILE_XSTOCKS},
    token_2022::layout::{
        CONFIDENTIAL_TRANSFER_MINT, DEFAULT_ACCOUNT_STATE, METADATA_POINTER, PAUSABLE, PERMANENT_DELEGATE, SCALED_UI,
        TRANSFER_HOOK,
    },
};

/// The most decimals of a mint: a share is counted in billionths, and `is_capacity` computes with up to as many.
pub const MAX_DECIMALS: u8 = 9;

/// Sets of extensions are words.
pub const fn bit(extension: u16) -> u32 {
    1 << extension
}

/// Extensions of the open profile before the metadata are written.
const OPEN: u32 = bit(METADATA_POINTER) | bit(SCALED_UI);
/// Extensions of the xstocks and permissioned profiles before the metadata are written.
const XSTOCKS: u32 = OPEN
    | bit(PERMANENT_DELEGATE)
    | bit(DEFAULT_ACCOUNT_STATE)
    | bit(PAUSABLE)
    | bit(CONFIDENTIAL_TRANSFER_MINT)
    | bit(TRANSFER_HOOK);

/// The extensions of a profile, as bits, before the metadata are written.
///
/// # Errors
/// ProfileNotSupported.
pub fn extensions_of(profile: u8) -> Result<u32> {
    match profile {
        PROFILE_XSTOCKS | PROFILE_PERMISSIONED => Ok(XSTOCKS),
        PROFILE_OPEN => Ok(OPEN),
        _ => Err(Error::ProfileNotSupported),
    }
}

/// Whether mints of the profile can be paused.
pub const fn has_pause(profile: u8) -> bool {
    profile != PROFILE_OPEN
}

/// Whether accounts of the profile's mints can be frozen.
pub const fn has_freeze(profile: u8) -> bool {
    profile != PROFILE_OPEN
}
