//! hold_redemption: an open redemption is neither settled nor given back until its hold is cleared. At once, in every
//! profile and in no pause: a participant whose account is frozen must not get its tokens out by redeeming them.

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, RedemptionHeld},
    instructions::shared::roles::require_compliance,
    state::{Config, Redemption, State},
    table::{
        hold_redemption::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: `config` is an account of
    // another type.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    require_compliance(config, accounts.compliance)?;
    redemption.require_open()?;
    if redemption.on_hold != 0 {
        return Err(Error::RedemptionOnHold);
    }
    redemption.on_hold = 1;
    emit(RedemptionHeld {
        mint: redemption.mint,
        redemption: *accounts.redemption.address(),
        id: redemption.id,
        wallet: redemption.wallet,
        amount_raw: redemption.amount_raw,
    });
    redemption.invariant()
}
