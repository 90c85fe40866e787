//! A participant's request for the shares behind its tokens.

use crate::{
    address::address_eq,
    error::{Error, Result},
    hash::discriminator,
    schema::layout,
    state::definition::{ensure, Rule, State, VERSION},
};
use pinocchio::Address;

/// Redemption.state: from Requested to one of the others, once.
pub const REDEMPTION_REQUESTED: u8 = 0;
pub const REDEMPTION_SETTLED: u8 = 1;
pub const REDEMPTION_REJECTED: u8 = 2;
pub const REDEMPTION_CANCELLED: u8 = 3;
pub const REDEMPTION_RECOVERED: u8 = 4;

layout! {
    C
    /// Tokens that wait in the redemption vault, and what became of them. PDA ["redemption", mint, id].
    struct Redemption {
        version: u8,
        bump: u8,
        /// 0 Requested, 1 Settled, 2 Rejected, 3 Cancelled, 4 Recovered.
        state: u8,
        /// 1 while compliance holds it: it is neither settled nor given back.
        on_hold: u8,
        _pad0: [u8; 4],
        requested_ts: i64,
        /// When it left Requested; 0 until then.
        closed_ts: i64,
        amount_raw: u64,
        mint: Address,
        /// The participant that requested it; it alone gets the tokens back (save by an announced recovery).
        wallet: Address,
        /// The token account that the tokens came from.
        source: Address,
        /// Who owes the shares; zeros until it is settled.
        custodian: Address,
        /// Chosen by the participant; unique per mint for ever.
        id: [u8; 16],
        reserved: [u8; 32],
    }
}

impl Redemption {
    /// It has not ended yet.
    ///
    /// # Errors
    /// RedemptionClosed.
    #[inline(always)]
    pub fn require_open(&self) -> Result {
        if self.state == REDEMPTION_REQUESTED {
            Ok(())
        } else {
            Err(Error::RedemptionClosed)
        }
    }

    /// Ends the redemption as its participant, operator and custodian do, which a hold stops.
    ///
    /// # Errors
    /// RedemptionClosed where it was ended before, RedemptionOnHold.
    #[inline(always)]
    pub fn close(&mut self, state: u8, custodian: Address, now_ts: i64) -> Result {
        self.require_open()?;
        if self.on_hold != 0 {
            return Err(Error::RedemptionOnHold);
        }
        self.end(state, custodian, now_ts)
    }

    /// Ends a redemption that is on hold: its tokens are recovered.
    ///
    /// # Errors
    /// RedemptionClosed where it was ended before, RedemptionNotOnHold.
    #[inline(always)]
    pub fn recover(&mut self, now_ts: i64) -> Result {
        self.require_open()?;
        if self.on_hold == 0 {
            return Err(Error::RedemptionNotOnHold);
        }
        self.on_hold = 0;
        self.end(REDEMPTION_RECOVERED, Address::default(), now_ts)
    }

    #[inline(always)]
    fn end(&mut self, state: u8, custodian: Address, now_ts: i64) -> Result {
        self.state = state;
        self.custodian = custodian;
        self.closed_ts = now_ts;
        self.invariant()
    }
}

impl State for Redemption {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Redemption");

    fn invariant(&self) -> Result {
        ensure(self.version == VERSION, Rule::RedemptionVersion)?;
        ensure(self.state <= REDEMPTION_RECOVERED && self.on_hold <= 1, Rule::RedemptionKnown)?;
        ensure(self.amount_raw > 0, Rule::RedemptionAmount)?;
        ensure(self.state != REDEMPTION_REQUESTED || self.closed_ts == 0, Rule::RedemptionEnd)?;
        ensure(self.state == REDEMPTION_REQUESTED || self.on_hold == 0, Rule::RedemptionHold)?;
        ensure(
            (self.state == REDEMPTION_SETTLED) != address_eq(&self.custodian, &Address::default()),
            Rule::RedemptionDebtor,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested() -> Redemption {
        // SAFETY: a Layout type takes every bit pattern, zeros included.
        let mut redemption: Redemption = unsafe { core::mem::zeroed() };
        redemption.version = VERSION;
        redemption.amount_raw = 1;
        redemption
    }

    #[test]
    fn it_ends_once_in_any_way() {
        let (nobody, somebody) = (Address::default(), Address::new_from_array([1; 32]));
        let ends = [(REDEMPTION_SETTLED, somebody), (REDEMPTION_REJECTED, nobody), (REDEMPTION_CANCELLED, nobody)];
        for (state, custodian) in ends {
            let mut redemption = requested();
            assert_eq!(redemption.close(state, custodian, 7), Ok(()));
            assert_eq!((redemption.state, redemption.closed_ts), (state, 7));
            for (again, custodian) in ends {
                assert_eq!(redemption.close(again, custodian, 8), Err(Error::RedemptionClosed));
            }
            assert_eq!((redemption.state, redemption.closed_ts), (state, 7));
        }
    }

    #[test]
    fn a_hold_stops_every_end_but_a_recovery() {
        let somebody = Address::new_from_array([1; 32]);
        let mut redemption = requested();
        assert_eq!(redemption.recover(7), Err(Error::RedemptionNotOnHold));
        redemption.on_hold = 1;
        for (state, custodian) in [
            (REDEMPTION_SETTLED, somebody),
            (REDEMPTION_REJECTED, Address::default()),
            (REDEMPTION_CANCELLED, somebody),
        ] {
            assert_eq!(redemption.close(state, custodian, 7), Err(Error::RedemptionOnHold));
        }
        assert_eq!((redemption.state, redemption.closed_ts, redemption.invariant()), (REDEMPTION_REQUESTED, 0, Ok(())));
        assert_eq!(redemption.recover(7), Ok(()));
        assert_eq!((redemption.state, redemption.on_hold, redemption.closed_ts), (REDEMPTION_RECOVERED, 0, 7));
        assert_eq!(redemption.recover(8), Err(Error::RedemptionClosed));
    }

    #[test]
    fn the_invariant_names_what_may_not_be() {
        assert_eq!(requested().invariant(), Ok(()));
        let broken: [fn(&mut Redemption); 8] = [
            |r| r.version = 2,
            |r| r.state = 5,
            |r| r.on_hold = 2,
            |r| (r.state, r.on_hold) = (REDEMPTION_CANCELLED, 1),
            |r| r.amount_raw = 0,
            |r| r.closed_ts = 1,
            |r| r.state = REDEMPTION_SETTLED,
            |r| r.custodian = Address::new_from_array([1; 32]),
        ];
        for (i, change) in broken.into_iter().enumerate() {
            let mut redemption = requested();
            change(&mut redemption);
            assert_eq!(redemption.invariant(), Err(Error::InvariantViolated), "case {i}");
        }
    }
}
