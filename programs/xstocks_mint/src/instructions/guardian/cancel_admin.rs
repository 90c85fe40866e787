//! cancel_admin: takes the offer to a new admin back. Admin or guardian.

use crate::{
    account::load_mut,
    error::{Error, Result},
    events::{emit, AdminOfferCancelled},
    instructions::shared::roles::require_admin_or_guardian,
    state::{Config, State},
    table::{
        cancel_admin::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // SAFETY: no other reference to the config's data is made in this instruction.
    let config = unsafe { load_mut::<Config>(context.program_id, accounts.config) }?;
    require_admin_or_guardian(config, accounts.authority)?;
    if !config.withdraw_offer() {
        return Err(Error::NoPendingAdmin);
    }
    emit(AdminOfferCancelled { by: *accounts.authority.address() });
    config.invariant()
}
