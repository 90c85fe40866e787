//! propose: starts the timelock of one instruction with its arguments and accounts.

use crate::{
    account::{create, load, load_mut},
    error::{Error, Result},
    events::{emit, Proposed},
    instructions::shared::roles::require_admin,
    pda::PROPOSAL_SEED,
    state::{Config, Proposal, State, NO_ROLE, PROPOSAL_PENDING},
    sysvar::Now,
    table::{
        propose::{Accounts, Args},
        set_role, Context,
    },
    timelock::{proposal_hash, TIMELOCKED},
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    if config.sealed == 0 {
        return Err(Error::NotSealed);
    }

    // 2. The proposed instruction.
    let instruction = *args.instruction_data.first_chunk::<8>().ok_or(Error::InstructionMissing)?;
    if !TIMELOCKED.contains(&instruction) {
        return Err(Error::NotTimelocked);
    }
    let (mut role, mut key) = (NO_ROLE, Address::default());
    if instruction == set_role::DISCRIMINATOR {
        let proposed = args.instruction_data.get(8..).and_then(|data| data.first_chunk::<33>());
        let [first, rest @ ..] = *proposed.ok_or(Error::InstructionDidNotDeserialize)?;
        (role, key) = (first, Address::new_from_array(rest));
    }
    let hash = proposal_hash(args.instruction_data, accounts.remaining)?;

    // 3. A new proposal, or a finished, stale or expired one again.
    let now = Now::read()?;
    let proposal = if accounts.proposal.owned_by(context.program_id) {
        // SAFETY: no other reference to the proposal's data is made in this instruction: `config` is an account of
        // another type.
        let proposal = unsafe { load_mut::<Proposal>(context.program_id, accounts.proposal) }?;
        if proposal.hash != hash {
            return Err(Error::ConstraintSeeds);
        }
        let is_live = proposal.admin_epoch == config.admin_epoch && !proposal.has_expired(now)?;
        if proposal.state == PROPOSAL_PENDING && is_live {
            return Err(Error::ProposalPending);
        }
        proposal
    } else {
        // SAFETY: the account is made here, so no older reference to its data can be, and no other is made below.
        unsafe { create::<Proposal>(context.program_id, accounts.admin, accounts.proposal, &[PROPOSAL_SEED, &hash]) }?
    };
    proposal.state = PROPOSAL_PENDING;
    proposal.role = role;
    proposal.key = key;
    proposal.accepted = 0;
    proposal.instruction = instruction;
    proposal.hash = hash;
    proposal.write_down(args.instruction_data, accounts.remaining)?;
    proposal.ready_ts = config.ready_ts(now)?;
    proposal.admin_epoch = config.admin_epoch;
    emit(Proposed { proposal: *accounts.proposal.address(), hash, instruction, ready_ts: proposal.ready_ts });
    proposal.invariant()
}
