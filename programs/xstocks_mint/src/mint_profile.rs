//! What a mint must look like before the program takes it. Every refusal has its own name.
//!
//! Pure over the mint's bytes, so the host tests it.

use crate::{
    account::same,
    args::{Arg, MetadataFields, Text},
    error::{Error, Result},
    math::check_multiplier,
    state::{Authorities, PROFILE_OPEN, PROFILE_PERMISSIONED, PROFILE_XSTOCKS},
    token::{SCALED_UI_LEN, SCALED_UI_TYPE},
};
use pinocchio::Address;

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
/// Where the extensions begin, as in token accounts.
pub const TLV: usize = 166;

/// Extension numbers; 0 marks bytes that no extension uses.
const NO_EXTENSION: u16 = 0;
const MINT_CLOSE_AUTHORITY: u16 = 3;
const CONFIDENTIAL_TRANSFER_MINT: u16 = 4;
const DEFAULT_ACCOUNT_STATE: u16 = 6;
const PERMANENT_DELEGATE: u16 = 12;
const TRANSFER_HOOK: u16 = 14;
const METADATA_POINTER: u16 = 18;
const TOKEN_METADATA: u16 = 19;
const PAUSABLE: u16 = 26;

/// DefaultAccountState.
const STATE_INITIALIZED: u8 = 1;
const STATE_FROZEN: u8 = 2;

const fn bit(extension: u16) -> u32 {
    1 << extension
}

/// Extensions of the open profile before the metadata are written.
const OPEN: u32 = bit(METADATA_POINTER) | bit(SCALED_UI_TYPE);
/// Extensions of the xstocks and permissioned profiles before the metadata are written.
const XSTOCKS: u32 = OPEN
    | bit(PERMANENT_DELEGATE)
    | bit(DEFAULT_ACCOUNT_STATE)
    | bit(PAUSABLE)
    | bit(CONFIDENTIAL_TRANSFER_MINT)
    | bit(TRANSFER_HOOK);

/// The extensions of a profile, as bits, before the metadata are written.
fn extensions_of(profile: u8) -> Result<u32> {
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

// ---- authorities -------------------------------------------------------------------------------------------------

/// One authority of a mint.
pub struct Authority {
    /// The extension whose first 32 bytes it is; of the mint itself: NO_EXTENSION.
    extension: u16,
    /// Token-2022's `AuthorityType`; None for the metadata's update authority, which has its own instruction.
    pub number: Option<u8>,
    /// It must be the asset; else nobody may hold it too.
    needed: bool,
    /// How another holder is refused.
    error: Error,
}

const fn authority(extension: u16, number: Option<u8>, needed: bool, error: Error) -> Authority {
    Authority { extension, number, needed, error }
}

/// AuthorityType::FreezeAccount
const FREEZE_ACCOUNT: u8 = 1;

/// What is known of each of `Authorities`, in its order.
pub const AUTHORITIES: [Authority; Authorities::COUNT] = [
    authority(NO_EXTENSION, Some(0), true, Error::MintAuthorityInvalid),
    authority(NO_EXTENSION, Some(FREEZE_ACCOUNT), true, Error::FreezeAuthorityInvalid),
    authority(METADATA_POINTER, Some(12), false, Error::MetadataPointerInvalid),
    authority(TOKEN_METADATA, None, false, Error::MetadataAuthorityInvalid),
    authority(PERMANENT_DELEGATE, Some(8), true, Error::PermanentDelegateInvalid),
    authority(SCALED_UI_TYPE, Some(15), true, Error::ScaledUiAuthorityInvalid),
    authority(PAUSABLE, Some(16), true, Error::PausableAuthorityInvalid),
    authority(CONFIDENTIAL_TRANSFER_MINT, Some(9), false, Error::ConfidentialTransferInvalid),
    authority(TRANSFER_HOOK, Some(10), false, Error::TransferHookInvalid),
];

/// Who may hold an authority.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Asset,
    AssetOrNobody,
    Nobody,
}

impl Authority {
    /// Who must hold it once the mint is the program's.
    fn holder(&self, profile: u8) -> Result<Holder> {
        if self.number == Some(FREEZE_ACCOUNT) && !has_freeze(profile) {
            return Ok(Holder::Nobody);
        }
        let present = self.extension == NO_EXTENSION || extensions_of(profile)? & bit(self.extension) != 0;
        Ok(if self.needed && present { Holder::Asset } else { Holder::AssetOrNobody })
    }
}

