//! cancel_recovery: an announced recovery does not happen. The source stays frozen until compliance thaws it (a
//! redemption: on hold until that is cleared).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, RecoveryCancelled},
    instructions::shared::roles::require_guardian,
    state::{Config, Recovery, State, RECOVERY_ANNOUNCED, RECOVERY_CANCELLED},
    table::{
        cancel_recovery::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the recovery's data is made in this instruction: `config` is an account of another
    // type.
    let recovery = unsafe { load_mut::<Recovery>(context.program_id, accounts.recovery) }?;
    require_guardian(config, accounts.guardian)?;
    if recovery.state != RECOVERY_ANNOUNCED {
        return Err(Error::RecoveryNotOpen);
    }
    recovery.state = RECOVERY_CANCELLED;
    emit(RecoveryCancelled { mint: recovery.mint, recovery: *accounts.recovery.address(), source: recovery.source });
    recovery.invariant()
}
