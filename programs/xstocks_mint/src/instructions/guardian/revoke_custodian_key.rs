//! revoke_custodian_key: one attester key less, at once, a new epoch. Admin or guardian.

use crate::{
    account::{load, load_mut},
    error::Result,
    instructions::shared::{custodian_keys::change_keys, roles::require_admin_or_guardian},
    state::{Config, Custodian},
    table::{
        revoke_custodian_key::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the custodian's data is made in this instruction: `config` is an account of another
    // type.
    let custodian = unsafe { load_mut::<Custodian>(context.program_id, accounts.custodian) }?;
    require_admin_or_guardian(config, accounts.authority)?;
    // Keys may become fewer than the threshold: then nothing can be signed until the admin sets others.
    change_keys(accounts.custodian, custodian, |custodian| custodian.remove_key(args.key))
}
