//! What several instructions share.

pub mod authority_transfer;
pub mod custodian_keys;
pub mod holder_account;
pub mod metadata;
pub mod mint_registration;
pub mod multiplier;
pub mod pause;
pub mod redemption;
pub mod roles;
pub mod sequence;
pub mod supply_batch;
