//! What a participant does for itself.

pub mod cancel_redemption;
pub mod request_redemption;
