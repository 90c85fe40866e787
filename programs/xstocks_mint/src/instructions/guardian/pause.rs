//! pause: stops at once all that exists of the asked scopes (M8), of an asset or globally. Pausing what is paused
//! changes nothing and passes.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, Paused},
    instructions::shared::{
        pause::{check_mint, require_transfers_pausable, set_transfers_paused, stoppable},
        roles::require_guardian,
    },
    state::{Asset, Config, State},
    table::{
        pause::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // SAFETY: no other reference to the config's data is made in this instruction: `asset` is an account of another
    // type.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_guardian(config, accounts.guardian)?;
    let Some(account) = accounts.asset else {
        // Token-2022's pause is of one mint.
        let scopes = stoppable(args.scopes, Err(Error::TransfersNeedAsset))?;
        config.paused |= scopes;
        emit(Paused { mint: Address::default(), scopes, paused: config.paused });
        return config.invariant();
    };
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, account) }?;
    check_mint(asset, accounts.mint)?;
    let transfers = require_transfers_pausable(asset, accounts.mint, accounts.token_program);
    let scopes = stoppable(args.scopes, transfers)?;
    asset.paused |= scopes;
    emit(Paused { mint: asset.mint, scopes, paused: asset.paused });
    asset.invariant()?;
    set_transfers_paused(asset, account, accounts.mint, scopes, true);
    Ok(())
}
