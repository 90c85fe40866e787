//! loosen_policy: other limits (timelocked).

use crate::{
    account::{load, load_mut},
    error::Result,
    events::{emit, PolicyChanged},
    instructions::shared::roles::require_admin,
    state::{Asset, Config, Policy, State},
    sysvar::Now,
    table::{
        loosen_policy::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` and `proposal` are accounts
    // of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_admin(config, accounts.admin)?;
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;
    let policy = Policy::from(args.policy);
    policy.check()?;
    let old = (&asset.policy).into();
    asset.set_policy(policy, now);
    emit(PolicyChanged { mint: asset.mint, loosened: 1, old, new: *args.policy });
    asset.invariant()
}
