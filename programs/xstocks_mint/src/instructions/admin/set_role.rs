//! set_role: gives a role to a key (timelocked), which has accepted it once sealed: a typo locks no role out.

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, RoleChanged},
    instructions::shared::roles::require_admin,
    state::{Config, Proposal, State},
    sysvar::Now,
    table::{
        set_role::{Accounts, Args},
        Context,
    },
    timelock,
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // SAFETY: no other reference to the config's data is made in this instruction: `proposal` is an account of another
    // type.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_admin(config, accounts.admin)?;
    if *args.key == Address::default() {
        return Err(Error::KeyMissing);
    }
    if config.role_mut(args.role).is_none() {
        return Err(Error::UnknownRole);
    }
    timelock::check(context, config, accounts.proposal, Now::read()?)?;
    if let Some(proposal) = accounts.proposal {
        if load::<Proposal>(context.program_id, proposal)?.accepted == 0 {
            return Err(Error::RoleNotAccepted);
        }
    }
    let role = config.role_mut(args.role).ok_or(Error::UnknownRole)?;
    *role = *args.key;
    emit(RoleChanged { role: args.role, key: *args.key });
    config.invariant()
}
