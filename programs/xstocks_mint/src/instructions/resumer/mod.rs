pub mod clear_hold;
pub mod resume;
