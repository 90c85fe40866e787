//! What the guardian stops (some of it the admin may stop too).

pub mod cancel_admin;
pub mod cancel_proposal;
pub mod cancel_recovery;
pub mod pause;
pub mod revoke_custodian_key;
