//! Handing authorities of a mint over.

use crate::{
    account::{data, same},
    cpi,
    error::Result,
    mint_profile::AUTHORITIES,
    state::Authorities,
};
use pinocchio::AccountView;

/// Each authority that the asset holds now goes to its holder in `to`; where that is the asset too, it stays.
///
/// # Errors
/// MintMalformed.
#[inline(never)]
pub fn hand_over(mint: &AccountView, asset: &AccountView, bump: u8, to: &Authorities) -> Result {
    let mut present = Authorities::NONE;
    // SAFETY: read before the calls that change it.
    Authorities::read(unsafe { data(mint) }, &mut present)?;
    let bump = [bump];
    let seeds = cpi::asset_seeds(mint.address(), &bump);
    for ((present, holder), authority) in present.each().iter().zip(to.each()).zip(&AUTHORITIES) {
        if !same(present, asset.address()) || same(holder, asset.address()) {
            continue;
        }
        match authority.number {
            Some(number) => cpi::set_authority(mint, asset, number, holder, &seeds),
            None => cpi::metadata_set_authority(mint, asset, holder, &seeds),
        }
    }
    Ok(())
}
