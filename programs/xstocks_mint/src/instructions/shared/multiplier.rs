//! What announcing and cancelling a multiplier share.

use crate::{
    address::address_eq,
    error::{Error, Result},
    state::Asset,
    sysvar::Now,
    token_2022::reading,
};
use pinocchio::AccountView;

/// The mint must be the asset's, under the program, and apply the asset's multiplier now.
///
/// # Errors
/// WrongMint, AssetReleased, MultiplierOffsetInvalid, MultiplierMismatch.
pub fn require_applied_multiplier(asset: &Asset, mint: &AccountView, now: Now) -> Result {
    if !address_eq(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    asset.require_not_released()?;
    if reading::effective_multiplier_bits(mint, asset.scaled_ui_offset, now)? != asset.multiplier_bits {
        return Err(Error::MultiplierMismatch);
    }
    Ok(())
}