/// A COption<Pubkey>; nobody is zeros, and zeros are nobody.
fn read_option(option: &[u8; 36], into: &mut Address) -> Result {
    let [t0, t1, t2, t3, ref key @ ..] = *option;
    match ([t0, t1, t2, t3], *key == [0; 32]) {
        ([0, 0, 0, 0], _) => *into = Authorities::NOBODY,
        ([1, 0, 0, 0], false) => *into = Address::new_from_array(*key),
        _ => return Err(Error::MintMalformed),
    }
    Ok(())
}

impl Authorities {
    /// Reads the present holders, whatever else the mint is.
    ///
    /// # Errors
    /// MintMalformed.
    pub fn read(data: &[u8], into: &mut Self) -> Result {
        read_option(part(data, AUTHORITY)?, &mut into.mint)?;
        read_option(part(data, FREEZE_AUTHORITY)?, &mut into.freeze)?;
        let mut at = TLV;
        while let Some((extension, value)) = next_extension(data, &mut at)? {
            for (holder, authority) in into.each_mut().iter_mut().zip(&AUTHORITIES) {
                if authority.extension == extension {
                    *holder = Address::new_from_array(*part(value, 0)?);
                }
            }
        }
        Ok(())
    }

    /// Each is the asset, or nobody where the profile does not need it.
    ///
    /// # Errors
    /// The name of the first that is not.
    pub fn check(&self, profile: u8, asset: &Address) -> Result {
        for (holder, authority) in self.each().iter().zip(&AUTHORITIES) {
            let may = authority.holder(profile)?;
            let fits = if same(holder, &Self::NOBODY) {
                may != Holder::Asset
            } else {
                may != Holder::Nobody && same(holder, asset)
            };
            if !fits {
                return Err(authority.error);
            }
        }
        Ok(())
    }

    /// Whoever holds them, somebody holds what the asset will need: what nobody holds, nobody can hand over.
    ///
    /// # Errors
    /// The name of the first that nobody holds.
    pub fn check_held(&self, profile: u8) -> Result {
        for (holder, authority) in self.each().iter().zip(&AUTHORITIES) {
            if authority.holder(profile)? == Holder::Asset && same(holder, &Self::NOBODY) {
                return Err(authority.error);
            }
        }
        Ok(())
    }
}

// ---- everything else ---------------------------------------------------------------------------------------------

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
    pub supply_raw: u64,
    pub scaled_ui_offset: u16,
    pub multiplier_bits: u64,
    /// When the multiplier in force began; 0 where the mint does not say.
    pub multiplier_changed_ts: i64,
}

