//! resume: lets paused scopes go on, of an asset or globally. Unlike pause it is refused where a scope does not exist:
//! who lets go on says exactly what.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, Resumed},
    instructions::shared::{
        pause::{check_mint, check_scopes, require_transfers_pausable, set_transfers_paused},
        roles::require_resumer,
    },
    state::{scope, Asset, Config, State},
    table::{
        resume::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // SAFETY: no other reference to the config's data is made in this instruction: `asset` is an account of another
    // type.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_resumer(config, accounts.resumer)?;
    check_scopes(args.scopes, accounts.asset.is_some())?;
    let Some(account) = accounts.asset else {
        config.paused = without(config.paused, args.scopes)?;
        emit(Resumed { mint: Address::default(), scopes: args.scopes, paused: config.paused });
        return config.invariant();
    };
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, account) }?;
    asset.paused = without(asset.paused, args.scopes)?;
    if args.scopes & scope::TRANSFERS != 0 {
        check_mint(asset, accounts.mint)?;
        require_transfers_pausable(asset, accounts.mint, accounts.token_program)?;
    }
    emit(Resumed { mint: asset.mint, scopes: args.scopes, paused: asset.paused });
    asset.invariant()?;
    set_transfers_paused(asset, account, accounts.mint, args.scopes, false);
    Ok(())
}

/// The bits without `scopes`, at least one of which must be set.
fn without(paused: u8, scopes: u8) -> Result<u8> {
    if paused & scopes == 0 {
        return Err(Error::NothingToChange);
    }
    Ok(paused & !scopes)
}
