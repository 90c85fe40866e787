//! What the resumer lets go on.

pub mod clear_hold;
pub mod resume;
