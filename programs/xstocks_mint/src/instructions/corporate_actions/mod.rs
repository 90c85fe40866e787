//! Changes of the multiplier: announced, bounded, compare-and-set, never silently replaced (M9).

pub mod cancel_multiplier;
pub mod schedule_multiplier;

use crate::{
    account::{same, Now},
    error::{Error, Result},
    state::Asset,
    token,
};
use pinocchio::AccountView;

/// The mint must be the asset's, under the program, and apply the asset's multiplier now.
///
/// # Errors
/// WrongMint, AssetReleased, MultiplierOffsetInvalid, MultiplierMismatch.
fn check_mint(asset: &Asset, mint: &AccountView, now: Now) -> Result {
    if !same(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    asset.require_held()?;
    if token::effective_multiplier_bits(mint, asset.scaled_ui_offset, now)? != asset.multiplier_bits {
        return Err(Error::MultiplierMismatch);
    }
    Ok(())
}
