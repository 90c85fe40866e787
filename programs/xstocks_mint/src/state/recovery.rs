//! An announced recovery of tokens out of somebody's token account.

use crate::{
    error::Result,
    hash::discriminator,
    schema::layout,
    state::definition::{ensure, Rule, State, VERSION},
};
use pinocchio::Address;

/// Recovery.state: a finished one may be announced anew.
pub const RECOVERY_ANNOUNCED: u8 = 0;
pub const RECOVERY_EXECUTED: u8 = 1;
pub const RECOVERY_CANCELLED: u8 = 2;

layout! {
    C
    /// The newest recovery from one token account, or of one redemption. PDA ["recovery", source].
    struct Recovery {
        version: u8,
        bump: u8,
        /// 0 Announced, 1 Executed, 2 Cancelled.
        state: u8,
        _pad0: [u8; 5],
        amount_raw: u64,
        announced_ts: i64,
        /// Executable from this time on.
        ready_ts: i64,
        mint: Address,
        /// The token account that the tokens leave, frozen since the announcement; or the Redemption, on hold since then.
        source: Address,
        /// The token account that they go to.
        destination: Address,
        reserved: [u8; 32],
    }
}

impl State for Recovery {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Recovery");

    fn invariant(&self) -> Result {
        ensure(self.version == VERSION, Rule::RecoveryVersion)?;
        ensure(self.state <= RECOVERY_CANCELLED, Rule::RecoveryKnown)?;
        ensure(
            self.amount_raw > 0 && self.source != self.destination && self.ready_ts >= self.announced_ts,
            Rule::RecoveryMoves,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_invariant_names_what_may_not_be() {
        // SAFETY: a Layout type takes every bit pattern, zeros included.
        let mut good: Recovery = unsafe { core::mem::zeroed() };
        good.version = VERSION;
        good.amount_raw = 1;
        good.source = Address::new_from_array([1; 32]);
        assert_eq!(good.invariant(), Ok(()));
        let broken: [fn(&mut Recovery); 5] = [
            |r| r.version = 2,
            |r| r.state = 3,
            |r| r.amount_raw = 0,
            |r| r.destination = r.source,
            |r| r.announced_ts = 1,
        ];
        for (i, change) in broken.into_iter().enumerate() {
            let mut recovery = good;
            change(&mut recovery);
            assert_eq!(recovery.invariant(), Err(Error::InvariantViolated), "case {i}");
        }
    }
}
