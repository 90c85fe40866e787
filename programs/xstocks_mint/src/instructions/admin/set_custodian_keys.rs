//! set_custodian_keys: other attester keys, a new epoch (timelocked).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    instructions::shared::{custodian_keys::change_keys, roles::require_admin},
    state::{Config, Custodian, CUSTODIAN_ACTIVE},
    sysvar::Now,
    table::{
        set_custodian_keys::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the custodian's data is made in this instruction: `config` and `proposal` are
    // accounts of other types.
    let custodian = unsafe { load_mut::<Custodian>(context.program_id, accounts.custodian) }?;
    require_admin(config, accounts.admin)?;
    if custodian.state != CUSTODIAN_ACTIVE {
        return Err(Error::CustodianRetired);
    }
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;
    change_keys(accounts.custodian, custodian, |custodian| custodian.set_keys(args.threshold, args.keys, now))
}
