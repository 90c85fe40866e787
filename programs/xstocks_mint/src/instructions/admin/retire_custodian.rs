//! retire_custodian: it is attached to no asset again, for ever, so that its slots are free (timelocked). Only where it is
//! detached everywhere and nothing is unseen: what it did not count would lower a ceiling for ever (M6).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, CustodianRetired},
    instructions::shared::roles::require_admin,
    state::{Config, Custodian, State, CUSTODIAN_RETIRED},
    sysvar::Now,
    table::{
        retire_custodian::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the custodian's data is made in this instruction: `config` and `proposal` are accounts
    // of other types.
    let custodian = unsafe { load_mut::<Custodian>(context.program_id, accounts.custodian) }?;
    require_admin(config, accounts.admin)?;
    timelock::check(context, config, accounts.proposal, Now::read()?)?;
    if custodian.state == CUSTODIAN_RETIRED {
        return Err(Error::CustodianRetired);
    }
    if custodian.entries != 0 {
        return Err(Error::CustodianInUse);
    }
    custodian.state = CUSTODIAN_RETIRED;
    emit(CustodianRetired { custodian: *accounts.custodian.address() });
    custodian.invariant()
}
