//! What the guardian stops (some of it the admin may stop too).

pub mod cancel_admin;
pub mod cancel_proposal;
pub mod cancel_recovery;
pub mod pause;
pub mod revoke_custodian_key;

use crate::{
    account::same,
    error::{Error, Result},
    state::Config,
};
use pinocchio::AccountView;

/// The signer must be the guardian.
///
/// # Errors
/// NotGuardian.
#[inline(always)]
pub fn require_guardian(config: &Config, signer: &AccountView) -> Result {
    if same(&config.guardian, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotGuardian)
    }
}

/// The signer must be the admin or the guardian.
///
/// # Errors
/// NotAdminOrGuardian.
#[inline(always)]
pub fn require_admin_or_guardian(config: &Config, signer: &AccountView) -> Result {
    if same(&config.admin, signer.address()) || same(&config.guardian, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotAdminOrGuardian)
    }
}
