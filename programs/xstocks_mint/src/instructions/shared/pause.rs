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

/// What is resumed: known scopes, at least one; the transfers scope is of one asset only.
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

/// What a pause stops of the asked scopes: all that exist here (M8). A full stop that names a scope too many, or the
/// transfers of a mint that has no pause of them, still stops the rest.
///
/// # Errors
/// UnknownScope where none of them exists, else what `transfers` says where they alone were asked.
#[inline(always)]
pub fn stoppable(scopes: u8, transfers: Result) -> Result<u8> {
    let known = scopes & scope::ALL;
    let Err(error) = transfers else {
        return if known == 0 { Err(Error::UnknownScope) } else { Ok(known) };
    };
    match known & !scope::TRANSFERS {
        0 if known == 0 => Err(Error::UnknownScope),
        0 => Err(error),
        others => Ok(others),
    }
}

/// Whether Token-2022's pause of the asset's mint exists and is within reach.
///
/// # Errors
/// TransfersNeedAsset, AssetReleased, TransfersNotPausable.
#[inline(always)]
pub fn require_transfers_pausable(asset: &Asset, mint: Option<&AccountView>, token: Option<&AccountView>) -> Result {
    if mint.is_none() || token.is_none() {
        return Err(Error::TransfersNeedAsset);
    }
    asset.require_not_released()?;
    if !has_pause(asset.profile) {
        return Err(Error::TransfersNotPausable);
    }
    Ok(())
}

/// The mint, where it is given, must be the asset's.
///
/// # Errors
/// WrongMint.
pub fn check_mint(asset: &Asset, mint: Option<&AccountView>) -> Result {
    match mint {
        Some(mint) if !address_eq(&asset.mint, mint.address()) => Err(Error::WrongMint),
        _ => Ok(()),
    }
}

/// Token-2022's pause of the mint, where the transfers scope is among `scopes` and was found pausable.
pub fn set_transfers_paused(
    asset: &Asset,
    account: &AccountView,
    mint: Option<&AccountView>,
    scopes: u8,
    paused: bool,
) {
    let (Some(mint), true) = (mint, scopes & scope::TRANSFERS != 0) else {
        return;
    };
    let bump = [asset.bump];
    cpi::set_transfers_paused(mint, account, paused, &asset_seeds(mint.address(), &bump));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_stops_what_exists_of_what_was_asked() {
        let no_transfers = || Err(Error::TransfersNotPausable);
        for (asked, with_transfers, without) in [
            (31, Ok(31), Ok(15)),
            (255, Ok(31), Ok(15)),
            (17, Ok(17), Ok(1)),
            (16, Ok(16), no_transfers()),
            (48, Ok(16), no_transfers()),
            (33, Ok(1), Ok(1)),
            (32, Err(Error::UnknownScope), Err(Error::UnknownScope)),
            (0, Err(Error::UnknownScope), Err(Error::UnknownScope)),
        ] {
            assert_eq!(stoppable(asked, Ok(())), with_transfers, "{asked}");
            assert_eq!(stoppable(asked, no_transfers().map(|_: u8| ())), without, "{asked}");
        }
    }
}
