//! clear_role: nobody has the role any more, at once.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, RoleChanged},
    instructions::admin::require_admin,
    state::{Config, State},
    table::{
        clear_role::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load_mut::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    let role = config.role_mut(args.role).ok_or(Error::UnknownRole)?;
    *role = Address::default();
    emit(RoleChanged { role: args.role, key: Address::default() });
    config.invariant()
}
