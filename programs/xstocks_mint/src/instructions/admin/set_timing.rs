//! set_timing: another timelock and another allowed skew (timelocked). Proposals and offers keep their times.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, TimingChanged},
    instructions::shared::roles::require_admin,
    state::{check_skew, check_timelock, Config, State},
    sysvar::Now,
    table::{
        set_timing::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // SAFETY: no other reference to the config's data is made in this instruction: `proposal` is an account of another
    // type.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_admin(config, accounts.admin)?;
    if config.sealed == 1 {
        check_timelock(args.timelock_secs, config.min_timelock_secs)?;
    } else if args.timelock_secs != 0 {
        return Err(Error::TimelockNotZero);
    }
    check_skew(args.max_skew_secs)?;
    timelock::check(context, config, accounts.proposal, Now::read()?)?;
    config.timelock_secs = args.timelock_secs;
    config.max_skew_secs = args.max_skew_secs;
    emit(TimingChanged { timelock_secs: args.timelock_secs, max_skew_secs: args.max_skew_secs });
    config.invariant()
}
