//! The mint authority of tokenised shares.
//!
//! Tokens exist only below a ceiling that a quorum of custody attesters has signed. Rules are cited by their
//! number (M1 to M9), signature checks by theirs (S1 to S12).
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod args;
pub mod error;
pub mod events;
pub mod hash;
pub mod ids;
pub mod instructions;
pub mod log;
pub mod schema;
pub mod state;
pub mod table;
