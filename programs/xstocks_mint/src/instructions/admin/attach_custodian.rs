//! attach_custodian: a custodian's statements count for an asset (timelocked).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, CustodianAttached},
    instructions::shared::roles::require_admin,
    state::{Asset, Config, Custodian, State, CUSTODIAN_ACTIVE, ENTRY_ATTACHED, MAX_ENTRIES},
    sysvar::Now,
    table::{
        attach_custodian::{Accounts, Args},
        Context,
    },
    timelock,
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts, role, timelock.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let custodian = load::<Custodian>(context.program_id, accounts.custodian)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config`, `custodian` and `proposal`
    // are accounts of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_admin(config, accounts.admin)?;
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;
    if custodian.state != CUSTODIAN_ACTIVE {
        return Err(Error::CustodianRetired);
    }

    // 2. Its old slot, whose counters go on, or the next free one.
    let address = accounts.custodian.address();
    let slot = match asset.slot_of(address) {
        Some(slot) => slot,
        None if (asset.entry_count as usize) < MAX_ENTRIES => {
            let slot = asset.entry_count;
            asset.entry_count = slot.saturating_add(1); // at most MAX_ENTRIES
            slot as usize
        }
        None => return Err(Error::EntriesFull),
    };
    let entry = asset.entries.get_mut(slot).ok_or(Error::EntriesFull)?;
    if entry.state == ENTRY_ATTACHED {
        return Err(Error::AlreadyAttached);
    }

    // 3. Effects: nothing that was observed before now + skew can count (M3).
    entry.custodian = *address;
    entry.state = ENTRY_ATTACHED;
    entry.invalidate(now.observable_until_ms(config.max_skew_secs));
    emit(CustodianAttached { mint: asset.mint, custodian: *address, slot: u8::try_from(slot).unwrap_or(u8::MAX) });
    asset.invariant()
}
