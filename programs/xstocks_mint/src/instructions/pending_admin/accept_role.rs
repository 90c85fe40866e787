//! accept_role: the key that a proposed set_role names accepts, so that the role goes to no key that cannot sign.

use crate::{
    account::load_mut,
    address::address_eq,
    error::{Error, Result},
    events::{emit, RoleAccepted},
    state::{Proposal, State, NO_ROLE, PROPOSAL_PENDING},
    table::{
        accept_role::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // SAFETY: no other reference to the proposal's data is made in this instruction.
    let proposal = unsafe { load_mut::<Proposal>(context.program_id, accounts.proposal) }?;
    if proposal.role == NO_ROLE || !address_eq(&proposal.key, accounts.new_key.address()) {
        return Err(Error::NotProposedKey);
    }
    if proposal.state != PROPOSAL_PENDING {
        return Err(Error::ProposalNotPending);
    }
    proposal.accepted = 1;
    emit(RoleAccepted { proposal: *accounts.proposal.address(), role: proposal.role, key: proposal.key });
    proposal.invariant()
}
