//! What the operator does: mint and burn in the vault, distribute out of it, settle and reject redemptions.

pub mod burn;
pub mod distribute;
pub mod mint;
pub mod reject_redemption;
pub mod settle_redemption;
