//! What a mint must look like before the program takes it. Every refusal has its own name.
//!
//! Pure over the mint's bytes, so the host tests it.

use crate::{
    args::{Arg, MetadataFields, Text},
    error::{Error, Result},
    math::check_multiplier,
    state::PROFILE_PERMISSIONED,
    text::require_name,
    token_2022::{
        layout::{
            next_extension, part, ACCOUNT_TYPE, CONFIDENTIAL_TRANSFER_MINT, DEFAULT_ACCOUNT_STATE, METADATA_POINTER,
            MINT_CLOSE_AUTHORITY, MINT_DECIMALS, MINT_INITIALIZED, MINT_LEN, MINT_SUPPLY, NO_EXTENSION, PAUSABLE,
            PERMANENT_DELEGATE, SCALED_UI, SCALED_UI_LEN, TLV, TOKEN_METADATA, TRANSFER_HOOK, TYPE_MINT,
        },
        profile::{bit, extensions_of, MAX_DECIMALS},
    },
};
use pinocchio::Address;

/// DefaultAccountState.
pub const STATE_INITIALIZED: u8 = 1;
pub const STATE_FROZEN: u8 = 2;

/// What a mint is verified as.
pub struct Expected<'a> {
    pub profile: u8,
    pub mint: &'a Address,
    pub now_ts: i64,
    /// A mint in use, to be adopted, has its metadata and may have a supply; a new one has neither.
    pub in_use: bool,
}

/// What the program takes from the mint.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub decimals: u8,
    pub supply_raw: u64,
    pub scaled_ui_offset: u16,
    pub multiplier_bits: u64,
    /// When the multiplier in force began; 0 where the mint does not say.
    pub multiplier_changed_ts: i64,
}

/// Verifies all but the authorities: at most 9 decimals, no supply yet (a new mint), exactly the profile's extensions (a new
/// mint's TokenMetadata is written by register_asset), nothing twice, nothing truncated, nothing behind.
///
/// # Errors
/// ProfileNotSupported, MintNotInitialized, MintMalformed, WrongDecimals, SupplyNotZero, CloseAuthorityForbidden,
/// ForbiddenExtension, DuplicateExtension, MissingExtension, and one per extension whose content is wrong.
pub fn verify(data: &[u8], expected: &Expected, found: &mut Found) -> Result {
    let required = extensions_of(expected.profile)? | if expected.in_use { bit(TOKEN_METADATA) } else { 0 };

    // 1. The mint itself.
    if data.len() < MINT_LEN {
        return Err(Error::MintNotInitialized);
    }
    if part::<1>(data, MINT_INITIALIZED)? != &[1] {
        return Err(Error::MintNotInitialized);
    }
    [found.decimals] = *part(data, MINT_DECIMALS)?;
    if found.decimals > MAX_DECIMALS {
        return Err(Error::WrongDecimals);
    }
    found.supply_raw = u64::from_le_bytes(*part(data, MINT_SUPPLY)?);
    if found.supply_raw != 0 && !expected.in_use {
        return Err(Error::SupplyNotZero);
    }
    if data.len() == MINT_LEN {
        return Err(Error::MissingExtension);
    }
    if part::<1>(data, ACCOUNT_TYPE)? != &[TYPE_MINT] {
        return Err(Error::MintMalformed);
    }

    // 2. The extensions, one after the other to the last byte.
    let mut seen = 0u32;
    let mut at = TLV;
    loop {
        let start = at;
        let Some((extension, value)) = next_extension(data, &mut at)? else { break };
        match extension {
            MINT_CLOSE_AUTHORITY => return Err(Error::CloseAuthorityForbidden),
            TOKEN_METADATA if !expected.in_use => return Err(Error::MetadataAlreadyInitialized),
            NO_EXTENSION => return Err(Error::MintMalformed),
            // Beyond the mask's 31 bits nothing is known.
            _ if extension > 31 || required & bit(extension) == 0 => return Err(Error::ForbiddenExtension),
            _ if seen & bit(extension) != 0 => return Err(Error::DuplicateExtension),
            _ => {}
        }
        seen |= bit(extension);
        match (extension, value.len()) {
            (METADATA_POINTER, 64) => {
                if !value.ends_with(expected.mint.as_array()) {
                    return Err(Error::MetadataPointerInvalid);
                }
            }
            (TOKEN_METADATA, _) => check_metadata(value, expected.mint)?,
            (PERMANENT_DELEGATE, 32) => {}
            (DEFAULT_ACCOUNT_STATE, 1) => {
                let state = if expected.profile == PROFILE_PERMISSIONED { STATE_FROZEN } else { STATE_INITIALIZED };
                if value != [state] {
                    return Err(Error::DefaultAccountStateInvalid);
                }
            }
            (PAUSABLE, 33) => {
                if !value.ends_with(&[0]) {
                    return Err(Error::MintPaused);
                }
            }
            (CONFIDENTIAL_TRANSFER_MINT, 65) => {
                // behind the authority: auto approval off, no auditor
                if !value.ends_with(&[0; 33]) {
                    return Err(Error::ConfidentialTransferInvalid);
                }
            }
            (TRANSFER_HOOK, 64) => {
                // no program
                if !value.ends_with(&[0; 32]) {
                    return Err(Error::TransferHookInvalid);
                }
            }
            (SCALED_UI, SCALED_UI_SIZE) => {
                let effective_ts = i64::from_le_bytes(*part(value, 40)?);
                if effective_ts > expected.now_ts {
                    return Err(Error::MultiplierPending);
                }
                found.multiplier_bits = u64::from_le_bytes(*part(value, 48)?);
                check_multiplier(found.multiplier_bits)?;
                found.multiplier_changed_ts = effective_ts.max(0);
                found.scaled_ui_offset = u16::try_from(start).map_err(|_| Error::MintMalformed)?;
            }
            // A known extension of another length.
            _ => return Err(Error::MintMalformed),
        }
    }
    if seen != required {
        return Err(Error::MissingExtension);
    }
    Ok(())
}

