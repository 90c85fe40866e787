//! set_role: gives a role to a key (timelocked).

use crate::{
    account::{load_mut, Now},
    error::{Error, Result},
    events::{emit, RoleChanged},
    instructions::admin::require_admin,
    state::{Config, State},
    table::{
        set_role::{Accounts, Args},
        Context,
    },
    timelock,
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load_mut::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    if *args.key == Address::default() {
        return Err(Error::KeyMissing);
    }
    let role = config.role_mut(args.role).ok_or(Error::UnknownRole)?;
    *role = *args.key;
    timelock::check(context, config, accounts.proposal, Now::read()?)?;
    emit(RoleChanged { role: args.role, key: *args.key });
    config.invariant()
}
