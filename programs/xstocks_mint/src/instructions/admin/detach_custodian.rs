//! detach_custodian: its statements count no more, at once; its unseen redemptions go on counting (M6).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, CustodianDetached},
    instructions::shared::roles::require_admin,
    state::{Asset, Config, Custodian, State, ENTRY_ATTACHED, ENTRY_DETACHED},
    table::{
        detach_custodian::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the custodian's or the asset's data is made in this instruction: they and `config`
    // are accounts of different types.
    let custodian = unsafe { load_mut::<Custodian>(context.program_id, accounts.custodian) }?;
    // SAFETY: as above.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_admin(config, accounts.admin)?;

    let address = accounts.custodian.address();
    let slot = asset.slot_of(address).ok_or(Error::NotAttached)?;
    let entry = asset.entries.get_mut(slot).ok_or(Error::NotAttached)?;
    if entry.state != ENTRY_ATTACHED {
        return Err(Error::NotAttached);
    }
    entry.state = ENTRY_DETACHED;
    entry.invalidate(0);
    if !entry.is_open() {
        custodian.entries = custodian.entries.checked_sub(1).ok_or(Error::Overflow)?;
    }
    emit(CustodianDetached { mint: asset.mint, custodian: *address, slot: u8::try_from(slot).unwrap_or(u8::MAX) });
    custodian.invariant()?;
    asset.invariant()
}
