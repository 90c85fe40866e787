//! The one timelock.

use crate::{
    error::{Error, Result},
    hash::discriminator,
    schema::layout,
    state::{
        config::later,
        definition::{ensure, Rule, State, VERSION},
    },
    sysvar::Now,
    table::MAX_PROPOSED_ACCOUNTS,
};
use pinocchio::{AccountView, Address};

/// Proposal.state only moves forward, save that propose may start a finished one anew.
pub const PROPOSAL_PENDING: u8 = 0;
pub const PROPOSAL_EXECUTED: u8 = 1;
pub const PROPOSAL_CANCELLED: u8 = 2;
/// So long after ready_ts it may be executed: one that was forgotten is no power that waits for a thief of the admin's key.
pub const PROPOSAL_LIFE_SECS: u64 = 14 * 24 * 60 * 60;
/// Proposal.role where the instruction is not set_role.
pub const NO_ROLE: u8 = 0xFF;
/// Longest data of a timelocked instruction: register_custodian with as many keys as a custodian may have takes 375.
pub const MAX_PROPOSED_BYTES: usize = 376;

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
        /// So many bytes of data are the instruction's.
        data_length: u16,
        /// So many of accounts are the instruction's.
        account_count: u8,
        _pad1: [u8; 5],
        /// The proposed instruction's data, its discriminator first; zeros behind it.
        data: [u8; 376],
        /// The keys of its accounts in order, without the proposal's own; zeros behind them.
        accounts: [Address; 10],
        reserved: [u8; 16],
    }
}

const _: () = assert!(MAX_PROPOSED_BYTES == 376 && MAX_PROPOSED_ACCOUNTS == 10);

impl Proposal {
    /// The data of the proposed instruction.
    #[inline(always)]
    pub fn data(&self) -> &[u8] {
        self.data.get(..usize::from(self.data_length)).unwrap_or(&[])
    }

    /// Writes down what is proposed, for all to read what they may cancel.
    ///
    /// # Errors
    /// InstructionDidNotDeserialize where the data are longer than those of any timelocked instruction; TooManyAccounts.
    pub fn write_down(&mut self, data: &[u8], accounts: &[AccountView]) -> Result {
        self.data = [0; MAX_PROPOSED_BYTES];
        self.accounts = [const { Address::new_from_array([0; 32]) }; MAX_PROPOSED_ACCOUNTS as usize];
        let place = self.data.get_mut(..data.len()).ok_or(Error::InstructionDidNotDeserialize)?;
        place.copy_from_slice(data); // of the same length
        let places = self.accounts.get_mut(..accounts.len()).ok_or(Error::TooManyAccounts)?;
        for (place, account) in places.iter_mut().zip(accounts) {
            *place = *account.address();
        }
        self.data_length = u16::try_from(data.len()).map_err(|_| Error::InstructionDidNotDeserialize)?;
        self.account_count = u8::try_from(accounts.len()).map_err(|_| Error::TooManyAccounts)?;
        Ok(())
    }

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
        ensure(self.data().starts_with(&self.instruction), Rule::ProposalInstruction)
    }
}
