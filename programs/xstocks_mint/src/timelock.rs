//! The one timelock: what a proposal permits, and the check that a timelocked instruction makes.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, ProposalExecuted},
    hash::sha256,
    state::{Config, Proposal, State, PROPOSAL_EXECUTED, PROPOSAL_PENDING},
    sysvar::Now,
    table::{self, Context, MAX_PROPOSED_ACCOUNTS},
};
use pinocchio::AccountView;

/// The instructions under the timelock: those that widen power, and the one that ends an asset for ever.
pub const TIMELOCKED: [[u8; 8]; 9] = [
    table::set_role::DISCRIMINATOR,
    table::set_timing::DISCRIMINATOR,
    table::register_custodian::DISCRIMINATOR,
    table::set_custodian_keys::DISCRIMINATOR,
    table::attach_custodian::DISCRIMINATOR,
    table::retire_custodian::DISCRIMINATOR,
    table::loosen_policy::DISCRIMINATOR,
    table::retire_asset::DISCRIMINATOR,
    table::release_authority::DISCRIMINATOR,
];

const TAG: &[u8] = b"xstocks:proposal:v1";
const MAX_ACCOUNTS: usize = MAX_PROPOSED_ACCOUNTS as usize;

/// sha256("xstocks:proposal:v1" | instruction data | account keys in order, without the proposal's own).
///
/// # Errors
/// TooManyAccounts.
#[inline(always)] // BPF functions return at most eight bytes
pub fn proposal_hash(data: &[u8], accounts: &[AccountView]) -> Result<[u8; 32]> {
    let mut parts: [&[u8]; MAX_ACCOUNTS + 2] = [&[]; MAX_ACCOUNTS + 2];
    if accounts.len() > MAX_ACCOUNTS {
        return Err(Error::TooManyAccounts);
    }
    let keys = accounts.iter().map(|account| account.address().as_array().as_slice());
    for (part, bytes) in parts.iter_mut().zip([TAG, data].into_iter().chain(keys)) {
        *part = bytes;
    }
    Ok(sha256(&parts))
}

/// Refuses a timelocked instruction unless the program is not sealed, or its last account is a proposal of exactly
/// this instruction, these arguments and accounts, pending, ready, not expired, and of the present admin.
///
/// # Errors
/// ProposalRequired, ProposalMismatch, ProposalNotPending, ProposalStale, ProposalNotReady, ProposalExpired, Overflow.
#[inline(never)]
pub fn check(context: &Context, config: &Config, proposal: Option<&AccountView>, now: Now) -> Result {
    let Some(account) = proposal else {
        return if config.sealed == 0 { Ok(()) } else { Err(Error::ProposalRequired) };
    };
    // SAFETY: the caller hands over the account, and no reference into its data; what the caller itself reads and
    // changes are accounts of other types.
    let proposal = unsafe { load_mut::<Proposal>(context.program_id, account) }?;
    let without_proposal = context.accounts.split_last().map_or(&[][..], |(_, others)| others);
    if proposal.hash != proposal_hash(context.data, without_proposal)? {
        return Err(Error::ProposalMismatch);
    }
    // The hash knows no border between data and accounts: what is executed is what the proposal shows.
    if proposal.data() != context.data {
        return Err(Error::ProposalMismatch);
    }
    if proposal.state != PROPOSAL_PENDING {
        return Err(Error::ProposalNotPending);
    }
    if proposal.admin_epoch != config.admin_epoch {
        return Err(Error::ProposalStale);
    }
    if now.ts < proposal.ready_ts {
        return Err(Error::ProposalNotReady);
    }
    if proposal.has_expired(now)? {
        return Err(Error::ProposalExpired);
    }
    proposal.state = PROPOSAL_EXECUTED;
    emit(ProposalExecuted { proposal: *account.address(), hash: proposal.hash });
    proposal.invariant()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::instructions;

    #[test]
    fn the_timelocked_instructions_are_those_that_the_table_gives_a_proposal() {
        for instruction in instructions() {
            let is_timelocked = TIMELOCKED.contains(&instruction.discriminator);
            assert_eq!(instruction.is_timelocked(), is_timelocked, "{}", instruction.name);
        }
    }
}
