//! What the operator does: mint and burn in the vault, distribute out of it, settle and reject redemptions.

mod batch;
pub mod burn;
pub mod distribute;
pub mod mint;
pub mod reject_redemption;
pub mod settle_redemption;

use crate::{
    account::same,
    error::{refusal, require, Error, Result},
    state::{scope, Asset, Config},
};
use pinocchio::AccountView;

/// The signer must be the operator.
///
/// # Errors
/// NotOperator.
#[inline(always)]
fn require_operator(config: &Config, signer: &AccountView) -> Result {
    require(same(&config.operator, signer.address()), Error::NotOperator)
}

/// The scope must be paused neither globally nor for the asset (M8); a pause of transfers stops every scope.
///
/// # Errors
/// Paused.
#[inline(always)]
pub fn require_running(config: &Config, asset: &Asset, scope: u8) -> Result {
    require((config.paused | asset.paused) & (scope | scope::TRANSFERS) == 0, Error::Paused)
}

/// The intent must carry the asset's next number (M4); this takes it.
///
/// # Errors
/// WrongSequence, SequenceExhausted.
#[inline(always)]
fn take_sequence(asset: &mut Asset, sequence: u64, intent_hash: &[u8; 16]) -> Result {
    require(asset.sequence == sequence, Error::WrongSequence)?;
    asset.sequence = sequence.checked_add(1).ok_or_else(|| refusal(Error::SequenceExhausted))?;
    asset.last_intent_hash = *intent_hash;
    Ok(())
}
