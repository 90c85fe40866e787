//! pause: stops scopes at once (M8), of an asset or globally. Pausing what is paused changes nothing and passes.

use crate::{
    account::load_mut,
    error::Result,
    events::{emit, Paused},
    instructions::{
        guardian::require_guardian,
        pausing::{check_scopes, set_transfers},
    },
    state::{Asset, Config, State},
    table::{
        pause::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load_mut::<Config>(context.program_id, accounts.config)?;
    require_guardian(config, accounts.guardian)?;
    check_scopes(args.scopes, accounts.asset.is_some())?;
    let Some(account) = accounts.asset else {
        config.paused |= args.scopes;
        emit(Paused { mint: Address::default(), scopes: args.scopes, paused: config.paused });
        return config.invariant();
    };
    let asset = load_mut::<Asset>(context.program_id, account)?;
    asset.paused |= args.scopes;
    emit(Paused { mint: asset.mint, scopes: args.scopes, paused: asset.paused });
    asset.invariant()?;
    set_transfers(asset, account, accounts.mint, accounts.token_program, args.scopes, true)
}
