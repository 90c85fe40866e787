//! Where things stand in Token-2022's accounts, as in the spl-token-2022 interface, and the walk over extensions.

use crate::error::{Error, Result};

/// Mint: authority (COption, 4 + 32 bytes), supply, decimals, initialized, freeze authority (COption).
pub const MINT_AUTHORITY: usize = 0;
pub const MINT_SUPPLY: usize = 36;
pub const MINT_DECIMALS: usize = 44;
pub const MINT_INITIALIZED: usize = 45;
pub const MINT_FREEZE_AUTHORITY: usize = 46;
/// Bytes of a mint without extensions.
pub const MINT_LEN: usize = 82;

/// Token account: mint, owner, amount, state.
pub const ACCOUNT_MINT: usize = 0;
pub const ACCOUNT_OWNER: usize = 32;
pub const ACCOUNT_AMOUNT: usize = 64;
pub const ACCOUNT_STATE: usize = 108;
pub const ACCOUNT_STATE_INITIALIZED: u8 = 1;
pub const ACCOUNT_STATE_FROZEN: u8 = 2;
/// Bytes of a token account without extensions.
pub const ACCOUNT_LEN: usize = 165;

/// Where mints and token accounts with extensions say what they are (in a mint the bytes before it are zero), and
/// where their extensions begin.
pub const ACCOUNT_TYPE: usize = 165;
pub const TYPE_MINT: u8 = 1;
pub const TYPE_ACCOUNT: u8 = 2;
pub const TLV: usize = 166;

/// Extension numbers; 0 marks bytes that no extension uses.
pub const NO_EXTENSION: u16 = 0;
pub const MINT_CLOSE_AUTHORITY: u16 = 3;
pub const CONFIDENTIAL_TRANSFER_MINT: u16 = 4;
pub const DEFAULT_ACCOUNT_STATE: u16 = 6;
/// Of token accounts whose owner can never change.
pub const IMMUTABLE_OWNER: u16 = 7;
pub const PERMANENT_DELEGATE: u16 = 12;
pub const TRANSFER_HOOK: u16 = 14;
pub const METADATA_POINTER: u16 = 18;
pub const TOKEN_METADATA: u16 = 19;
pub const SCALED_UI: u16 = 25;
pub const PAUSABLE: u16 = 26;

/// ScaledUiAmount, from its TLV header on: type and length, authority 32, multiplier, effective time, new multiplier.
pub const SCALED_UI_LEN: u16 = 56;
pub const SCALED_UI_HEADER: u32 = (SCALED_UI_LEN as u32) << 16 | SCALED_UI as u32;
pub const SCALED_UI_MULTIPLIER: usize = 4 + 32;
pub const SCALED_UI_EFFECTIVE_TS: usize = SCALED_UI_MULTIPLIER + 8;
pub const SCALED_UI_NEW_MULTIPLIER: usize = SCALED_UI_EFFECTIVE_TS + 8;
pub const SCALED_UI_END: usize = SCALED_UI_NEW_MULTIPLIER + 8;

/// N bytes from `at` on.
///
/// # Errors
/// MintMalformed.
#[inline(always)]
pub fn part<const N: usize>(data: &[u8], at: usize) -> Result<&[u8; N]> {
    data.get(at..).and_then(|rest| rest.first_chunk::<N>()).ok_or(Error::MintMalformed)
}

/// The extension at `at` with its value, and `at` set behind it; None exactly at the end.
///
/// # Errors
/// MintMalformed.
#[inline(always)]
pub fn next_extension<'a>(data: &'a [u8], at: &mut usize) -> Result<Option<(u16, &'a [u8])>> {
    if *at >= data.len() {
        return Ok(None);
    }
    let extension = u16::from_le_bytes(*part(data, *at)?);
    let length = u16::from_le_bytes(*part(data, *at + 2)?) as usize;
    let value = data.get(*at + 4..*at + 4 + length).ok_or(Error::MintMalformed)?;
    *at += 4 + length;
    Ok(Some((extension, value)))
}
