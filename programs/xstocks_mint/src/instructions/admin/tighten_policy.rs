//! tighten_policy: stricter limits, at once.

use crate::{
    account::{load, load_mut, Now},
    error::{Error, Result},
    events::{emit, PolicyChanged},
    instructions::admin::require_admin,
    state::{Asset, Config, Policy, State},
    table::{
        tighten_policy::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load_mut::<Asset>(context.program_id, accounts.asset)?;
    require_admin(config, accounts.admin)?;
    let now = Now::read()?;
    let policy = Policy::from(args.policy);
    policy.check()?;
    if !policy.tightens(&asset.policy) {
        return Err(Error::NotTightening);
    }
    asset.set_policy(policy, now);
    emit(PolicyChanged { mint: asset.mint, loosened: 0 });
    asset.invariant()
}
