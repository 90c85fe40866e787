//! What the resumer lets go on.

pub mod clear_hold;
pub mod resume;

use crate::{
    account::same,
    error::{Error, Result},
    state::Config,
};
use pinocchio::AccountView;

/// The signer must be the resumer.
///
/// # Errors
/// NotResumer.
#[inline(always)]
pub fn require_resumer(config: &Config, signer: &AccountView) -> Result {
    if same(&config.resumer, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotResumer)
    }
}
