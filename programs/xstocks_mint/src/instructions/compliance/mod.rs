//! What compliance does: freeze, thaw, and recoveries, which the admin signs too.

pub mod announce_recovery;
pub mod execute_recovery;
pub mod freeze;
pub mod thaw;
