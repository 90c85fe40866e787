//! Token accounts of holders, which compliance freezes, thaws and recovers from.

use crate::{
    address::address_eq,
    error::{Error, Result},
    state::Asset,
    token_2022::{profile::has_freeze, reading},
};
use pinocchio::{AccountView, Address};

/// The mint is the asset's, and the asset can freeze its accounts.
///
/// # Errors
/// WrongMint, AssetReleased, NotFreezable.
#[inline(always)]
pub fn require_freezable(asset: &Asset, mint: &AccountView) -> Result {
    if !address_eq(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    asset.require_not_released()?;
    if !has_freeze(asset.profile) {
        return Err(Error::NotFreezable);
    }
    Ok(())
}

/// The owner of a token account of the mint, frozen or not, that is no vault of the program.
///
/// # Errors
/// VaultProtected, TokenAccountInvalid.
#[inline(always)]
pub fn owner_of_holder_account<'a>(asset: &Asset, account: &'a AccountView) -> Result<&'a Address> {
    if asset.is_vault(account.address()) {
        return Err(Error::VaultProtected);
    }
    reading::owner_of(account, &asset.mint).ok_or(Error::TokenAccountInvalid)
}
