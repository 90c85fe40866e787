//! retire_asset: for ever no mint and no distribution; burns, redemptions and statements go on.

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, AssetRetired},
    instructions::shared::roles::require_admin,
    state::{Asset, Config, State, ASSET_RETIRED},
    table::{
        retire_asset::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_admin(config, accounts.admin)?;
    asset.require_not_released()?;
    if asset.state == ASSET_RETIRED {
        return Err(Error::AlreadyRetired);
    }
    asset.state = ASSET_RETIRED;
    emit(AssetRetired { mint: asset.mint });
    asset.invariant()
}
