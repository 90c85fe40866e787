pub mod cancel_proposal;
pub mod pause;
pub mod revoke_custodian_key;
