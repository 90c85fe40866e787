//! Changes of the multiplier: announced, bounded, compare-and-set, never silently replaced (M9).

pub mod cancel_multiplier;
pub mod schedule_multiplier;
