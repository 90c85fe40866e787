//! Token-2022: where things stand in its accounts, reading them, calling it, and what a mint must be.

pub mod authorities;
pub mod cpi;
pub mod layout;
pub mod mint_profile;
pub mod profile;
pub mod reading;
#[cfg(test)]
mod sample_mint;
