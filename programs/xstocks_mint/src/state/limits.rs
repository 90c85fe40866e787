//! The buckets of an asset, as its policy sizes them (M5, M7).

use crate::{
    error::{Error, Result},
    state::{
        asset::Asset,
        bucket::{freeze_limits, FREEZE},
        policy::Policy,
    },
    sysvar::Now,
};

impl Asset {
    /// Takes what is burnt, for a redemption or not, out of the one bucket of both (M5).
    ///
    /// # Errors
    /// BucketEmpty.
    #[inline(always)]
    pub fn take_burn(&mut self, amount_raw: u64, now: Now) -> Result {
        self.burn_bucket =
            self.burn_bucket.refilled(now.ts, self.policy.burn_burst_raw, self.policy.burn_refill_raw_per_sec);
        self.burn_bucket.take(amount_raw)
    }

    /// One more token account of a holder may be frozen (M7).
    ///
    /// # Errors
    /// FreezeLimitReached.
    pub fn take_freeze(&mut self, now: Now) -> Result {
        let (size, refill_per_sec) = freeze_limits(self.policy.freezes_per_day);
        self.freeze_bucket = self.freeze_bucket.refilled(now.ts, size, refill_per_sec);
        self.freeze_bucket.take(FREEZE).map_err(|_| Error::FreezeLimitReached)
    }

    /// Replaces the limits; the buckets are first brought to now under the old ones.
    pub fn set_policy(&mut self, new: Policy, now: Now) {
        let old = core::mem::replace(&mut self.policy, new);
        let mint = (old.mint_burst_raw, old.mint_refill_raw_per_sec);
        self.mint_bucket = self.mint_bucket.resized(now.ts, mint, new.mint_burst_raw);
        let distribute = (old.distribute_burst_raw, old.distribute_refill_raw_per_sec);
        self.distribute_bucket = self.distribute_bucket.resized(now.ts, distribute, new.distribute_burst_raw);
        let burn = (old.burn_burst_raw, old.burn_refill_raw_per_sec);
        self.burn_bucket = self.burn_bucket.resized(now.ts, burn, new.burn_burst_raw);
        let freezes = freeze_limits(old.freezes_per_day);
        self.freeze_bucket = self.freeze_bucket.resized(now.ts, freezes, freeze_limits(new.freezes_per_day).0);
    }
}
