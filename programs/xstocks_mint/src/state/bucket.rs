//! A token bucket (M5).

use crate::{
    error::{cold_error, Error, Result},
    schema::layout,
};

layout! {
    C
    /// A token bucket: starts empty, refills per whole second.
    struct Bucket {
        /// What may be taken, as of updated_ts.
        level_raw: u64,
        /// When it was refilled last.
        updated_ts: i64,
    }
}

/// What one freeze takes out of its bucket, whose size is a day's refill: a bucket refills per whole second.
pub const FREEZE: u64 = 86_400;

/// The bucket for freezes: its size, which is also what one second times 86,400 refills, and its refill per second.
#[inline(always)]
pub const fn freeze_limits(freezes_per_day: u32) -> (u64, u64) {
    let refill_per_sec = freezes_per_day as u64;
    (refill_per_sec.wrapping_mul(FREEZE), refill_per_sec) // a u32 times 86,400
}

impl Bucket {
    /// The bucket at `now_ts`: refilled for the whole seconds that passed, up to `burst_raw`. A clock that went
    /// backwards adds nothing and does not move the bucket's time.
    #[inline(always)]
    pub const fn refilled(self, now_ts: i64, burst_raw: u64, refill_raw_per_sec: u64) -> Self {
        let updated_ts = if now_ts > self.updated_ts { now_ts } else { self.updated_ts };
        let elapsed_secs = updated_ts.abs_diff(self.updated_ts);
        if self.level_raw >= burst_raw {
            return Self { level_raw: burst_raw, updated_ts };
        }
        let room_raw = burst_raw.wrapping_sub(self.level_raw); // level < burst
        let level_raw = match room_raw.checked_div(refill_raw_per_sec) {
            // More seconds than it takes to fill the room.
            Some(secs) if elapsed_secs > secs => burst_raw,
            // The product is at most the room.
            _ => self.level_raw.wrapping_add(elapsed_secs.wrapping_mul(refill_raw_per_sec)),
        };
        Self { level_raw, updated_ts }
    }

    /// The bucket at `now_ts` by its `old` limits (size, refill per second), then cut to the new size.
    #[inline(always)]
    pub const fn resized(self, now_ts: i64, old: (u64, u64), burst_raw: u64) -> Self {
        self.refilled(now_ts, old.0, old.1).refilled(now_ts, burst_raw, 0)
    }

    /// Takes `amount_raw` out of the bucket.
    ///
    /// # Errors
    /// BucketEmpty.
    #[inline(always)]
    pub fn take(&mut self, amount_raw: u64) -> Result {
        self.level_raw = self.level_raw.checked_sub(amount_raw).ok_or_else(|| cold_error(Error::BucketEmpty))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What a bucket gives in a time is at most its size and the refill of that time, however often it is asked.
        #[test]
        fn a_bucket_never_gives_more_than_burst_and_refill(
            burst in 0u64..1_000, refill in 0u64..50, asks in proptest::collection::vec((0i64..30, 0u64..400), 1..40),
        ) {
            let mut bucket = Bucket { level_raw: 0, updated_ts: 0 };
            let (mut now_ts, mut taken) = (0i64, 0u64);
            for (wait, amount) in asks {
                now_ts += wait;
                bucket = bucket.refilled(now_ts, burst, refill);
                prop_assert!(bucket.level_raw <= burst);
                if bucket.take(amount).is_ok() {
                    taken += amount;
                }
                prop_assert!(taken <= refill * u64::try_from(now_ts).unwrap());
            }
        }

        /// Refilling in steps gives what refilling at once gives.
        #[test]
        fn refilling_keeps_its_remainder(
            level in prop_oneof![0..1_000u64, any::<u64>()],
            burst in prop_oneof![0..100_000u64, any::<u64>()],
            refill in prop_oneof![0..50u64, any::<u64>()],
            steps in proptest::collection::vec(0i64..1_000, 0..8),
        ) {
            let start = Bucket { level_raw: level.min(burst), updated_ts: 0 };
            let total: i64 = steps.iter().sum();
            let mut stepwise = start;
            let mut now_ts = 0;
            for step in steps {
                now_ts += step;
                stepwise = stepwise.refilled(now_ts, burst, refill);
            }
            let at_once = start.refilled(total, burst, refill);
            prop_assert_eq!(stepwise.level_raw, at_once.level_raw);
            let exact = u128::from(start.level_raw) + u128::from(refill) * u128::try_from(total).unwrap();
            prop_assert_eq!(u128::from(at_once.level_raw), exact.min(u128::from(burst)));
        }

        /// A clock that goes backwards gives nothing, and nothing twice.
        #[test]
        fn a_backwards_clock_refills_nothing(level in 0u64..100, back in 0i64..1_000) {
            let bucket = Bucket { level_raw: level, updated_ts: 1_000 };
            let later = bucket.refilled(1_000 - back, 100, 7);
            prop_assert_eq!((later.level_raw, later.updated_ts), (level, 1_000));
        }
    }
}
