//! pause: stops scopes at once (M8), of an asset or globally. Pausing what is paused changes nothing and passes.

use crate::{
    account::load_mut,
    error::Result,
    events::{emit, Paused},
    instructions::shared::{
        pause::{check_scopes, set_transfers_paused},
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
    check_scopes(args.scopes, accounts.asset.is_some())?;
    let Some(account) = accounts.asset else {
        config.paused |= args.scopes;
        emit(Paused { mint: Address::default(), scopes: args.scopes, paused: config.paused });
        return config.invariant();
    };
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, account) }?;
    asset.paused |= args.scopes;
    emit(Paused { mint: asset.mint, scopes: args.scopes, paused: asset.paused });
    asset.invariant()?;
    set_transfers_paused(asset, account, accounts.mint, accounts.token_program, args.scopes, true)
}