const SCALED_UI_SIZE: usize = SCALED_UI_LEN as usize;

/// TokenMetadata: update authority, this mint, three strings (name and symbol such as can be shown), pairs of strings,
/// and nothing behind.
fn check_metadata(value: &[u8], mint: &Address) -> Result {
    let malformed = Err(Error::MetadataMalformed);
    let Some((_, rest)) = value.split_at_checked(32) else { return malformed };
    let Some(mut rest) = rest.strip_prefix(mint.as_array()) else { return malformed };
    let Some(name) = Text::read(&mut rest) else { return malformed };
    let Some(symbol) = Text::read(&mut rest) else { return malformed };
    if Text::read(&mut rest).is_none() || MetadataFields::read(&mut rest).is_none() || !rest.is_empty() {
        return malformed;
    }
    require_name(name)?;
    require_name(symbol)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        state::{Authorities, PROFILE_OPEN, PROFILE_XSTOCKS},
        token_2022::sample_mint::{
            base, but, check, check_as, check_in_use, extensions, held_by, metadata, new_mint, pairs, scaled, text,
            tlv, whole, with, ASSET, CONFIDENTIAL, DEFAULT_STATE, DELEGATE, HOOK, METADATA, MINT, NOBODY, NOW, PAUSE,
            POINTER, SCALED, STRANGER,
        },
    };
    use proptest::prelude::*;

    #[test]
    fn the_extensions_pass_in_any_order() {
        let found = Found {
            decimals: 8,
            supply_raw: 0,
            scaled_ui_offset: 166 + 68 + 36 + 5,
            multiplier_bits: 1.5f64.to_bits(),
            multiplier_changed_ts: 0,
        };
        let mut new = new_mint();
        assert_eq!(check(&with(&new)), Ok(found));
        new.reverse();
        assert!(check(&with(&new)).is_ok());
        let mut used = extensions(&held_by(&ASSET));
        assert!(check_in_use(&with(&used)).is_ok());
        used.reverse();
        assert!(check_in_use(&with(&used)).is_ok());
    }

    #[test]
    fn a_mint_in_use_has_metadata_and_may_have_a_supply() {
        let mut data = whole(&held_by(&ASSET));
        assert_eq!(check(&data), Err(Error::MetadataAlreadyInitialized));
        assert_eq!(check_in_use(&with(&new_mint())), Err(Error::MissingExtension));
        data[MINT_SUPPLY..MINT_SUPPLY + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(check_in_use(&data).unwrap().supply_raw, u64::MAX);
        assert_eq!(check(&data), Err(Error::SupplyNotZero));
    }

    #[test]
    fn the_time_of_the_last_multiplier_change_is_taken() {
        for (effective_ts, changed_ts) in [(-1, 0), (0, 0), (7, 7), (NOW, NOW)] {
            let mut list = new_mint();
            list[SCALED] = scaled(&ASSET, 1.5, effective_ts);
            assert_eq!(check(&with(&list)).unwrap().multiplier_changed_ts, changed_ts);
        }
    }

    #[test]
    fn the_open_profile_takes_two_extensions_and_no_freeze_authority() {
        let list = new_mint();
        let open = |freeze: &Address| [base(&but(1, freeze)), list[POINTER].clone(), list[SCALED].clone()].concat();
        for foreign in [ASSET, STRANGER] {
            assert_eq!(check_as(&open(&foreign), PROFILE_OPEN, false), Err(Error::FreezeAuthorityInvalid));
        }
        assert!(check_as(&open(&NOBODY), PROFILE_OPEN, false).is_ok());
        let mut used = open(&NOBODY);
        used.extend(metadata(&ASSET, &MINT, &[0; 4]));
        assert!(check_as(&used, PROFILE_OPEN, true).is_ok());
        assert_eq!(check_as(&used, 3, true), Err(Error::ProfileNotSupported));
    }

    #[test]
    fn accounts_of_the_permissioned_profile_are_frozen_at_first() {
        let mut list = new_mint();
        assert_eq!(check_as(&with(&list), PROFILE_PERMISSIONED, false), Err(Error::DefaultAccountStateInvalid));
        list[DEFAULT_STATE] = tlv(DEFAULT_ACCOUNT_STATE, &[&[STATE_FROZEN]]);
        assert!(check_as(&with(&list), PROFILE_PERMISSIONED, false).is_ok());
        assert_eq!(check(&with(&list)), Err(Error::DefaultAccountStateInvalid));
    }

    #[test]
    fn the_decimals_are_taken_as_the_mint_has_them() {
        for decimals in 0..=u8::MAX {
            let mut data = with(&new_mint());
            data[MINT_DECIMALS] = decimals;
            let expected = if decimals <= 9 { Ok(decimals) } else { Err(Error::WrongDecimals) };
            assert_eq!(check(&data).map(|found| found.decimals), expected, "{decimals} decimals");
        }
    }

    #[test]
    fn each_wrong_byte_of_the_mint_is_named() {
        let cases: [(usize, u8, Error); 11] = [
            (0, 0, Error::MintAuthorityInvalid),
            (1, 1, Error::MintMalformed),
            (4, 8, Error::MintAuthorityInvalid),
            (36, 1, Error::SupplyNotZero),
            (44, 10, Error::WrongDecimals),
            (45, 0, Error::MintNotInitialized),
            (46, 0, Error::FreezeAuthorityInvalid),
            (46, 2, Error::MintMalformed),
            (50, 8, Error::FreezeAuthorityInvalid),
            (165, 2, Error::MintMalformed),
            (166, 3, Error::CloseAuthorityForbidden),
        ];
        for (at, value, error) in cases {
            let mut data = with(&new_mint());
            data[at] = value;
            assert_eq!(check(&data), Err(error), "byte {at}");
        }
        let mut zero_key = with(&new_mint());
        zero_key[4..36].fill(0);
        assert_eq!(check(&zero_key), Err(Error::MintMalformed));
        assert_eq!(check(&with(&[])[..82]), Err(Error::MissingExtension));
        assert_eq!(check(&with(&[])[..81]), Err(Error::MintNotInitialized));
    }

    #[test]
    fn each_wrong_extension_is_named() {
        let a = ASSET.as_array();
        let cases: [(usize, Vec<u8>, Error); 10] = [
            (POINTER, tlv(METADATA_POINTER, &[a, a]), Error::MetadataPointerInvalid),
            (DEFAULT_STATE, tlv(DEFAULT_ACCOUNT_STATE, &[&[0]]), Error::DefaultAccountStateInvalid),
            (SCALED, scaled(&ASSET, 1.5, NOW + 1), Error::MultiplierPending),
            (SCALED, scaled(&ASSET, -1.5, 0), Error::MultiplierInvalid),
            (PAUSE, tlv(PAUSABLE, &[a, &[1]]), Error::MintPaused),
            (CONFIDENTIAL, tlv(CONFIDENTIAL_TRANSFER_MINT, &[a, &[1], &[0; 32]]), Error::ConfidentialTransferInvalid),
            (CONFIDENTIAL, tlv(CONFIDENTIAL_TRANSFER_MINT, &[a, &[0], &[3; 32]]), Error::ConfidentialTransferInvalid),
            (HOOK, tlv(TRANSFER_HOOK, &[a, MINT.as_array()]), Error::TransferHookInvalid),
            (HOOK, tlv(TRANSFER_HOOK, &[a]), Error::MintMalformed),
            (DELEGATE, tlv(PERMANENT_DELEGATE, &[a, &[0]]), Error::MintMalformed),
        ];
        for (i, (at, replacement, error)) in cases.into_iter().enumerate() {
            let mut list = extensions(&held_by(&ASSET));
            list[at] = replacement;
            assert_eq!(check_in_use(&with(&list)), Err(error), "in use, case {i}");
            list.truncate(METADATA);
            assert_eq!(check(&with(&list)), Err(error), "new, case {i}");
        }
        let appended: [(Vec<u8>, Error); 5] = [
            (tlv(1, &[&[0; 108]]), Error::ForbiddenExtension),
            (tlv(40_000, &[]), Error::ForbiddenExtension),
            (new_mint()[1].clone(), Error::DuplicateExtension),
            (vec![0], Error::MintMalformed),
            (vec![0; 4], Error::MintMalformed),
        ];
        for (i, (extra, error)) in appended.into_iter().enumerate() {
            assert_eq!(check(&[with(&new_mint()), extra.clone()].concat()), Err(error), "new, appended {i}");
            let used = [whole(&held_by(&ASSET)), extra].concat();
            assert_eq!(check_in_use(&used), Err(error), "in use, appended {i}");
        }
        let twice = [whole(&held_by(&ASSET)), metadata(&ASSET, &MINT, &pairs())].concat();
        assert_eq!(check_in_use(&twice), Err(Error::DuplicateExtension));
    }

    #[test]
    fn a_name_and_a_symbol_that_cannot_be_shown_are_named() {
        let of = |name: &[u8], symbol: &[u8]| {
            let base = [text(name), text(symbol), text(b"uri\n"), pairs()].concat();
            tlv(TOKEN_METADATA, &[ASSET.as_array(), MINT.as_array(), &base])
        };
        let mut list = extensions(&held_by(&ASSET));
        for (bad, error) in [
            (&b""[..], Error::MetadataInvalid),
            (b" ", Error::MetadataBlank),
            (b"A\0", Error::MetadataControl),
            (b"\x1b[2JA", Error::MetadataControl),
        ] {
            for metadata in [of(bad, b"SYM"), of(b"Name", bad)] {
                list[METADATA] = metadata;
                assert_eq!(check_in_use(&with(&list)), Err(error));
            }
        }
        list[METADATA] = of(b"Name", b"SYM");
        assert!(check_in_use(&with(&list)).is_ok());
    }

    #[test]
    fn malformed_metadata_are_named() {
        let good = metadata(&ASSET, &MINT, &pairs());
        let value = &good[4..];
        let mut bad: Vec<Vec<u8>> = (0..value.len()).map(|cut| tlv(TOKEN_METADATA, &[&value[..cut]])).collect();
        bad.push(tlv(TOKEN_METADATA, &[value, &[0]]));
        bad.push(metadata(&ASSET, &ASSET, &pairs()));
        bad.push(metadata(&ASSET, &MINT, &u32::MAX.to_le_bytes()));
        bad.push(metadata(&ASSET, &MINT, &[&1u32.to_le_bytes()[..], &text(b"isin"), &text(&[0xFF])].concat()));
        let mut list = extensions(&held_by(&ASSET));
        for (i, metadata) in bad.into_iter().enumerate() {
            list[METADATA] = metadata;
            assert_eq!(check_in_use(&with(&list)), Err(Error::MetadataMalformed), "case {i}");
        }
        list[METADATA] = good;
        assert!(check_in_use(&with(&list)).is_ok());
    }

    proptest! {
        #[test]
        fn a_missing_or_cut_extension_never_passes(drop in 0usize..8, cut in 1usize..400) {
            let mut list = extensions(&held_by(&ASSET));
            let whole = with(&list);
            prop_assert!(check_in_use(&whole[..whole.len() - cut]).is_err());
            list.remove(drop);
            prop_assert_eq!(check_in_use(&with(&list)), Err(Error::MissingExtension));
            let mut list = new_mint();
            let whole = with(&list);
            prop_assert!(check(&whole[..whole.len() - cut.min(whole.len())]).is_err());
            list.remove(drop % METADATA);
            prop_assert_eq!(check(&with(&list)), Err(Error::MissingExtension));
        }

        #[test]
        fn every_other_extension_is_refused(kind: u16, length in 0usize..200) {
            let member = extensions_of(PROFILE_XSTOCKS).unwrap() | bit(TOKEN_METADATA) | bit(NO_EXTENSION);
            prop_assume!(kind > 31 || member & bit(kind) == 0);
            let error = if kind == MINT_CLOSE_AUTHORITY { Error::CloseAuthorityForbidden } else { Error::ForbiddenExtension };
            let extra = tlv(kind, &[&vec![0; length]]);
            prop_assert_eq!(check(&[with(&new_mint()), extra.clone()].concat()), Err(error));
            prop_assert_eq!(check_in_use(&[whole(&held_by(&ASSET)), extra].concat()), Err(error));
        }

        #[test]
        fn any_metadata_that_fit_pass(texts in ["[a-zA-Z0-9é]{1,40}", "[a-zA-Z ]{0,9}[a-z]", ".{0,40}"], fields in proptest::collection::vec((".{0,20}", ".{0,20}"), 0..4)) {
            let mut value = [ASSET.to_bytes(), MINT.to_bytes()].concat();
            texts.iter().for_each(|each| value.extend(text(each.as_bytes())));
            value.extend(u32::try_from(fields.len()).unwrap().to_le_bytes());
            fields.iter().for_each(|(key, of)| value.extend([text(key.as_bytes()), text(of.as_bytes())].concat()));
            let mut list = extensions(&held_by(&ASSET));
            list[METADATA] = tlv(TOKEN_METADATA, &[&value]);
            prop_assert!(check_in_use(&with(&list)).is_ok());
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(data in proptest::collection::vec(any::<u8>(), 0..900), in_use: bool) {
            prop_assert!(check_as(&data, PROFILE_XSTOCKS, in_use).is_err());
            let _ = Authorities::read(&data, &mut Authorities::NONE.clone());
        }

        #[test]
        fn each_byte_before_the_extensions_decides(at in 0..TLV, value: u8) {
            let mut data = whole(&held_by(&ASSET));
            prop_assume!(data[at] != value);
            data[at] = value;
            // The supply, decimals that a mint may have, and what Token-2022 never writes to.
            let free = (MINT_SUPPLY..MINT_SUPPLY + 8).contains(&at)
                || (at == MINT_DECIMALS && value <= MAX_DECIMALS)
                || (MINT_LEN..ACCOUNT_TYPE).contains(&at);
            prop_assert_eq!(check_in_use(&data).is_ok(), free);
        }
    }
}
