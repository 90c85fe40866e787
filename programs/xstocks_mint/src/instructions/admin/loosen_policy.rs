//! loosen_policy: other limits (timelocked).

use crate::{
    account::{load, load_mut, Now},
    error::Result,
    events::{emit, PolicyChanged},
    instructions::admin::require_admin,
    state::{Asset, Config, Policy, State},
    table::{
        loosen_policy::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load_mut::<Asset>(context.program_id, accounts.asset)?;
    require_admin(config, accounts.admin)?;
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;
    let policy = Policy::from(args.policy);
    policy.check()?;
    asset.set_policy(policy, now);
    emit(PolicyChanged { mint: asset.mint, loosened: 1 });
    asset.invariant()
}
