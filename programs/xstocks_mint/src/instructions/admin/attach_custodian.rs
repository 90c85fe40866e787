//! attach_custodian: a custodian's statements count for an asset (timelocked). Where the asset knows it not yet it takes
//! the slot of one that nothing refers to any more.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, CustodianAttached},
    instructions::shared::roles::require_admin,
    state::{Asset, Config, Custodian, Entry, State, CUSTODIAN_ACTIVE, CUSTODIAN_RETIRED, ENTRY_ATTACHED, MAX_ENTRIES},
    sysvar::Now,
    table::{
        attach_custodian::{Accounts, Args},
        Context,
    },
    timelock,
};
use pinocchio::AccountView;

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts, role, timelock.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // Read before the custodian itself is: it may be the same account.
    let retired = match accounts.retired {
        Some(account) if load::<Custodian>(context.program_id, account)?.state != CUSTODIAN_RETIRED => {
            return Err(Error::CustodianNotRetired);
        }
        retired => retired.map(AccountView::address),
    };
    // SAFETY: no reference to another custodian's data is held, and none to this one's or the asset's is made below:
    // `config` and `proposal` are accounts of other types.
    let custodian = unsafe { load_mut::<Custodian>(context.program_id, accounts.custodian) }?;
    // SAFETY: as above.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_admin(config, accounts.admin)?;
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;
    if custodian.state != CUSTODIAN_ACTIVE {
        return Err(Error::CustodianRetired);
    }

    // 2. Its old slot, whose counters go on; else one that is free, else the next empty one.
    let address = accounts.custodian.address();
    let slot = match asset.slot_of(address).or_else(|| asset.free_slot(retired)) {
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

    // 3. Effects: nothing is left of another custodian's entry, and nothing that was observed before now + skew can count
    // (M3).
    if !entry.is_open() {
        custodian.entries = custodian.entries.checked_add(1).ok_or(Error::Overflow)?;
    }
    if !address_eq(&entry.custodian, address) {
        *entry = Entry::new(*address);
    }
    entry.state = ENTRY_ATTACHED;
    entry.invalidate(now.observable_until_ms(config.max_skew_secs));
    emit(CustodianAttached { mint: asset.mint, custodian: *address, slot: u8::try_from(slot).unwrap_or(u8::MAX) });
    custodian.invariant()?;
    asset.invariant()
}
