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
        /// Key epoch in which the custodian accepted it; 0 until then.
        accepted_epoch: u32,
        requested_ts: i64,
        /// When it left Requested; 0 until then.
        closed_ts: i64,
        amount_raw: u64,
        mint: Address,
        /// The participant that requested it; it alone gets the tokens back (save by an announced recovery).
        wallet: Address,
        /// The token account that the tokens came from.
        source: Address,
        /// Who accepted it, and owes the shares once it is settled; zeros until it is accepted.
        custodian: Address,
        /// Chosen by the participant; unique per mint for ever.
        id: [u8; 16],
        /// Before this time the wallet cannot take it back; 0 until it is accepted.
        locked_until_ts: i64,
        reserved: [u8; 24],
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

    /// It has not ended, and nothing holds it.
    ///
    /// # Errors
    /// RedemptionClosed, RedemptionOnHold.
    #[inline(always)]
    pub fn require_open_and_free(&self) -> Result {
        self.require_open()?;
        if self.on_hold != 0 {
            return Err(Error::RedemptionOnHold);
        }
        Ok(())
    }

    /// A custodian, in its present key `epoch`, gives its word to deliver the shares. Once: after a change of its keys
    /// the same custodian may give it again, which locks nothing anew.
    ///
    /// # Errors
    /// RedemptionClosed, RedemptionOnHold, RedemptionAlreadyAccepted.
    #[inline(always)]
    pub fn accept(&mut self, custodian: &Address, epoch: u32, locked_until_ts: i64) -> Result {
        self.require_open_and_free()?;
        if self.accepted_epoch == 0 {
            self.custodian = *custodian;
            self.locked_until_ts = locked_until_ts;
        } else if !address_eq(&self.custodian, custodian) || epoch <= self.accepted_epoch {
            return Err(Error::RedemptionAlreadyAccepted);
        }
        self.accepted_epoch = epoch;
        self.invariant()
    }

    /// Ends the redemption on a custodian that gave its word in its present key `epoch`: it owes the shares.
    ///
    /// # Errors
    /// RedemptionClosed, RedemptionOnHold, RedemptionNotAccepted.
    #[inline(always)]
    pub fn settle(&mut self, custodian: &Address, epoch: u32, now_ts: i64) -> Result {
        self.require_open_and_free()?;
        if !address_eq(&self.custodian, custodian) || self.accepted_epoch != epoch {
            return Err(Error::RedemptionNotAccepted);
        }
        self.end(REDEMPTION_SETTLED, now_ts)
    }

    /// Its wallet may take it back: no custodian has accepted it so lately.
    ///
    /// # Errors
    /// RedemptionLocked.
    #[inline(always)]
    pub fn require_unlocked(&self, now_ts: i64) -> Result {
        if self.state == REDEMPTION_REQUESTED && now_ts < self.locked_until_ts {
            return Err(Error::RedemptionLocked);
        }
        Ok(())
    }

    /// Ends the redemption, its tokens given back; a hold stops it.
    ///
    /// # Errors
    /// RedemptionClosed where it was ended before, RedemptionOnHold.
    #[inline(always)]
    pub fn close(&mut self, state: u8, now_ts: i64) -> Result {
        self.require_open_and_free()?;
        self.end(state, now_ts)
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
        self.end(REDEMPTION_RECOVERED, now_ts)
    }

    #[inline(always)]
    fn end(&mut self, state: u8, now_ts: i64) -> Result {
        self.state = state;
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
        let accepted = !address_eq(&self.custodian, &Address::default());
        ensure(
            accepted == (self.accepted_epoch != 0) && (accepted || self.locked_until_ts == 0),
            Rule::RedemptionAccepted,
        )?;
        ensure(accepted || self.state != REDEMPTION_SETTLED, Rule::RedemptionDebtor)
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

    const CUSTODIAN: Address = Address::new_from_array([1; 32]);
    const OTHER: Address = Address::new_from_array([2; 32]);

    type End = fn(&mut Redemption) -> Result;
    const ENDS: [(u8, End); 3] = [
        (REDEMPTION_SETTLED, |r| r.settle(&CUSTODIAN, 3, 7)),
        (REDEMPTION_REJECTED, |r| r.close(REDEMPTION_REJECTED, 7)),
        (REDEMPTION_CANCELLED, |r| r.close(REDEMPTION_CANCELLED, 7)),
    ];

    fn accepted() -> Redemption {
        let mut redemption = requested();
        assert_eq!(redemption.accept(&CUSTODIAN, 3, 100), Ok(()));
        redemption
    }

    #[test]
    fn it_ends_once_in_any_way() {
        for (state, end) in ENDS {
            let mut redemption = accepted();
            assert_eq!(end(&mut redemption), Ok(()));
            assert_eq!((redemption.state, redemption.closed_ts), (state, 7));
            for (_, again) in ENDS {
                assert_eq!(again(&mut redemption), Err(Error::RedemptionClosed));
            }
            assert_eq!(redemption.accept(&CUSTODIAN, 4, 100), Err(Error::RedemptionClosed));
            assert_eq!((redemption.state, redemption.closed_ts), (state, 7));
        }
    }

    #[test]
    fn it_is_accepted_once_and_settled_by_whom_accepted_it() {
        assert_eq!(requested().settle(&CUSTODIAN, 3, 7), Err(Error::RedemptionNotAccepted));
        assert_eq!(accepted().settle(&OTHER, 3, 7), Err(Error::RedemptionNotAccepted));
        assert_eq!(accepted().settle(&CUSTODIAN, 4, 7), Err(Error::RedemptionNotAccepted));
        let mut redemption = accepted();
        for (custodian, epoch) in [(CUSTODIAN, 3), (CUSTODIAN, 2), (OTHER, 3), (OTHER, 4)] {
            assert_eq!(redemption.accept(&custodian, epoch, 200), Err(Error::RedemptionAlreadyAccepted));
        }
        assert_eq!(redemption.accept(&CUSTODIAN, 4, 200), Ok(()));
        assert_eq!((redemption.accepted_epoch, redemption.locked_until_ts), (4, 100));
        assert_eq!(redemption.settle(&CUSTODIAN, 4, 7), Ok(()));
    }

    #[test]
    fn an_accepted_one_is_locked_until_its_time() {
        assert_eq!(requested().require_unlocked(0), Ok(()));
        let mut redemption = accepted();
        assert_eq!(redemption.require_unlocked(99), Err(Error::RedemptionLocked));
        assert_eq!(redemption.require_unlocked(100), Ok(()));
        redemption.settle(&CUSTODIAN, 3, 7).unwrap();
        assert_eq!(redemption.require_unlocked(99), Ok(())); // it says RedemptionClosed then
    }

    #[test]
    fn a_hold_stops_every_end_but_a_recovery() {
        let mut redemption = accepted();
        assert_eq!(redemption.recover(7), Err(Error::RedemptionNotOnHold));
        redemption.on_hold = 1;
        for (_, end) in ENDS {
            assert_eq!(end(&mut redemption), Err(Error::RedemptionOnHold));
        }
        assert_eq!(redemption.accept(&CUSTODIAN, 4, 200), Err(Error::RedemptionOnHold));
        assert_eq!((redemption.state, redemption.closed_ts, redemption.invariant()), (REDEMPTION_REQUESTED, 0, Ok(())));
        assert_eq!(redemption.recover(7), Ok(()));
        assert_eq!((redemption.state, redemption.on_hold, redemption.closed_ts), (REDEMPTION_RECOVERED, 0, 7));
        assert_eq!(redemption.recover(8), Err(Error::RedemptionClosed));
    }

    #[test]
    fn the_invariant_names_what_may_not_be() {
        assert_eq!(requested().invariant(), Ok(()));
        let broken: [fn(&mut Redemption); 10] = [
            |r| r.version = 2,
            |r| r.state = 5,
            |r| r.on_hold = 2,
            |r| (r.state, r.on_hold) = (REDEMPTION_CANCELLED, 1),
            |r| r.amount_raw = 0,
            |r| r.closed_ts = 1,
            |r| r.state = REDEMPTION_SETTLED,
            |r| r.custodian = CUSTODIAN,
            |r| r.accepted_epoch = 1,
            |r| r.locked_until_ts = 1,
        ];
        for (i, change) in broken.into_iter().enumerate() {
            let mut redemption = requested();
            change(&mut redemption);
            assert_eq!(redemption.invariant(), Err(Error::InvariantViolated), "case {i}");
        }
    }
}