#[inline(always)]
fn part<const N: usize>(data: &[u8], at: usize) -> Result<&[u8; N]> {
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

/// Verifies all but the authorities: 8 decimals, no supply yet (a new mint), exactly the profile's extensions (a new
/// mint's TokenMetadata is written by register_asset), nothing twice, nothing truncated, nothing behind.
///
/// # Errors
/// ProfileNotSupported, MintNotInitialized, MintMalformed, WrongDecimals, SupplyNotZero, CloseAuthorityForbidden,
/// ForbiddenExtension, DuplicateExtension, MissingExtension, and one per extension whose content is wrong.
pub fn verify(data: &[u8], expected: &Expected, found: &mut Found) -> Result {
    let required = extensions_of(expected.profile)? | if expected.in_use { bit(TOKEN_METADATA) } else { 0 };

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
    found.supply_raw = u64::from_le_bytes(*part(data, SUPPLY)?);
    if found.supply_raw != 0 && !expected.in_use {
        return Err(Error::SupplyNotZero);
    }
    if data.len() == BASE_LEN {
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
            (SCALED_UI_TYPE, SCALED_UI_SIZE) => {
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

/// TokenMetadata: update authority, this mint, three strings, pairs of strings, and nothing behind.
fn check_metadata(value: &[u8], mint: &Address) -> Result {
    let malformed = Err(Error::MetadataMalformed);
    let Some((_, rest)) = value.split_at_checked(32) else { return malformed };
    let Some(mut rest) = rest.strip_prefix(mint.as_array()) else { return malformed };
    for _ in 0..3 {
        if Text::read(&mut rest).is_none() {
            return malformed;
        }
    }
    if MetadataFields::read(&mut rest).is_none() || !rest.is_empty() {
        return malformed;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINT: Address = Address::new_from_array([7; 32]);
    const ASSET: Address = Address::new_from_array([9; 32]);
    const STRANGER: Address = Address::new_from_array([5; 32]);
    const NOBODY: Address = Authorities::NOBODY;
    const NOW: i64 = 1_000;
    /// Places in `extensions()`.
    const POINTER: usize = 0;
    const DELEGATE: usize = 1;
    const DEFAULT_STATE: usize = 2;
    const SCALED: usize = 3;
    const PAUSE: usize = 4;
    const CONFIDENTIAL: usize = 5;
    const HOOK: usize = 6;
    const METADATA: usize = 7;
    const HOLDERS: usize = AUTHORITIES.len();

    fn tlv(extension: u16, value: &[&[u8]]) -> Vec<u8> {
        let value = value.concat();
        let length = u16::try_from(value.len()).unwrap();
        [&extension.to_le_bytes()[..], &length.to_le_bytes(), &value].concat()
    }

    fn scaled(holder: &Address, multiplier: f64, effective_ts: i64) -> Vec<u8> {
        let m = multiplier.to_le_bytes();
        tlv(SCALED_UI_TYPE, &[holder.as_array(), &m, &effective_ts.to_le_bytes(), &m])
    }

    fn text(text: &[u8]) -> Vec<u8> {
        [&u32::try_from(text.len()).unwrap().to_le_bytes(), text].concat()
    }

    fn metadata(holder: &Address, mint: &Address, behind: &[u8]) -> Vec<u8> {
        tlv(TOKEN_METADATA, &[holder.as_array(), mint.as_array(), &text(b"Name"), &text(b"SYM"), &text(b"uri"), behind])
    }

    /// One pair of additional metadata.
    fn pairs() -> Vec<u8> {
        [&1u32.to_le_bytes()[..], &text(b"isin"), &text(b"CH0")].concat()
    }

    /// All extensions of the xstocks profile, of the given holders.
    fn extensions(holders: &Authorities) -> Vec<Vec<u8>> {
        vec![
            tlv(METADATA_POINTER, &[holders.metadata_pointer.as_array(), MINT.as_array()]),
            tlv(PERMANENT_DELEGATE, &[holders.permanent_delegate.as_array()]),
            tlv(DEFAULT_ACCOUNT_STATE, &[&[STATE_INITIALIZED]]),
            scaled(&holders.scaled_ui, 1.5, 0),
            tlv(PAUSABLE, &[holders.pausable.as_array(), &[0]]),
            tlv(CONFIDENTIAL_TRANSFER_MINT, &[holders.confidential.as_array(), &[0; 33]]),
            tlv(TRANSFER_HOOK, &[holders.hook.as_array(), &[0; 32]]),
            metadata(&holders.metadata_update, &MINT, &pairs()),
        ]
    }

    fn option(holder: &Address) -> Vec<u8> {
        [&u32::from(*holder != NOBODY).to_le_bytes()[..], holder.as_array()].concat()
    }

    fn base(holders: &Authorities) -> Vec<u8> {
        let mut data = vec![0; TLV];
        data[AUTHORITY..AUTHORITY + 36].copy_from_slice(&option(&holders.mint));
        data[DECIMALS_AT] = DECIMALS;
        data[INITIALIZED] = 1;
        data[FREEZE_AUTHORITY..FREEZE_AUTHORITY + 36].copy_from_slice(&option(&holders.freeze));
        data[ACCOUNT_TYPE] = TYPE_MINT;
        data
    }

    fn held_by(holder: &Address) -> Authorities {
        let mut holders = Authorities::NONE;
        *holders.each_mut() = [*holder; HOLDERS];
        holders
    }

    fn but(index: usize, holder: &Address) -> Authorities {
        let mut holders = held_by(&ASSET);
        holders.each_mut()[index] = *holder;
        holders
    }

    fn with(extensions: &[Vec<u8>]) -> Vec<u8> {
        [base(&held_by(&ASSET)), extensions.concat()].concat()
    }

    /// A new mint of the asset's: all extensions but the metadata.
    fn new_mint() -> Vec<Vec<u8>> {
        let mut list = extensions(&held_by(&ASSET));
        list.truncate(METADATA);
        list
    }

    fn whole(holders: &Authorities) -> Vec<u8> {
        [base(holders), extensions(holders).concat()].concat()
    }

    /// As `take` does it: what the mint is, then who holds it.
    fn check_as(data: &[u8], profile: u8, in_use: bool) -> Result<Found> {
        let mut found = Found::default();
        verify(data, &Expected { profile, mint: &MINT, now_ts: NOW, in_use }, &mut found)?;
        let mut holders = Authorities::NONE;
        Authorities::read(data, &mut holders)?;
        holders.check(profile, &ASSET)?;
        Ok(found)
    }

    fn check(data: &[u8]) -> Result<Found> {
        check_as(data, PROFILE_XSTOCKS, false)
    }

    fn check_in_use(data: &[u8]) -> Result<Found> {
        check_as(data, PROFILE_XSTOCKS, true)
    }

    #[test]
    fn the_extensions_pass_in_any_order() {
        let found = Found {
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
        data[SUPPLY..SUPPLY + 8].copy_from_slice(&u64::MAX.to_le_bytes());
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
    fn each_authority_is_the_assets_or_where_it_may_be_nobodys() {
        for (index, authority) in AUTHORITIES.iter().enumerate() {
            assert_eq!(check_in_use(&whole(&but(index, &STRANGER))), Err(authority.error), "{index}");
            let nobody = check_in_use(&whole(&but(index, &NOBODY)));
            // Mint, freeze, delegate, multiplier and pause; not pointer, metadata, confidential transfers and hook.
            let needed = [0, 1, 4, 5, 6].contains(&index);
            assert_eq!(nobody.err(), needed.then_some(authority.error), "{index}");
        }
    }

    #[test]
    fn each_holder_is_read_from_its_place() {
        let mut expected = Authorities::NONE;
        for (number, holder) in (1..).zip(expected.each_mut()) {
            *holder = Address::new_from_array([number; 32]);
        }
        let mut read = held_by(&STRANGER);
        Authorities::read(&whole(&expected), &mut read).unwrap();
        assert_eq!(read.each(), expected.each());
        let mut read = Authorities::NONE;
        Authorities::read(&with(&[]), &mut read).unwrap();
        assert_eq!(read.mint, ASSET);
        assert!(read.each()[2..].iter().all(|holder| *holder == NOBODY));
    }

    #[test]
    fn what_nobody_holds_nobody_can_hand_over() {
        for (index, authority) in AUTHORITIES.iter().enumerate() {
            assert_eq!(but(index, &STRANGER).check_held(PROFILE_XSTOCKS), Ok(()));
            let needed = [0, 1, 4, 5, 6].contains(&index);
            let missing = but(index, &NOBODY).check_held(PROFILE_XSTOCKS);
            assert_eq!(missing.err(), needed.then_some(authority.error), "{index}");
        }
        let open = Authorities { mint: STRANGER, scaled_ui: STRANGER, ..Authorities::NONE };
        assert_eq!(open.check_held(PROFILE_OPEN), Ok(()));
    }

    #[test]
    fn each_wrong_byte_of_the_mint_is_named() {
        let cases: [(usize, u8, Error); 11] = [
            (0, 0, Error::MintAuthorityInvalid),
            (1, 1, Error::MintMalformed),
            (4, 8, Error::MintAuthorityInvalid),
            (36, 1, Error::SupplyNotZero),
            (44, 9, Error::WrongDecimals),
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
        fn any_metadata_that_fit_pass(texts in proptest::collection::vec(".{0,40}", 3), fields in proptest::collection::vec((".{0,20}", ".{0,20}"), 0..4)) {
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
            // The supply, and what Token-2022 never writes to.
            let free = (SUPPLY..SUPPLY + 8).contains(&at) || (BASE_LEN..ACCOUNT_TYPE).contains(&at);
            prop_assert_eq!(check_in_use(&data).is_ok(), free);
        }
    }
}
