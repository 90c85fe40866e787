//! resume: lets paused scopes go on, of an asset or globally.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, Resumed},
    instructions::{
        pausing::{check_scopes, set_transfers},
        resumer::require_resumer,
    },
    state::{Asset, Config, State},
    table::{
        resume::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load_mut::<Config>(context.program_id, accounts.config)?;
    require_resumer(config, accounts.resumer)?;
    check_scopes(args.scopes, accounts.asset.is_some())?;
    let Some(account) = accounts.asset else {
        config.paused = without(config.paused, args.scopes)?;
        emit(Resumed { mint: Address::default(), scopes: args.scopes, paused: config.paused });
        return config.invariant();
    };
    let asset = load_mut::<Asset>(context.program_id, account)?;
    asset.paused = without(asset.paused, args.scopes)?;
    emit(Resumed { mint: asset.mint, scopes: args.scopes, paused: asset.paused });
    asset.invariant()?;
    set_transfers(asset, account, accounts.mint, accounts.token_program, args.scopes, false)
}

/// The bits without `scopes`, at least one of which must be set.
fn without(paused: u8, scopes: u8) -> Result<u8> {
    if paused & scopes == 0 {
        return Err(Error::NothingToChange);
    }
    Ok(paused & !scopes)
}
