//! cancel_proposal: admin, or guardian; one that replaces the guardian: admin, or guardian and resumer together. So a
//! stolen guardian key does not keep itself in office, and a stolen admin key does not get rid of an honest guardian.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, ProposalCancelled},
    instructions::shared::roles::{require_admin_or_guardian, require_resumer},
    state::{role, Config, Proposal, State, PROPOSAL_CANCELLED, PROPOSAL_PENDING},
    table::{
        cancel_proposal::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the proposal's data is made in this instruction: `config` is an account of another
    // type.
    let proposal = unsafe { load_mut::<Proposal>(context.program_id, accounts.proposal) }?;
    let by = accounts.authority.address();
    require_admin_or_guardian(config, accounts.authority)?;
    if proposal.role == role::GUARDIAN && !address_eq(&config.admin, by) {
        require_resumer(config, accounts.resumer.ok_or(Error::GuardianCannotCancel)?)?;
    }
    if proposal.state != PROPOSAL_PENDING {
        return Err(Error::ProposalNotPending);
    }
    proposal.state = PROPOSAL_CANCELLED;
    emit(ProposalCancelled { proposal: *accounts.proposal.address(), hash: proposal.hash, by: *by });
    proposal.invariant()
}
