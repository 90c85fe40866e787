//! What pause and resume share.

use crate::{
    account::same,
    cpi,
    error::{Error, Result},
    mint_profile::has_pause,
    state::{scope, Asset},
};
use pinocchio::AccountView;

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
pub fn set_transfers(
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
    if !same(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    asset.require_held()?;
    if !has_pause(asset.profile) {
        return Err(Error::TransfersNotPausable);
    }
    let bump = [asset.bump];
    cpi::set_transfers_paused(mint, account, paused, &cpi::asset_seeds(mint.address(), &bump));
    Ok(())
}
