//! register_custodian: one who holds shares, with its attester keys (timelocked).

use crate::{
    account::{create, load},
    args::is_utf8,
    error::{Error, Result},
    events::{emit, CustodianRegistered},
    instructions::shared::roles::require_admin,
    pda::CUSTODIAN_SEED,
    state::{Config, Custodian, State},
    sysvar::Now,
    table::{
        register_custodian::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts, role, timelock.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;

    // 2. The name: UTF-8, then zeros to the end.
    let length = args.name.iter().position(|byte| *byte == 0).unwrap_or(args.name.len());
    let (text, padding) = args.name.split_at_checked(length).ok_or(Error::BadName)?;
    if text.is_empty() || !is_utf8(text) || padding.iter().any(|byte| *byte != 0) {
        return Err(Error::BadName);
    }

    // 3. Effects.
    let id = args.id.to_le_bytes();
    // SAFETY: the account is made here, so no older reference to its data can be, and no other is made below.
    let custodian =
        unsafe { create::<Custodian>(context.program_id, accounts.admin, accounts.custodian, &[CUSTODIAN_SEED, &id]) }?;
    custodian.id = args.id;
    custodian.epoch = 1;
    custodian.name = *args.name;
    custodian.set_keys(args.threshold, args.keys, now)?;
    emit(CustodianRegistered {
        custodian: *accounts.custodian.address(),
        id: args.id,
        threshold: custodian.threshold,
        key_count: custodian.key_count,
        name: *args.name,
    });
    custodian.invariant()
}
