//! clear_redemption_hold: a redemption goes on. By compliance, or by admin and resumer together, so that a stolen
//! compliance key keeps nobody's tokens. Not while a recovery of its tokens is announced.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, RedemptionHoldCleared},
    instructions::shared::roles::require_compliance_or_both,
    pda::{find_address, RECOVERY_SEED},
    state::{Config, Recovery, Redemption, State, RECOVERY_ANNOUNCED},
    table::{
        clear_redemption_hold::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: `config` and the recovery are
    // accounts of other types.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    require_compliance_or_both(config, accounts.authority, accounts.resumer)?;
    if redemption.on_hold == 0 {
        return Err(Error::RedemptionNotOnHold);
    }
    // No recovery is announced. Where there never was one, there is no account.
    let seeds: [&[u8]; 2] = [RECOVERY_SEED, accounts.redemption.address().as_array()];
    if !address_eq(&find_address(&seeds, context.program_id)?.0, accounts.recovery.address()) {
        return Err(Error::ConstraintSeeds);
    }
    if accounts.recovery.owned_by(context.program_id)
        && load::<Recovery>(context.program_id, accounts.recovery)?.state == RECOVERY_ANNOUNCED
    {
        return Err(Error::RecoveryOpen);
    }
    redemption.on_hold = 0;
    emit(RedemptionHoldCleared {
        mint: redemption.mint,
        redemption: *accounts.redemption.address(),
        id: redemption.id,
        by: *accounts.authority.address(),
    });
    redemption.invariant()
}
