//! A keeper of shares and its attester keys.

use super::{State, VERSION};
use crate::{
    error::{Error, Result},
    schema::layout,
};
use pinocchio::Address;

/// Most keys a custodian may have.
pub const MAX_KEYS: usize = 8;
/// Fewest distinct parties a quorum may ask for (M2).
pub const MIN_THRESHOLD: u8 = 2;
/// The party number of the custodian itself.
pub const OWN_PARTY: u8 = 0;
/// Custodian.state.
pub const CUSTODIAN_ACTIVE: u8 = 0;
pub const CUSTODIAN_RETIRED: u8 = 1;

layout! {
    C
    /// A key that may sign statements of a custodian.
    struct AttesterKey {
        key: Address,
        /// Who holds it; 0 is the custodian itself. One party may have several keys and counts once.
        party: u8,
        _pad0: [u8; 7],
        /// The key counts while now < expires_ts.
        expires_ts: i64,
    }

    C
    /// A keeper of shares: its quorum signs what it holds. PDA ["custodian", id u16 little endian].
    struct Custodian {
        version: u8,
        bump: u8,
        id: u16,
        /// Distinct parties that must sign, at least 2.
        threshold: u8,
        key_count: u8,
        /// 0 Active, 1 Retired.
        state: u8,
        _pad0: u8,
        /// Rises with each change of the keys; statements and entries of an older one count no more.
        epoch: u32,
        _pad1: u32,
        /// The first key_count are set, strictly ascending; the rest is zero.
        keys: [AttesterKey; 8],
        /// UTF-8, padded with zeros.
        name: [u8; 32],
        reserved: [u8; 64],
    }
}

impl Custodian {
    /// The keys in use.
    #[inline(always)]
    pub fn active_keys(&self) -> &[AttesterKey] {
        self.keys.get(..self.key_count as usize).unwrap_or(&[])
    }
}

impl State for Custodian {
    const DISCRIMINATOR: [u8; 8] = Self::DISC;

    #[inline(always)]
    fn version(&self) -> u8 {
        self.version
    }

    fn invariant(&self) -> Result {
        if self.version != VERSION || self.state > CUSTODIAN_RETIRED {
            return Err(Error::InvariantViolated);
        }
        // At most eight keys, and none behind them.
        if self.key_count as usize > MAX_KEYS {
            return Err(Error::TooManyKeys);
        }
        // Strictly ascending, so no key stands twice.
        let mut previous: Option<&Address> = None;
        let mut parties = [0u64; 4];
        for key in self.active_keys() {
            if let Some(previous) = previous {
                if previous.as_array() >= key.key.as_array() {
                    return Err(Error::KeysNotAscending);
                }
            }
            if let Some(word) = parties.get_mut((key.party >> 6) as usize) {
                *word |= 1 << (key.party & 63);
            }
            previous = Some(&key.key);
        }
        // Never fewer than two parties.
        if self.threshold < MIN_THRESHOLD {
            return Err(Error::ThresholdTooLow);
        }
        Ok(())
    }
}

