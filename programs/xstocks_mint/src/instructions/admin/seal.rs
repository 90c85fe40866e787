//! seal: from now on the timelock is enforced.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, Sealed},
    instructions::admin::require_admin,
    state::{Config, State},
    table::{
        seal::{Accounts, Args},
        Context,
    },
};

/// A longer timelock would be a lock-out by mistake.
const MAX_TIMELOCK_SECS: u64 = 365 * 24 * 60 * 60;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load_mut::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    if config.sealed != 0 {
        return Err(Error::AlreadySealed);
    }
    if args.timelock_secs == 0 {
        return Err(Error::TimelockZero);
    }
    if args.timelock_secs > MAX_TIMELOCK_SECS {
        return Err(Error::TimelockTooLong);
    }
    config.sealed = 1;
    config.timelock_secs = args.timelock_secs;
    emit(Sealed { timelock_secs: args.timelock_secs });
    config.invariant()
}
