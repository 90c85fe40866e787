//! The limits of an asset.

use crate::{
    args::PolicyArg,
    error::{Error, Result},
    schema::layout,
    state::config::MAX_SKEW_SECS,
};

/// The longest that an accepted redemption may be kept from its wallet: 30 days.
pub const MAX_REDEMPTION_LOCK_SECS: u32 = 30 * 86_400;

layout! {
    C
    /// The limits of an asset. Tightened at once, loosened under the timelock.
    struct Policy {
        /// The supply never exceeds it, whatever is attested.
        supply_limit_raw: u64,
        /// Size of the bucket for mint (M5).
        mint_burst_raw: u64,
        /// Refill of the bucket for mint per whole second.
        mint_refill_raw_per_sec: u64,
        /// Size of the bucket for distribute (M5).
        distribute_burst_raw: u64,
        /// Refill of the bucket for distribute per whole second.
        distribute_refill_raw_per_sec: u64,
        /// Size of the bucket for burn and settle_redemption together (M5).
        burn_burst_raw: u64,
        /// Refill of the bucket for burn and settle_redemption per whole second.
        burn_refill_raw_per_sec: u64,
        /// A statement counts while now - observed <= max_age_secs.
        max_age_secs: u32,
        /// A rise of capacity_raw + redeemed_seen_raw of one entry above it sets hold 1.
        max_rise_bps: u32,
        /// Multiplier changes beyond it need the admin too.
        max_multiplier_bps: u32,
        /// How far capacity + seen may move across a multiplier change (M9), else hold 2.
        ca_tolerance_bps: u32,
        /// So long after a multiplier change or its cancelling a first entry sets hold 4 (M9).
        ca_window_secs: u32,
        /// A multiplier change is announced at least so long before it takes effect.
        min_notice_secs: u32,
        /// How many token accounts of holders compliance may freeze in a day (M7).
        freezes_per_day: u32,
        /// So long after a custodian accepted a redemption its wallet cannot take it back.
        redemption_lock_secs: u32,
    }
}

impl Policy {
    /// Bounds that every policy keeps.
    ///
    /// # Errors
    /// PolicyInvalid.
    pub fn check(&self) -> Result {
        // A statement must be able to count, and a tolerance is at most all of it. What was signed before a multiplier
        // change must be too old to count when its window is over (see docs/money-rules-model.md, EXPIRY).
        let longest_life_secs = (self.max_age_secs as u64).wrapping_add(MAX_SKEW_SECS as u64); // two u32
        if self.max_age_secs == 0 || self.ca_tolerance_bps > 10_000 || self.ca_window_secs as u64 <= longest_life_secs {
            return Err(Error::PolicyInvalid);
        }
        // Nobody's tokens are kept for long.
        if self.redemption_lock_secs > MAX_REDEMPTION_LOCK_SECS {
            return Err(Error::PolicyInvalid);
        }
        Ok(())
    }

    /// Whether each value is the same as in `old` or stricter.
    pub const fn tightens(&self, old: &Self) -> bool {
        self.supply_limit_raw <= old.supply_limit_raw
            && self.mint_burst_raw <= old.mint_burst_raw
            && self.mint_refill_raw_per_sec <= old.mint_refill_raw_per_sec
            && self.distribute_burst_raw <= old.distribute_burst_raw
            && self.distribute_refill_raw_per_sec <= old.distribute_refill_raw_per_sec
            && self.burn_burst_raw <= old.burn_burst_raw
            && self.burn_refill_raw_per_sec <= old.burn_refill_raw_per_sec
            && self.max_age_secs <= old.max_age_secs
            && self.max_rise_bps <= old.max_rise_bps
            && self.max_multiplier_bps <= old.max_multiplier_bps
            && self.ca_tolerance_bps <= old.ca_tolerance_bps
            && self.ca_window_secs >= old.ca_window_secs
            && self.min_notice_secs >= old.min_notice_secs
            && self.freezes_per_day <= old.freezes_per_day
            && self.redemption_lock_secs <= old.redemption_lock_secs
    }
}

