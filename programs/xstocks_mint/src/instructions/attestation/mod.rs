pub mod submit_attestation;
pub mod withdraw_entry;
