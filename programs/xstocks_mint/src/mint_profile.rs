//! What a mint must look like before the program takes it. Every refusal has its own name.
//!
//! Pure over the mint's bytes, so the host tests it.

use crate::{
    error::{Error, Result},
    math::check_multiplier,
    state::{PROFILE_OPEN, PROFILE_XSTOCKS},
    token::{SCALED_UI_LEN, SCALED_UI_TYPE},
};

/// All real xStocks have 8 decimals, and `is_capacity` computes with them.
pub const DECIMALS: u8 = 8;

/// Offsets of a mint.
const AUTHORITY: usize = 0;
const SUPPLY: usize = 36;
const DECIMALS_AT: usize = 44;
const INITIALIZED: usize = 45;
const FREEZE_AUTHORITY: usize = 46;
const BASE_LEN: usize = 82;
/// Where the account type stands, as in token accounts; the bytes between are zero.
const ACCOUNT_TYPE: usize = 165;
const TYPE_MINT: u8 = 1;
const TLV: usize = 166;

/// Extension numbers.
const MINT_CLOSE_AUTHORITY: u16 = 3;
const CONFIDENTIAL_TRANSFER_MINT: u16 = 4;
const DEFAULT_ACCOUNT_STATE: u16 = 6;
const PERMANENT_DELEGATE: u16 = 12;
const TRANSFER_HOOK: u16 = 14;
const METADATA_POINTER: u16 = 18;
const TOKEN_METADATA: u16 = 19;
const PAUSABLE: u16 = 26;

const fn bit(extension: u16) -> u32 {
    1 << extension
}

/// Extensions of the open profile before the metadata are written.
const OPEN: u32 = bit(METADATA_POINTER) | bit(SCALED_UI_TYPE);
/// Extensions of the xstocks profile before the metadata are written.
const XSTOCKS: u32 = OPEN
    | bit(PERMANENT_DELEGATE)
    | bit(DEFAULT_ACCOUNT_STATE)
    | bit(PAUSABLE)
    | bit(CONFIDENTIAL_TRANSFER_MINT)
    | bit(TRANSFER_HOOK);

/// What register_asset takes from the mint.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    pub scaled_ui_offset: u16,
    pub multiplier_bits: u64,
}

/// Whether mints of the profile can be paused.
pub const fn has_pause(profile: u8) -> bool {
    profile != PROFILE_OPEN
}

/// Whether accounts of the profile's mints can be frozen.
pub const fn has_freeze(profile: u8) -> bool {
    profile != PROFILE_OPEN
}

#[inline(always)]
fn part<const N: usize>(data: &[u8], at: usize) -> Result<&[u8; N]> {
    data.get(at..).and_then(|rest| rest.first_chunk::<N>()).ok_or(Error::MintMalformed)
}

/// A COption<Pubkey> that holds exactly `key`.
fn option_is(option: &[u8; 36], key: &[u8; 32]) -> bool {
    let (tag, value) = option.split_at(4);
    tag == [1, 0, 0, 0] && value == key
}

