//! What compliance does: freeze, thaw, holds of redemptions, and recoveries, which the admin signs too.

pub mod announce_recovery;
pub mod announce_redemption_recovery;
pub mod clear_redemption_hold;
pub mod execute_recovery;
pub mod execute_redemption_recovery;
pub mod freeze;
pub mod hold_redemption;
pub mod thaw;
