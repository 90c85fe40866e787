//! Handing authorities of a mint over.

use crate::{
    account::{data, same},
    cpi,
    error::{Error, Result},
    mint_profile::AUTHORITIES,
    state::Authorities,
};
use pinocchio::{AccountView, Address};

/// Each authority that the asset holds now goes to its holder in `to`; where that is the asset too, it stays.
///
/// # Errors
/// MintMalformed; AuthorityNotReleased where the mint does not name the new holder afterwards.
#[inline(never)]
pub fn hand_over(mint: &AccountView, asset: &AccountView, bump: u8, to: &Authorities) -> Result {
    let mut present = Authorities::NONE;
    // SAFETY: read before the calls that change it, and copied.
    Authorities::read(unsafe { data(mint) }, &mut present)?;
    let bump = [bump];
    let seeds = cpi::asset_seeds(mint.address(), &bump);
    for ((present, holder), authority) in present.each().iter().zip(to.each()).zip(&AUTHORITIES) {
        if !goes(present, holder, asset) {
            continue;
        }
        match authority.number {
            Some(number) => cpi::set_authority(mint, asset, number, holder, &seeds),
            None => cpi::metadata_set_authority(mint, asset, holder, &seeds),
        }
    }

    // By the mint itself.
    let mut after = Authorities::NONE;
    // SAFETY: after the calls; nothing writes to the mint while it is read here.
    Authorities::read(unsafe { data(mint) }, &mut after)?;
    for ((before, holder), after) in present.each().iter().zip(to.each()).zip(after.each()) {
        if goes(before, holder, asset) && !same(after, holder) {
            return Err(Error::AuthorityNotReleased);
        }
    }
    Ok(())
}

/// Whether an authority is the asset's and to be another one's.
#[inline(always)]
fn goes(present: &Address, holder: &Address, asset: &AccountView) -> bool {
    same(present, asset.address()) && !same(holder, asset.address())
}
