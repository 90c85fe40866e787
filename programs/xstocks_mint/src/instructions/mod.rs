//! The instructions, in folders by who calls them, and what several of them share.

pub mod admin;
pub mod attestation;
pub mod compliance;
pub mod corporate_actions;
pub mod guardian;
pub mod operator;
pub mod participant;
pub mod pending_admin;
pub mod registrar;
pub mod resumer;
mod shared;
