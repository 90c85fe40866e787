//! Mints as bytes, for the tests of this folder.

use crate::{
    error::Result,
    state::{Authorities, PROFILE_XSTOCKS},
    token_2022::{
        authorities::AUTHORITIES,
        layout::{
            ACCOUNT_TYPE, CONFIDENTIAL_TRANSFER_MINT, DEFAULT_ACCOUNT_STATE, METADATA_POINTER, MINT_AUTHORITY,
            MINT_DECIMALS, MINT_FREEZE_AUTHORITY, MINT_INITIALIZED, PAUSABLE, PERMANENT_DELEGATE, SCALED_UI, TLV,
            TOKEN_METADATA, TRANSFER_HOOK, TYPE_MINT,
        },
        mint_profile::{verify, Expected, Found, STATE_INITIALIZED},
    },
};
use pinocchio::Address;

pub const MINT: Address = Address::new_from_array([7; 32]);
pub const ASSET: Address = Address::new_from_array([9; 32]);
pub const STRANGER: Address = Address::new_from_array([5; 32]);
pub const NOBODY: Address = Authorities::NOBODY;
pub const NOW: i64 = 1_000;
/// Places in `extensions()`.
pub const POINTER: usize = 0;
pub const DELEGATE: usize = 1;
pub const DEFAULT_STATE: usize = 2;
pub const SCALED: usize = 3;
pub const PAUSE: usize = 4;
pub const CONFIDENTIAL: usize = 5;
pub const HOOK: usize = 6;
pub const METADATA: usize = 7;
pub const HOLDERS: usize = AUTHORITIES.len();

pub fn tlv(extension: u16, value: &[&[u8]]) -> Vec<u8> {
    let value = value.concat();
    let length = u16::try_from(value.len()).unwrap();
    [&extension.to_le_bytes()[..], &length.to_le_bytes(), &value].concat()
}

pub fn scaled(holder: &Address, multiplier: f64, effective_ts: i64) -> Vec<u8> {
    let m = multiplier.to_le_bytes();
    tlv(SCALED_UI, &[holder.as_array(), &m, &effective_ts.to_le_bytes(), &m])
}

pub fn text(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_le_bytes(), text].concat()
}

pub fn metadata(holder: &Address, mint: &Address, behind: &[u8]) -> Vec<u8> {
    tlv(TOKEN_METADATA, &[holder.as_array(), mint.as_array(), &text(b"Name"), &text(b"SYM"), &text(b"uri"), behind])
}

/// One pair of additional metadata.
pub fn pairs() -> Vec<u8> {
    [&1u32.to_le_bytes()[..], &text(b"isin"), &text(b"CH0")].concat()
}

/// All extensions of the xstocks profile, of the given holders.
pub fn extensions(holders: &Authorities) -> Vec<Vec<u8>> {
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

pub fn option(holder: &Address) -> Vec<u8> {
    [&u32::from(*holder != NOBODY).to_le_bytes()[..], holder.as_array()].concat()
}

pub fn base(holders: &Authorities) -> Vec<u8> {
    let mut data = vec![0; TLV];
    data[MINT_AUTHORITY..MINT_AUTHORITY + 36].copy_from_slice(&option(&holders.mint));
    data[MINT_DECIMALS] = 8;
    data[MINT_INITIALIZED] = 1;
    data[MINT_FREEZE_AUTHORITY..MINT_FREEZE_AUTHORITY + 36].copy_from_slice(&option(&holders.freeze));
    data[ACCOUNT_TYPE] = TYPE_MINT;
    data
}

pub fn held_by(holder: &Address) -> Authorities {
    let mut holders = Authorities::NONE;
    *holders.each_mut() = [*holder; HOLDERS];
    holders
}

pub fn but(index: usize, holder: &Address) -> Authorities {
    let mut holders = held_by(&ASSET);
    holders.each_mut()[index] = *holder;
    holders
}

pub fn with(extensions: &[Vec<u8>]) -> Vec<u8> {
    [base(&held_by(&ASSET)), extensions.concat()].concat()
}

/// A new mint of the asset's: all extensions but the metadata.
pub fn new_mint() -> Vec<Vec<u8>> {
    let mut list = extensions(&held_by(&ASSET));
    list.truncate(METADATA);
    list
}

pub fn whole(holders: &Authorities) -> Vec<u8> {
    [base(holders), extensions(holders).concat()].concat()
}

/// As `create_asset` does it: what the mint is, then who holds it.
pub fn check_as(data: &[u8], profile: u8, in_use: bool) -> Result<Found> {
    let mut found = Found::default();
    verify(data, &Expected { profile, mint: &MINT, now_ts: NOW, in_use }, &mut found)?;
    let mut holders = Authorities::NONE;
    Authorities::read(data, &mut holders)?;
    holders.check(profile, &ASSET)?;
    Ok(found)
}

pub fn check(data: &[u8]) -> Result<Found> {
    check_as(data, PROFILE_XSTOCKS, false)
}

pub fn check_in_use(data: &[u8]) -> Result<Found> {
    check_as(data, PROFILE_XSTOCKS, true)
}
