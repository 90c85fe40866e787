//! withdraw_entry: "do not trust our number" of one present attester; it counts zero until a newer statement.

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, EntryWithdrawn},
    state::{Asset, Config, Custodian, State, ENTRY_ATTACHED},
    sysvar::Now,
    table::{
        withdraw_entry::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let custodian = load::<Custodian>(context.program_id, accounts.custodian)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` and `custodian` are accounts
    // of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;

    // 2. A present key that has not expired.
    let now = Now::read()?;
    let attester = accounts.attester.address();
    let key = custodian.key(attester).ok_or(Error::NotAttester)?;
    if now.ts >= key.expires_ts {
        return Err(Error::SignerExpired);
    }

    // 3. The entry, attached.
    let slot = asset.slot_of(accounts.custodian.address()).ok_or(Error::NotAttached)?;
    let entry = asset.entries.get_mut(slot).ok_or(Error::NotAttached)?;
    if entry.state != ENTRY_ATTACHED {
        return Err(Error::NotAttached);
    }
    entry.invalidate(now.observable_until_ms(config.max_skew_secs));
    emit(EntryWithdrawn {
        mint: asset.mint,
        custodian: *accounts.custodian.address(),
        attester: *attester,
        observed_ms: entry.observed_ms,
    });
    asset.invariant()
}
