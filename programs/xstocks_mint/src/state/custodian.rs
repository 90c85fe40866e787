//! Who holds shares in custody, and its attester keys.

use crate::{
    address::{address_eq, ascending},
    args::AttesterKeyArg,
    error::{Error, Result},
    hash::discriminator,
    schema::layout,
    state::definition::{ensure, Rule, State, VERSION},
    sysvar::Now,
};
use pinocchio::Address;

/// Most keys a custodian may have.
pub const MAX_KEYS: usize = 8;
/// Fewest distinct parties a quorum may ask for (M2).
pub const MIN_THRESHOLD: u8 = 2;
/// The party number of the custodian itself.
pub const OWN_PARTY: u8 = 0;
/// Highest party number; a set of parties is one word.
pub const MAX_PARTY: u8 = 63;
/// Custodian.state.
pub const CUSTODIAN_ACTIVE: u8 = 0;
pub const CUSTODIAN_RETIRED: u8 = 1;

layout! {
    C
    /// A key that may sign statements of a custodian.
    struct AttesterKey {
        /// The ed25519 public key.
        key: Address,
        /// Who holds it; 0 is the custodian itself. One party may have several keys and counts once.
        party: u8,
        _pad0: [u8; 7],
        /// The key counts while now < expires_ts.
        expires_ts: i64,
    }

    C
    /// Who holds shares in custody: its quorum signs what it holds. PDA ["custodian", id u16 little endian].
    struct Custodian {
        /// Version of the layout: 1.
        version: u8,
        /// Bump of the PDA.
        bump: u8,
        /// Its number, the seed of the PDA.
        id: u16,
        /// Distinct parties that must sign, at least 2.
        threshold: u8,
        /// Keys in use, from the first on.
        key_count: u8,
        /// 0 Active, 1 Retired.
        state: u8,
        _pad0: u8,
        /// Rises with each change of the keys; statements and entries of an older one count no more.
        epoch: u32,
        /// Entries of assets that are attached, or detached with something unseen; it is retired only without any.
        entries: u32,
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

    /// All places for keys, as an event holds them.
    #[inline(always)]
    pub fn packed_keys(&self) -> [AttesterKeyArg; MAX_KEYS] {
        self.keys.map(|key| AttesterKeyArg { key: key.key, party: key.party, expires_ts: key.expires_ts })
    }

    /// The present key of this address.
    #[inline(always)]
    pub fn key(&self, address: &Address) -> Option<&AttesterKey> {
        self.active_keys().iter().find(|key| address_eq(&key.key, address))
    }

    /// Replaces the keys.
    ///
    /// # Errors
    /// TooManyKeys, KeysNotAscending, PartyOutOfRange, KeyExpired, ThresholdTooLow, NotEnoughParties,
    /// CustodianPartyMissing.
    pub fn set_keys(&mut self, threshold: u8, keys: &[AttesterKeyArg], now: Now) -> Result {
        if keys.len() > MAX_KEYS {
            return Err(Error::TooManyKeys);
        }
        self.keys = [AttesterKey::EMPTY; MAX_KEYS];
        self.threshold = threshold;
        self.key_count = 0;
        for (slot, arg) in self.keys.iter_mut().zip(keys) {
            if arg.expires_ts <= now.ts {
                return Err(Error::KeyExpired);
            }
            *slot = AttesterKey { key: arg.key, party: arg.party, _pad0: [0; 7], expires_ts: arg.expires_ts };
            self.key_count = self.key_count.saturating_add(1); // at most MAX_KEYS
        }
        self.invariant()?;
        let mut parties = Parties::default();
        for key in self.active_keys() {
            parties.add(key.party);
        }
        if parties.count() < threshold {
            return Err(Error::NotEnoughParties);
        }
        if !parties.has(OWN_PARTY) {
            return Err(Error::CustodianPartyMissing);
        }
        Ok(())
    }

    /// Removes a key; the others move up.
    ///
    /// # Errors
    /// KeyNotFound.
    pub fn remove_key(&mut self, address: &Address) -> Result {
        let at = self.active_keys().iter().position(|key| address_eq(&key.key, address)).ok_or(Error::KeyNotFound)?;
        self.key_count = self.key_count.saturating_sub(1); // at least the one that was found
        let mut next = AttesterKey::EMPTY;
        for (index, slot) in self.keys.iter_mut().enumerate().rev() {
            if index >= at {
                core::mem::swap(slot, &mut next);
            }
        }
        Ok(())
    }

    /// Starts a new key epoch: statements and entries of the old one count no more.
    ///
    /// # Errors
    /// EpochExhausted.
    pub fn next_epoch(&mut self) -> Result {
        self.epoch = self.epoch.checked_add(1).ok_or(Error::EpochExhausted)?;
        Ok(())
    }
}

impl AttesterKey {
    const EMPTY: Self = Self { key: Address::new_from_array([0; 32]), party: 0, _pad0: [0; 7], expires_ts: 0 };
}

impl State for Custodian {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Custodian");

    fn invariant(&self) -> Result {
        ensure(self.version == VERSION && self.state <= CUSTODIAN_RETIRED, Rule::CustodianKnown)?;
        // At most eight keys.
        if self.key_count as usize > MAX_KEYS {
            return Err(Error::TooManyKeys);
        }
        // Strictly ascending, so no key stands twice.
        let mut previous: Option<&Address> = None;
        for key in self.active_keys() {
            if previous.is_some_and(|previous| !ascending(previous, &key.key)) {
                return Err(Error::KeysNotAscending);
            }
            if key.party > MAX_PARTY {
                return Err(Error::PartyOutOfRange);
            }
            previous = Some(&key.key);
        }
        // Never fewer than two parties (M2).
        if self.threshold < MIN_THRESHOLD {
            return Err(Error::ThresholdTooLow);
        }
        ensure(self.epoch > 0, Rule::CustodianEpoch)
    }
}

/// A set of parties.
#[derive(Clone, Copy, Default)]
pub struct Parties {
    bits: u64,
    count: u8,
}

impl Parties {
    /// Adds a party (0 to 63); a second time changes nothing.
    #[inline(always)]
    pub fn add(&mut self, party: u8) {
        let bit = 1u64 << (party & MAX_PARTY);
        if self.bits & bit == 0 {
            self.bits |= bit;
            self.count = self.count.wrapping_add(1); // at most 64
        }
    }

    /// Distinct parties.
    #[inline(always)]
    pub const fn count(self) -> u8 {
        self.count
    }

    #[inline(always)]
    pub const fn has(self, party: u8) -> bool {
        self.bits >> (party & MAX_PARTY) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { ts: 1_000 };

    fn args(keys: &[(u8, u8)]) -> Vec<AttesterKeyArg> {
        keys.iter()
            .map(|(key, party)| AttesterKeyArg {
                key: Address::new_from_array([*key; 32]),
                party: *party,
                expires_ts: 2_000,
            })
            .collect()
    }

    fn custodian() -> Custodian {
        // SAFETY: a Layout type takes every bit pattern, zeros included.
        let mut custodian: Custodian = unsafe { core::mem::zeroed() };
        custodian.version = VERSION;
        custodian.epoch = 1;
        custodian
    }

    fn set(threshold: u8, keys: &[(u8, u8)]) -> Result {
        custodian().set_keys(threshold, &args(keys), NOW)
    }

    #[test]
    fn key_sets_are_taken_or_refused_by_name() {
        assert_eq!(set(2, &[(1, 0), (2, 1), (3, 2)]), Ok(()));
        assert_eq!(set(2, &[(1, 63), (2, 0)]), Ok(()));
        assert_eq!(set(1, &[(1, 0), (2, 1)]), Err(Error::ThresholdTooLow));
        assert_eq!(set(3, &[(1, 0), (2, 1)]), Err(Error::NotEnoughParties));
        assert_eq!(set(2, &[(1, 0), (2, 0)]), Err(Error::NotEnoughParties));
        assert_eq!(set(2, &[(1, 1), (2, 2)]), Err(Error::CustodianPartyMissing));
        assert_eq!(set(2, &[(2, 0), (1, 1)]), Err(Error::KeysNotAscending));
        assert_eq!(set(2, &[(1, 0), (1, 1)]), Err(Error::KeysNotAscending));
        assert_eq!(set(2, &[(1, 0), (2, 64)]), Err(Error::PartyOutOfRange));
        let nine: Vec<(u8, u8)> = (0..9).map(|i| (i + 1, i)).collect();
        assert_eq!(set(2, &nine), Err(Error::TooManyKeys));
        assert_eq!(set(2, &nine[..8]), Ok(()));
        let mut expired = args(&[(1, 0), (2, 1)]);
        expired[1].expires_ts = NOW.ts;
        assert_eq!(custodian().set_keys(2, &expired, NOW), Err(Error::KeyExpired));
    }

    #[test]
    fn a_removed_key_leaves_the_others_in_order_and_nothing_behind() {
        for removed in 1..=3u8 {
            let mut custodian = custodian();
            custodian.set_keys(2, &args(&[(1, 0), (2, 1), (3, 2)]), NOW).unwrap();
            custodian.remove_key(&Address::new_from_array([removed; 32])).unwrap();
            let left: Vec<u8> = custodian.active_keys().iter().map(|key| key.key.as_array()[0]).collect();
            assert_eq!(left, (1..=3).filter(|key| *key != removed).collect::<Vec<_>>());
            assert!(custodian.keys[2..].iter().all(|key| key.key == Address::default() && key.expires_ts == 0));
            assert_eq!(custodian.invariant(), Ok(()));
            assert_eq!(custodian.remove_key(&Address::new_from_array([9; 32])), Err(Error::KeyNotFound));
        }
    }

    #[test]
    fn the_last_epoch_does_not_wrap() {
        let mut custodian = custodian();
        custodian.epoch = u32::MAX;
        assert_eq!(custodian.next_epoch(), Err(Error::EpochExhausted));
    }
}
