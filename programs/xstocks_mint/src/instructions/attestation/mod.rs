//! What custodians say about their shares: anyone may relay a statement, an attester may withdraw one.

pub mod accept_redemption;
mod signatures;
mod statement;
pub mod submit_attestation;
pub mod withdraw_entry;
