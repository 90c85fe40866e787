//! What every change of a custodian's keys ends with: a new epoch, and the old and the new keys in one event.

use crate::{
    error::Result,
    events::{emit, CustodianKeysChanged},
    state::{Custodian, State},
};
use pinocchio::AccountView;

/// Changes the keys by `change` and starts a new epoch.
///
/// # Errors
/// Those of `change`, EpochExhausted, and the invariant's.
#[inline(always)]
pub fn change_keys(
    account: &AccountView,
    custodian: &mut Custodian,
    change: impl FnOnce(&mut Custodian) -> Result,
) -> Result {
    let (old_threshold, old_key_count, old_keys) = (custodian.threshold, custodian.key_count, custodian.packed_keys());
    change(custodian)?;
    custodian.next_epoch()?;
    emit(CustodianKeysChanged {
        custodian: *account.address(),
        epoch: custodian.epoch,
        threshold: custodian.threshold,
        key_count: custodian.key_count,
        old_threshold,
        old_key_count,
        keys: custodian.packed_keys(),
        old_keys,
    });
    custodian.invariant()
}
