//! propose_admin: offers the admin role to a key, which accepts it by its own signature after the timelock. A new
//! offer takes the place of an older one.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, AdminOffered},
    instructions::shared::roles::require_admin,
    state::{later, Config, State, YEAR_SECS},
    sysvar::Now,
    table::{
        propose_admin::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    // SAFETY: no other reference to the config's data is made in this instruction.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_admin(config, accounts.admin)?;

    // 2. Arguments.
    if *args.pending_admin == Address::default() {
        return Err(Error::KeyMissing);
    }
    let ready_ts = config.ready_ts(Now::read()?)?;
    if args.expires_ts <= ready_ts || args.expires_ts > later(ready_ts, YEAR_SECS)? {
        return Err(Error::OfferExpiryInvalid);
    }

    // 3. Effects.
    config.pending_admin = *args.pending_admin;
    config.pending_admin_ready_ts = ready_ts;
    config.pending_admin_expires_ts = args.expires_ts;
    emit(AdminOffered { pending_admin: *args.pending_admin, ready_ts, expires_ts: args.expires_ts });
    config.invariant()
}
