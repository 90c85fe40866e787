//! clear_role: nobody has the role any more, at once. Once sealed not the guardian's and the resumer's: without
//! them nobody but the admin could cancel what the admin's key proposes; they are replaced under the timelock.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, RoleChanged},
    instructions::shared::roles::require_admin,
    state::{role, Config, State},
    table::{
        clear_role::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // SAFETY: no other reference to the config's data is made in this instruction.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_admin(config, accounts.admin)?;
    if config.sealed == 1 && args.role == role::GUARDIAN {
        return Err(Error::GuardianNotClearable);
    }
    if config.sealed == 1 && args.role == role::RESUMER {
        return Err(Error::ResumerNotClearable);
    }
    let role = config.role_mut(args.role).ok_or(Error::UnknownRole)?;
    *role = Address::default();
    emit(RoleChanged { role: args.role, key: Address::default() });
    config.invariant()
}
