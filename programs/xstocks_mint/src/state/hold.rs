//! Holds, as bits of Asset.holds: each stops minting until the resumer clears it.

/// A statement rose by more than policy.max_rise_bps.
pub const RISE: u8 = 1;
/// Across a multiplier change capacity + seen left its tolerance (M9).
pub const MULTIPLIER: u8 = 2;
/// An entry without a predecessor shortly after a multiplier change (M9).
pub const CA_WINDOW: u8 = 4;
pub const ALL: u8 = 7;
