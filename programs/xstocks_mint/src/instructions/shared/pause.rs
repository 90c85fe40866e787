//! Pause scopes: whether something may run, and what pause and resume share (M8).

use crate::{
    address::address_eq,
    error::{require, Error, Result},
    pda::asset_seeds,
    state::{scope, Asset, Config},
    token_2022::{cpi, profile::has_pause},
};
use pinocchio::AccountView;

/// The scope must be paused neither globally nor for the asset (M8); a pause of transfers stops every scope.
///
/// # Errors
/// Paused.
#[inline(always)]
pub fn require_running(config: &Config, asset: &Asset, scope: u8) -> Result {
    require((config.paused | asset.paused) & (scope | scope::TRANSFERS) == 0, Error::Paused)
}

/// Known scopes, at least one; the transfers scope is of one asset only.
///
/// # Errors
/// UnknownScope, TransfersNeedAsset.
pub fn check_scopes(scopes: u8, has_asset: bool) -> Result {
    if scopes == 0 || scopes & !scope::ALL != 0 {
        return Err(Error::UnknownScope);
    }
    if scopes & scope::TRANSFERS != 0 && !has_asset {
        return Err(Error::TransfersNeedAsset);
    }
    Ok(())
}

/// Token-2022's pause of the mint, where the transfers scope is among `scopes`.
///
/// # Errors
/// TransfersNeedAsset, WrongMint, AssetReleased, TransfersNotPausable.
pub fn set_transfers_paused(
    asset: &Asset,
    account: &AccountView,
    mint: Option<&AccountView>,
    token_program: Option<&AccountView>,
    scopes: u8,
    paused: bool,
) -> Result {
    if scopes & scope::TRANSFERS == 0 {
        return Ok(());
    }
    let (Some(mint), Some(_)) = (mint, token_program) else {
        return Err(Error::TransfersNeedAsset);
    };
    if !address_eq(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    asset.require_not_released()?;
    if !has_pause(asset.profile) {
        return Err(Error::TransfersNotPausable);
    }
    let bump = [asset.bump];
    cpi::set_transfers_paused(mint, account, paused, &asset_seeds(mint.address(), &bump));
    Ok(())
}