impl From<&PolicyArg> for Policy {
    fn from(arg: &PolicyArg) -> Self {
        Self {
            supply_limit_raw: arg.supply_limit_raw,
            mint_burst_raw: arg.mint_burst_raw,
            mint_refill_raw_per_sec: arg.mint_refill_raw_per_sec,
            distribute_burst_raw: arg.distribute_burst_raw,
            distribute_refill_raw_per_sec: arg.distribute_refill_raw_per_sec,
            burn_burst_raw: arg.burn_burst_raw,
            burn_refill_raw_per_sec: arg.burn_refill_raw_per_sec,
            max_age_secs: arg.max_age_secs,
            max_rise_bps: arg.max_rise_bps,
            max_multiplier_bps: arg.max_multiplier_bps,
            ca_tolerance_bps: arg.ca_tolerance_bps,
            ca_window_secs: arg.ca_window_secs,
            min_notice_secs: arg.min_notice_secs,
            freezes_per_day: arg.freezes_per_day,
            redemption_lock_secs: arg.redemption_lock_secs,
        }
    }
}

impl From<&Policy> for PolicyArg {
    fn from(policy: &Policy) -> Self {
        Self {
            supply_limit_raw: policy.supply_limit_raw,
            mint_burst_raw: policy.mint_burst_raw,
            mint_refill_raw_per_sec: policy.mint_refill_raw_per_sec,
            distribute_burst_raw: policy.distribute_burst_raw,
            distribute_refill_raw_per_sec: policy.distribute_refill_raw_per_sec,
            burn_burst_raw: policy.burn_burst_raw,
            burn_refill_raw_per_sec: policy.burn_refill_raw_per_sec,
            max_age_secs: policy.max_age_secs,
            max_rise_bps: policy.max_rise_bps,
            max_multiplier_bps: policy.max_multiplier_bps,
            ca_tolerance_bps: policy.ca_tolerance_bps,
            ca_window_secs: policy.ca_window_secs,
            min_notice_secs: policy.min_notice_secs,
            freezes_per_day: policy.freezes_per_day,
            redemption_lock_secs: policy.redemption_lock_secs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_tightens_only_if_no_value_loosens() {
        let old = Policy {
            supply_limit_raw: 10,
            mint_burst_raw: 10,
            mint_refill_raw_per_sec: 10,
            distribute_burst_raw: 10,
            distribute_refill_raw_per_sec: 10,
            burn_burst_raw: 10,
            burn_refill_raw_per_sec: 10,
            max_age_secs: 10,
            max_rise_bps: 10,
            max_multiplier_bps: 10,
            ca_tolerance_bps: 10,
            ca_window_secs: 3_611,
            min_notice_secs: 10,
            freezes_per_day: 10,
            redemption_lock_secs: 10,
        };
        assert!(old.tightens(&old));
        let loosen: [fn(&mut Policy); 15] = [
            |p| p.supply_limit_raw += 1,
            |p| p.mint_burst_raw += 1,
            |p| p.mint_refill_raw_per_sec += 1,
            |p| p.distribute_burst_raw += 1,
            |p| p.distribute_refill_raw_per_sec += 1,
            |p| p.burn_burst_raw += 1,
            |p| p.burn_refill_raw_per_sec += 1,
            |p| p.max_age_secs += 1,
            |p| p.max_rise_bps += 1,
            |p| p.max_multiplier_bps += 1,
            |p| p.ca_tolerance_bps += 1,
            |p| p.ca_window_secs -= 1,
            |p| p.min_notice_secs -= 1,
            |p| p.freezes_per_day += 1,
            |p| p.redemption_lock_secs += 1,
        ];
        for (i, change) in loosen.into_iter().enumerate() {
            let mut new = old;
            change(&mut new);
            assert!(!new.tightens(&old), "case {i}");
            assert!(old.tightens(&new), "case {i} the other way");
        }
        assert_eq!(Policy { max_age_secs: 0, ..old }.check(), Err(Error::PolicyInvalid));
        assert_eq!(Policy { ca_tolerance_bps: 10_001, ..old }.check(), Err(Error::PolicyInvalid));
        assert_eq!(Policy { ca_window_secs: 3_610, ..old }.check(), Err(Error::PolicyInvalid));
        assert_eq!(Policy { redemption_lock_secs: 2_592_001, ..old }.check(), Err(Error::PolicyInvalid));
        assert_eq!(Policy { redemption_lock_secs: 2_592_000, ..old }.check(), Ok(()));
        assert_eq!(old.check(), Ok(()));
    }
}
