//! An allow-listed wallet.

use crate::{
    error::{Error, Result},
    hash::discriminator,
    schema::layout,
    state::definition::{ensure, Rule, State, VERSION},
    sysvar::Now,
};
use pinocchio::Address;

/// Participant.state.
pub const PARTICIPANT_INACTIVE: u8 = 0;
pub const PARTICIPANT_ACTIVE: u8 = 1;

layout! {
    C
    /// A wallet that may receive from distribute, and may redeem. PDA ["participant", wallet].
    struct Participant {
        version: u8,
        bump: u8,
        /// 0 Inactive, 1 Active.
        state: u8,
        _pad0: u8,
        /// ISO 3166-1 alpha-2, capital letters.
        country: [u8; 2],
        _pad1: [u8; 2],
        /// Active while now < expires_ts.
        expires_ts: i64,
        wallet: Address,
        reserved: [u8; 16],
    }
}

impl Participant {
    /// It may receive and redeem now.
    ///
    /// # Errors
    /// ParticipantInactive, ParticipantExpired.
    #[inline(always)]
    pub fn require_active(&self, now: Now) -> Result {
        if self.state != PARTICIPANT_ACTIVE {
            return Err(Error::ParticipantInactive);
        }
        if now.ts >= self.expires_ts {
            return Err(Error::ParticipantExpired);
        }
        Ok(())
    }
}

impl State for Participant {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Participant");

    fn invariant(&self) -> Result {
        ensure(self.version == VERSION, Rule::ParticipantVersion)?;
        ensure(self.state <= PARTICIPANT_ACTIVE, Rule::ParticipantKnown)?;
        ensure(self.country.iter().all(u8::is_ascii_uppercase), Rule::ParticipantCountry)?;
        ensure(self.expires_ts > 0, Rule::ParticipantExpiry)
    }
}