/// Verifies a new mint for a profile: authorities the asset or none, 8 decimals, no supply, exactly the profile's
/// extensions (TokenMetadata is written by register_asset), nothing twice, nothing truncated, nothing behind.
///
/// # Errors
/// ProfileNotSupported, MintNotInitialized, MintMalformed, WrongDecimals, SupplyNotZero, MintAuthorityInvalid,
/// FreezeAuthorityInvalid, CloseAuthorityForbidden, ForbiddenExtension, DuplicateExtension, MissingExtension, and
/// one per extension whose content is wrong.
pub fn verify(data: &[u8], profile: u8, mint: &[u8; 32], asset: &[u8; 32], now_ts: i64) -> Result<Verified> {
    let required = match profile {
        PROFILE_XSTOCKS => XSTOCKS,
        PROFILE_OPEN => OPEN,
        _ => return Err(Error::ProfileNotSupported),
    };

    // 1. The mint itself.
    if data.len() < BASE_LEN {
        return Err(Error::MintNotInitialized);
    }
    if part::<1>(data, INITIALIZED)? != &[1] {
        return Err(Error::MintNotInitialized);
    }
    if part::<1>(data, DECIMALS_AT)? != &[DECIMALS] {
        return Err(Error::WrongDecimals);
    }
    if part::<8>(data, SUPPLY)? != &[0; 8] {
        return Err(Error::SupplyNotZero);
    }
    if !option_is(part(data, AUTHORITY)?, asset) {
        return Err(Error::MintAuthorityInvalid);
    }
    let freeze: &[u8; 36] = part(data, FREEZE_AUTHORITY)?;
    let freeze_ok = if profile == PROFILE_OPEN { freeze.starts_with(&[0; 4]) } else { option_is(freeze, asset) };
    if !freeze_ok {
        return Err(Error::FreezeAuthorityInvalid);
    }
    if data.len() == BASE_LEN {
        return Err(Error::MissingExtension);
    }
    if part::<1>(data, ACCOUNT_TYPE)? != &[TYPE_MINT] {
        return Err(Error::MintMalformed);
    }

    // 2. The extensions, one after the other to the last byte.
    let mut found = 0u32;
    let mut verified = Verified { scaled_ui_offset: 0, multiplier_bits: 0 };
    let mut at = TLV;
    while at < data.len() {
        let extension = u16::from_le_bytes(*part(data, at)?);
        let length = u16::from_le_bytes(*part(data, at + 2)?);
        let value = data.get(at + 4..at + 4 + length as usize).ok_or(Error::MintMalformed)?;
        match extension {
            MINT_CLOSE_AUTHORITY => return Err(Error::CloseAuthorityForbidden),
            TOKEN_METADATA => return Err(Error::MetadataAlreadyInitialized),
            0 => return Err(Error::MintMalformed),
            // Beyond the mask's 31 bits nothing is known.
            _ if extension > 31 || required & bit(extension) == 0 => return Err(Error::ForbiddenExtension),
            _ if found & bit(extension) != 0 => return Err(Error::DuplicateExtension),
            _ => {}
        }
        found |= bit(extension);
        let is_authority = |value: &[u8]| value.starts_with(asset);
        match (extension, length) {
            (METADATA_POINTER, 64) => {
                if !is_authority(value) || !value.ends_with(mint) {
                    return Err(Error::MetadataPointerInvalid);
                }
            }
            (PERMANENT_DELEGATE, 32) => {
                if !is_authority(value) {
                    return Err(Error::PermanentDelegateInvalid);
                }
            }
            (DEFAULT_ACCOUNT_STATE, 1) => {
                if value != [1] {
                    return Err(Error::DefaultAccountStateInvalid);
                }
            }
            (PAUSABLE, 33) => {
                if !is_authority(value) {
                    return Err(Error::PausableAuthorityInvalid);
                }
                if !value.ends_with(&[0]) {
                    return Err(Error::MintPaused);
                }
            }
            (CONFIDENTIAL_TRANSFER_MINT, 65) => {
                // authority, auto approval off, no auditor
                if !is_authority(value) || !value.ends_with(&[0; 33]) {
                    return Err(Error::ConfidentialTransferInvalid);
                }
            }
            (TRANSFER_HOOK, 64) => {
                if !is_authority(value) || !value.ends_with(&[0; 32]) {
                    return Err(Error::TransferHookInvalid);
                }
            }
            (SCALED_UI_TYPE, SCALED_UI_LEN) => {
                if !is_authority(value) {
                    return Err(Error::ScaledUiAuthorityInvalid);
                }
                let effective_ts = i64::from_le_bytes(*part(value, 40)?);
                if effective_ts > now_ts {
                    return Err(Error::MultiplierPending);
                }
                verified.multiplier_bits = u64::from_le_bytes(*part(value, 48)?);
                check_multiplier(verified.multiplier_bits)?;
                verified.scaled_ui_offset = u16::try_from(at).map_err(|_| Error::MintMalformed)?;
            }
            // A known extension of another length.
            _ => return Err(Error::MintMalformed),
        }
        at += 4 + length as usize;
    }
    if found != required {
        return Err(Error::MissingExtension);
    }
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINT: [u8; 32] = [7; 32];
    const ASSET: [u8; 32] = [9; 32];
    const NOW: i64 = 1_000;

    fn tlv(extension: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap();
        [&extension.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
    }

    fn scaled(multiplier: f64, effective_ts: i64) -> Vec<u8> {
        let m = multiplier.to_le_bytes();
        tlv(SCALED_UI_TYPE, &[&ASSET[..], &m, &effective_ts.to_le_bytes(), &m].concat())
    }

    fn extensions() -> Vec<Vec<u8>> {
        vec![
            tlv(METADATA_POINTER, &[ASSET, MINT].concat()),
            tlv(PERMANENT_DELEGATE, &ASSET),
            tlv(DEFAULT_ACCOUNT_STATE, &[1]),
            scaled(1.5, 0),
            tlv(PAUSABLE, &[&ASSET[..], &[0]].concat()),
            tlv(CONFIDENTIAL_TRANSFER_MINT, &[&ASSET[..], &[0; 33]].concat()),
            tlv(TRANSFER_HOOK, &[ASSET, [0; 32]].concat()),
        ]
    }

    fn base() -> Vec<u8> {
        let mut data = vec![0; TLV];
        data[0] = 1;
        data[4..36].copy_from_slice(&ASSET);
        data[DECIMALS_AT] = 8;
        data[INITIALIZED] = 1;
        data[46] = 1;
        data[50..82].copy_from_slice(&ASSET);
        data[ACCOUNT_TYPE] = TYPE_MINT;
        data
    }

    fn with(extensions: &[Vec<u8>]) -> Vec<u8> {
        [base(), extensions.concat()].concat()
    }

    fn check(data: &[u8]) -> Result<Verified> {
        verify(data, PROFILE_XSTOCKS, &MINT, &ASSET, NOW)
    }

    #[test]
    fn the_seven_extensions_pass_in_any_order() {
        let mut list = extensions();
        assert_eq!(
            check(&with(&list)),
            Ok(Verified { scaled_ui_offset: 166 + 68 + 36 + 5, multiplier_bits: 1.5f64.to_bits() })
        );
        list.reverse();
        assert!(check(&with(&list)).is_ok());
    }

    #[test]
    fn the_open_profile_takes_two_extensions_and_no_freeze_authority() {
        let mut data = with(&[extensions()[0].clone(), extensions()[3].clone()]);
        assert_eq!(verify(&data, PROFILE_OPEN, &MINT, &ASSET, NOW), Err(Error::FreezeAuthorityInvalid));
        data[46] = 0;
        assert!(verify(&data, PROFILE_OPEN, &MINT, &ASSET, NOW).is_ok());
        assert_eq!(verify(&data, 2, &MINT, &ASSET, NOW), Err(Error::ProfileNotSupported));
    }

    #[test]
    fn each_wrong_byte_of_the_mint_is_named() {
        let cases: [(usize, u8, Error); 9] = [
            (0, 0, Error::MintAuthorityInvalid),
            (4, 8, Error::MintAuthorityInvalid),
            (36, 1, Error::SupplyNotZero),
            (44, 9, Error::WrongDecimals),
            (45, 0, Error::MintNotInitialized),
            (46, 0, Error::FreezeAuthorityInvalid),
            (50, 8, Error::FreezeAuthorityInvalid),
            (165, 2, Error::MintMalformed),
            (166, 3, Error::CloseAuthorityForbidden),
        ];
        for (at, value, error) in cases {
            let mut data = with(&extensions());
            data[at] = value;
            assert_eq!(check(&data), Err(error), "byte {at}");
        }
        assert_eq!(check(&base()[..82]), Err(Error::MissingExtension));
        assert_eq!(check(&base()[..81]), Err(Error::MintNotInitialized));
    }

    #[test]
    fn each_wrong_extension_is_named() {
        let cases: [(usize, Vec<u8>, Error); 14] = [
            (0, tlv(METADATA_POINTER, &[MINT, MINT].concat()), Error::MetadataPointerInvalid),
            (0, tlv(METADATA_POINTER, &[ASSET, ASSET].concat()), Error::MetadataPointerInvalid),
            (1, tlv(PERMANENT_DELEGATE, &MINT), Error::PermanentDelegateInvalid),
            (2, tlv(DEFAULT_ACCOUNT_STATE, &[2]), Error::DefaultAccountStateInvalid),
            (3, scaled(1.5, NOW + 1), Error::MultiplierPending),
            (3, scaled(-1.5, 0), Error::MultiplierInvalid),
            (3, tlv(SCALED_UI_TYPE, &[MINT, [0; 32]].concat()[..56]), Error::ScaledUiAuthorityInvalid),
            (4, tlv(PAUSABLE, &[&MINT[..], &[0]].concat()), Error::PausableAuthorityInvalid),
            (4, tlv(PAUSABLE, &[&ASSET[..], &[1]].concat()), Error::MintPaused),
            (
                5,
                tlv(CONFIDENTIAL_TRANSFER_MINT, &[&ASSET[..], &[1], &[0; 32]].concat()),
                Error::ConfidentialTransferInvalid,
            ),
            (
                5,
                tlv(CONFIDENTIAL_TRANSFER_MINT, &[&ASSET[..], &[0], &[3; 32]].concat()),
                Error::ConfidentialTransferInvalid,
            ),
            (6, tlv(TRANSFER_HOOK, &[ASSET, MINT].concat()), Error::TransferHookInvalid),
            (6, tlv(TRANSFER_HOOK, &[MINT, [0; 32]].concat()), Error::TransferHookInvalid),
            (6, tlv(TRANSFER_HOOK, &ASSET), Error::MintMalformed),
        ];
        for (i, (at, replacement, error)) in cases.into_iter().enumerate() {
            let mut list = extensions();
            list[at] = replacement;
            assert_eq!(check(&with(&list)), Err(error), "case {i}");
        }
        let appended: [(Vec<u8>, Error); 6] = [
            (tlv(1, &[0; 108]), Error::ForbiddenExtension),
            (tlv(40_000, &[]), Error::ForbiddenExtension),
            (tlv(TOKEN_METADATA, &[0; 80]), Error::MetadataAlreadyInitialized),
            (extensions()[1].clone(), Error::DuplicateExtension),
            (vec![0], Error::MintMalformed),
            (vec![0; 4], Error::MintMalformed),
        ];
        for (i, (extra, error)) in appended.into_iter().enumerate() {
            let mut list = extensions();
            list.push(extra);
            assert_eq!(check(&with(&list)), Err(error), "appended {i}");
        }
    }

    proptest! {
        #[test]
        fn a_missing_or_cut_extension_never_passes(drop in 0usize..7, cut in 1usize..300) {
            let mut list = extensions();
            let whole = with(&list);
            prop_assert!(check(&whole[..whole.len() - cut]).is_err());
            list.remove(drop);
            prop_assert_eq!(check(&with(&list)), Err(Error::MissingExtension));
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(data in proptest::collection::vec(any::<u8>(), 0..700)) {
            prop_assert!(check(&data).is_err());
        }
    }
}
