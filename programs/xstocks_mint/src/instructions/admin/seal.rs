//! seal: from now on the timelock is enforced. An offer to a new admin that was made before had none: it ends.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, AdminOfferCancelled, Sealed},
    instructions::shared::roles::require_admin,
    state::{check_timelock, Config, State},
    table::{
        seal::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // SAFETY: no other reference to the config's data is made in this instruction.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_admin(config, accounts.admin)?;
    if config.sealed != 0 {
        return Err(Error::AlreadySealed);
    }
    check_timelock(args.timelock_secs, config.min_timelock_secs)?;
    config.sealed = 1;
    config.timelock_secs = args.timelock_secs;
    if config.withdraw_offer() {
        emit(AdminOfferCancelled { by: *accounts.admin.address() });
    }
    emit(Sealed { timelock_secs: args.timelock_secs });
    config.invariant()
}
