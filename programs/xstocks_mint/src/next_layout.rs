//! FOR TESTS ONLY, never to be deployed (feature `next_layout`): a trial of how layouts change without a flag day
//! (docs/design.md, section 4.2). This program reads Assets of version 1 and 2 alike, in every instruction, and `migrate`
//! makes the second of the first, one account at a time, by anybody who pays for the bytes that are new.

use crate::{
    account::{load, load_mut, top_up},
    error::{Error, Result},
    state::{Asset, AssetTail, State, MIGRATED_SPACE, NEXT_VERSION, VERSION},
    sysvar::Now,
    table::{
        migrate::{Accounts, Args},
        Context,
    },
};
use pinocchio::UnsafeResize;

/// # Errors
/// AlreadyInitialized where it is of version 2 already; those of `load`.
pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. An Asset that keeps its rules, not migrated before.
    let account = accounts.asset;
    let asset = load::<Asset>(context.program_id, account)?;
    if asset.version != VERSION {
        return Err(Error::AlreadyInitialized);
    }
    asset.invariant()?;

    // 2. Room for the tail, and its rent.
    top_up(accounts.payer, account, MIGRATED_SPACE)?;
    let tail = AssetTail { migrated_ts: Now::read()?.ts, reserved: [0; 56] };
    let mut grown = *account;
    // SAFETY: the runtime leaves room for 10 KiB behind the data of an account, this grows by less and once; the
    // account was just found to have SPACE bytes, and no reference into its data is used after this but those below.
    unsafe {
        grown.resize(MIGRATED_SPACE);
        account.data_ptr().cast_mut().add(Asset::SPACE).cast::<AssetTail>().write_unaligned(tail);
        account.data_ptr().cast_mut().add(8).write(NEXT_VERSION);
    }

    // 3. It is one of version 2, and all else of it as it was.
    // SAFETY: the only reference that is used from here on.
    unsafe { load_mut::<Asset>(context.program_id, account) }?.invariant()
}
