//! tighten_policy: stricter limits, at once.

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, PolicyChanged},
    instructions::shared::roles::require_admin,
    state::{Asset, Config, Policy, State},
    sysvar::Now,
    table::{
        tighten_policy::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_admin(config, accounts.admin)?;
    let now = Now::read()?;
    let policy = Policy::from(args.policy);
    policy.check()?;
    if !policy.tightens(&asset.policy) {
        return Err(Error::NotTightening);
    }
    let old = (&asset.policy).into();
    asset.set_policy(policy, now);
    emit(PolicyChanged { mint: asset.mint, loosened: 0, old, new: *args.policy });
    asset.invariant()
}
