//! What the key does that is offered to become admin.

pub mod accept_admin;
