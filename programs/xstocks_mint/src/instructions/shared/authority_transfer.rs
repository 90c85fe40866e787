//! Handing the authorities of a mint over: when an adoption is aborted, and when an asset is released.

use crate::{
    account::data,
    address::address_eq,
    error::{Error, Result},
    pda::asset_seeds,
    state::Authorities,
    token_2022::{authorities::AUTHORITIES, cpi},
};
use pinocchio::{AccountView, Address};

/// Each authority that the asset holds now goes to its holder in `to`; where that is the asset too, it stays.
///
/// # Errors
/// MintMalformed; AuthorityNotReleased where the mint does not name the new holder afterwards.
#[inline(never)]
pub fn hand_over(mint: &AccountView, asset: &AccountView, bump: u8, to: &Authorities) -> Result {
    let mut present = Authorities::NONE;
    // SAFETY: the slice ends with this statement, which calls no other program; what is kept is copied.
    Authorities::read(unsafe { data(mint) }, &mut present)?;
    let bump = [bump];
    let seeds = asset_seeds(mint.address(), &bump);
    for ((present, holder), authority) in present.each().iter().zip(to.each()).zip(&AUTHORITIES) {
        if !must_transfer(present, holder, asset) {
            continue;
        }
        match authority.number {
            Some(number) => cpi::set_authority(mint, asset, number, holder, &seeds),
            None => cpi::metadata_set_authority(mint, asset, holder, &seeds),
        }
    }

    // By the mint itself.
    let mut after = Authorities::NONE;
    // SAFETY: the slice ends with this statement, which calls no other program; what is kept is copied.
    Authorities::read(unsafe { data(mint) }, &mut after)?;
    for ((before, holder), after) in present.each().iter().zip(to.each()).zip(after.each()) {
        if must_transfer(before, holder, asset) && !address_eq(after, holder) {
            return Err(Error::AuthorityNotReleased);
        }
    }
    Ok(())
}

/// Whether an authority is the asset's and to be another one's.
#[inline(always)]
fn must_transfer(present: &Address, holder: &Address, asset: &AccountView) -> bool {
    address_eq(present, asset.address()) && !address_eq(holder, asset.address())
}
