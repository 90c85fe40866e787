//! clear_hold: minting of an asset may go on after somebody has looked.

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, HoldCleared},
    instructions::shared::roles::require_resumer,
    state::{hold, Asset, Config, State},
    table::{
        clear_hold::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_resumer(config, accounts.resumer)?;
    if args.holds == 0 || args.holds & !hold::ALL != 0 {
        return Err(Error::UnknownHold);
    }
    if asset.holds & args.holds == 0 {
        return Err(Error::NothingToChange);
    }
    // A transaction that was kept must not clear what a later statement set, under the same bit or another. What renews
    // a statement sets no hold, and does not keep a slow resumer from clearing one.
    if args.hold_number != asset.hold_number {
        return Err(Error::HeldAgain);
    }
    asset.holds &= !args.holds;
    let (mint, holds, hold_number) = (asset.mint, asset.holds, asset.hold_number);
    emit(HoldCleared { mint, cleared: args.holds, holds, hold_number });
    asset.invariant()
}
