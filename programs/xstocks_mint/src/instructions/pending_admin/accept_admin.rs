//! accept_admin: the offered key becomes admin; what the one before it proposed is dead.

use crate::{
    account::load_mut,
    address::address_eq,
    error::{Error, Result},
    events::{emit, AdminChanged},
    state::{Config, State},
    sysvar::Now,
    table::{
        accept_admin::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and role.
    // SAFETY: no other reference to the config's data is made in this instruction.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    if config.pending_admin == Address::default() {
        return Err(Error::NoPendingAdmin);
    }
    if !address_eq(&config.pending_admin, accounts.pending_admin.address()) {
        return Err(Error::NotPendingAdmin);
    }

    // 2. After the timelock, before the end.
    let now = Now::read()?;
    if now.ts < config.pending_admin_ready_ts {
        return Err(Error::OfferNotReady);
    }
    if now.ts >= config.pending_admin_expires_ts {
        return Err(Error::OfferExpired);
    }

    // 3. Effects.
    config.admin = config.pending_admin;
    config.admin_epoch = config.admin_epoch.checked_add(1).ok_or(Error::Overflow)?;
    config.withdraw_offer();
    emit(AdminChanged { admin: config.admin, admin_epoch: config.admin_epoch });
    config.invariant()
}
