//! What a key does that is offered a role.

pub mod accept_admin;
pub mod accept_role;
