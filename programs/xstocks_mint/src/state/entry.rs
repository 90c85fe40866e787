//! What an asset knows of one custodian.

use crate::{schema::layout, sysvar::Now};
use pinocchio::Address;

/// Entry.state.
pub const ENTRY_EMPTY: u8 = 0;
pub const ENTRY_ATTACHED: u8 = 1;
pub const ENTRY_DETACHED: u8 = 2;

layout! {
    C
    /// What the asset knows of one custodian's newest statement. Its slot is another custodian's once nothing refers to
    /// it any more: see `is_free`.
    struct Entry {
        /// The Custodian account.
        custodian: Address,
        /// Key epoch of the custodian that signed.
        epoch: u32,
        /// 0 Empty, 1 Attached, 2 Detached.
        state: u8,
        /// 1 after attach, detach or withdraw_entry until a newer quorum statement is taken.
        withdrawn: u8,
        /// 1 once the quorum has confirmed the last change of the multiplier that took effect (M9).
        confirmed: u8,
        _pad0: [u8; 1],
        /// Time of the observation in ms; strictly rises, over all epochs (M3).
        observed_ms: u64,
        /// The statement counts while now < expires_ts.
        expires_ts: i64,
        /// Billionths of a share that the custodian holds for this mint.
        shares_nano: u64,
        /// Supply that those shares back at multiplier_bits.
        capacity_raw: u64,
        /// Burnt for redemptions blamed on this custodian, ever.
        redeemed_total_raw: u64,
        /// What of it the custodian's statements have counted; the rest lowers the ceiling (M6).
        redeemed_seen_raw: u64,
        /// Multiplier the capacity was signed with; 0 where that is older than the one before the last change.
        multiplier_bits: u64,
    }
}

impl Entry {
    /// Whether the entry counts in the ceiling: attached, not withdrawn, of the custodian's present `epoch`, not
    /// older than `max_age_secs`, not expired, signed with the multiplier in force.
    #[inline(always)]
    pub const fn is_fresh(&self, now: Now, epoch: u32, max_age_secs: u32, multiplier_bits: u64) -> bool {
        // observed_ms is at most the clock and the skew when it was taken (2^51), the sum cannot wrap.
        let fresh_until_ms = self.observed_ms.wrapping_add((max_age_secs as u64).wrapping_mul(1_000));
        self.state == ENTRY_ATTACHED
            && self.withdrawn == 0
            && self.epoch == epoch
            && now.ts < self.expires_ts
            && now.ms() <= fresh_until_ms
            && self.multiplier_bits == multiplier_bits
    }

    /// Burnt for redemptions, not counted by the custodian yet (M6).
    #[inline(always)]
    pub const fn unseen_raw(&self) -> u64 {
        self.redeemed_total_raw.saturating_sub(self.redeemed_seen_raw) // seen <= total by the invariant
    }

    /// Whether its custodian counts it (Custodian.entries): statements of it may still be wanted. What is unseen stays so
    /// while it is detached.
    #[inline(always)]
    pub const fn is_open(&self) -> bool {
        self.state == ENTRY_ATTACHED || self.unseen_raw() != 0
    }

    /// Whether another custodian may take the slot: nothing is unseen, and its counters are needed no more, since nothing
    /// was ever redeemed or its custodian `is_retired` and never comes back.
    #[inline(always)]
    pub const fn is_free(&self, is_retired: bool) -> bool {
        self.state == ENTRY_DETACHED && self.unseen_raw() == 0 && (is_retired || self.redeemed_total_raw == 0)
    }

    /// An entry of a custodian that has stated nothing.
    pub const fn new(custodian: Address) -> Self {
        Self {
            custodian,
            epoch: 0,
            state: ENTRY_ATTACHED,
            withdrawn: 1,
            confirmed: 0,
            _pad0: [0; 1],
            observed_ms: 0,
            expires_ts: 0,
            shares_nano: 0,
            capacity_raw: 0,
            redeemed_total_raw: 0,
            redeemed_seen_raw: 0,
            multiplier_bits: 0,
        }
    }

    /// Makes the entry count zero, and everything observed up to `until_ms` unable to revive it.
    #[inline(always)]
    pub fn invalidate(&mut self, until_ms: u64) {
        self.observed_ms = self.observed_ms.max(until_ms);
        self.shares_nano = 0;
        self.capacity_raw = 0;
        self.withdrawn = 1;
        self.confirmed = 0;
    }
}
