//! The instructions, in folders by who calls them.

pub mod admin;
pub mod attestation;
pub mod compliance;
pub mod corporate_actions;
pub mod guardian;
pub mod operator;
pub mod participant;
mod pausing;
pub mod pending_admin;
mod redeeming;
pub mod registrar;
pub mod resumer;
