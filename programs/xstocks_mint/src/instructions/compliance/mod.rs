//! What compliance does: freeze, thaw, and recoveries, which the admin signs too.

pub mod announce_recovery;
pub mod execute_recovery;
pub mod freeze;
pub mod thaw;

use crate::{
    account::same,
    error::{Error, Result},
    mint_profile::has_freeze,
    state::{Asset, Config},
    token,
};
use pinocchio::{AccountView, Address};

/// The signer must be the compliance key.
///
/// # Errors
/// NotCompliance.
#[inline(always)]
fn require_compliance(config: &Config, signer: &AccountView) -> Result {
    if same(&config.compliance, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotCompliance)
    }
}

/// The mint is the asset's, and the asset can freeze its accounts.
///
/// # Errors
/// WrongMint, AssetReleased, NotFreezable.
#[inline(always)]
fn require_freezable(asset: &Asset, mint: &AccountView) -> Result {
    if !same(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    asset.require_held()?;
    if !has_freeze(asset.profile) {
        return Err(Error::NotFreezable);
    }
    Ok(())
}

/// The account must be a token account of the mint and no vault of the program; gives its owner.
///
/// # Errors
/// VaultProtected, TokenAccountInvalid.
#[inline(always)]
fn holders_account<'a>(asset: &Asset, account: &'a AccountView) -> Result<&'a Address> {
    if asset.is_vault(account.address()) {
        return Err(Error::VaultProtected);
    }
    token::owner_of(account, &asset.mint).ok_or(Error::TokenAccountInvalid)
}
