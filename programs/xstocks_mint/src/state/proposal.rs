//! The one timelock.

use crate::{
    error::Result,
    hash::discriminator,
    schema::layout,
    state::{
        config::later,
        definition::{ensure, Rule, State, VERSION},
    },
    sysvar::Now,
};
use pinocchio::Address;

/// Proposal.state only moves forward, save that propose may start a finished one anew.
pub const PROPOSAL_PENDING: u8 = 0;
pub const PROPOSAL_EXECUTED: u8 = 1;
pub const PROPOSAL_CANCELLED: u8 = 2;
/// So long after ready_ts it may be executed: one that was forgotten is no power that waits for a thief of the admin's key.
pub const PROPOSAL_LIFE_SECS: u64 = 14 * 24 * 60 * 60;
/// Proposal.role where the instruction is not set_role.
pub const NO_ROLE: u8 = 0xFF;

layout! {
    C
    /// Permission to run one instruction with these arguments and accounts after ready_ts. PDA ["proposal", hash].
    struct Proposal {
        version: u8,
        bump: u8,
        /// 0 Pending, 1 Executed, 2 Cancelled.
        state: u8,
        /// The role that a proposed set_role replaces, else 0xFF.
        role: u8,
        /// 1 once the key that a proposed set_role names has accepted.
        accepted: u8,
        _pad0: [u8; 3],
        /// Discriminator of the proposed instruction.
        instruction: [u8; 8],
        /// sha256("xstocks:proposal:v1" | instruction data | account keys in order, without the proposal's own).
        hash: [u8; 32],
        /// Executable from this time on, for 14 days.
        ready_ts: i64,
        /// Config.admin_epoch when it was proposed.
        admin_epoch: u64,
        /// The key that a proposed set_role names, else zeros.
        key: Address,
        reserved: [u8; 16],
    }
}

impl Proposal {
    /// Whether its time has passed.
    ///
    /// # Errors
    /// Overflow.
    #[inline(always)]
    pub fn has_expired(&self, now: Now) -> Result<bool> {
        Ok(now.ts >= later(self.ready_ts, PROPOSAL_LIFE_SECS)?)
    }
}

impl State for Proposal {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Proposal");

    fn invariant(&self) -> Result {
        ensure(self.version == VERSION, Rule::ProposalVersion)?;
        ensure(self.state <= PROPOSAL_CANCELLED, Rule::ProposalKnown)?;
        ensure(self.instruction != [0; 8], Rule::ProposalInstruction)
    }
}
