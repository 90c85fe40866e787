//! retire_asset: for ever no mint and no distribution; burns, redemptions and statements go on (timelocked, since nothing
//! undoes it: the emergency stop is pause).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, AssetRetired},
    instructions::shared::roles::require_admin,
    state::{Asset, Config, State, ASSET_RETIRED},
    sysvar::Now,
    table::{
        retire_asset::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` and `proposal` are accounts
    // of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_admin(config, accounts.admin)?;
    asset.require_not_released()?;
    if asset.state == ASSET_RETIRED {
        return Err(Error::AlreadyRetired);
    }
    timelock::check(context, config, accounts.proposal, Now::read()?)?;
    asset.state = ASSET_RETIRED;
    emit(AssetRetired { mint: asset.mint });
    asset.invariant()
}
