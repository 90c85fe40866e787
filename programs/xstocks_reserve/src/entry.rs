//! One custodian's entry of an asset.

use crate::{
    account::Address,
    bytes::{at, byte, i64_at, u32_at, u64_at},
    layout::entry as layout,
};

pub const MILLIS_PER_SEC: u64 = 1_000;

/// The chain's clock.
#[derive(Clone, Copy)]
pub struct Now {
    pub ts: i64,
    pub ms: u64,
}

/// One custodian's newest statement.
pub struct Entry<'a>(pub &'a [u8; layout::LEN]);

impl<'a> Entry<'a> {
    #[inline(always)]
    pub fn custodian(&self) -> &'a Address {
        at::<{ layout::CUSTODIAN }, 32, _>(self.0)
    }

    #[inline(always)]
    pub fn state(&self) -> u8 {
        byte::<{ layout::STATE }, _>(self.0)
    }

    #[inline(always)]
    pub fn epoch(&self) -> u32 {
        u32_at::<{ layout::EPOCH }, _>(self.0)
    }

    #[inline(always)]
    pub fn observed_ms(&self) -> u64 {
        u64_at::<{ layout::OBSERVED_MS }, _>(self.0)
    }

    #[inline(always)]
    pub fn shares_nano(&self) -> u64 {
        u64_at::<{ layout::SHARES_NANO }, _>(self.0)
    }

    #[inline(always)]
    pub fn capacity_raw(&self) -> u64 {
        u64_at::<{ layout::CAPACITY_RAW }, _>(self.0)
    }

    #[inline(always)]
    pub fn multiplier_bits(&self) -> u64 {
        u64_at::<{ layout::MULTIPLIER_BITS }, _>(self.0)
    }

    #[inline(always)]
    pub fn unseen_raw(&self) -> u64 {
        u64_at::<{ layout::REDEEMED_TOTAL_RAW }, _>(self.0)
            .saturating_sub(u64_at::<{ layout::REDEEMED_SEEN_RAW }, _>(self.0))
    }

    /// Attached, not withdrawn, not expired, not too old.
    #[inline(always)]
    pub fn is_young(&self, now: Now, max_age_secs: u32) -> bool {
        let max_age_ms = u64::from(max_age_secs).wrapping_mul(MILLIS_PER_SEC); // below 2^42
        self.state() == layout::ATTACHED
            && byte::<{ layout::WITHDRAWN }, _>(self.0) == 0
            && now.ts < i64_at::<{ layout::EXPIRES_TS }, _>(self.0)
            && now.ms <= self.observed_ms().saturating_add(max_age_ms)
    }
}
