//! One tokenised share: its mint, entries, limits and totals.

use super::{ensure, scope, State, MAX_SKEW_SECS, VERSION};
use crate::{
    account::{same, Now},
    args::PolicyArg,
    error::{refusal, Error, Result},
    events::{emit, MultiplierInForce},
    math::saturating_add,
    schema::layout,
};
use pinocchio::Address;

/// Most custodians of one asset.
pub const MAX_ENTRIES: usize = 4;
/// Asset.state.
pub const ASSET_HALTED: u8 = 0;
pub const ASSET_ACTIVE: u8 = 1;
pub const ASSET_RETIRED: u8 = 2;
pub const ASSET_RELEASED: u8 = 3;
/// Entry.state.
pub const ENTRY_EMPTY: u8 = 0;
pub const ENTRY_ATTACHED: u8 = 1;
pub const ENTRY_DETACHED: u8 = 2;
/// Asset.profile.
pub const PROFILE_XSTOCKS: u8 = 0;
pub const PROFILE_OPEN: u8 = 1;
pub const PROFILE_PERMISSIONED: u8 = 2;

/// Holds, as bits of Asset.holds: each stops minting until the resumer clears it.
pub mod hold {
    /// A statement rose by more than policy.max_rise_bps.
    pub const RISE: u8 = 1;
    /// Across a multiplier change capacity + seen left its tolerance (M9).
    pub const MULTIPLIER: u8 = 2;
    /// An entry without a predecessor shortly after a multiplier change (M9).
    pub const CA_WINDOW: u8 = 4;
    pub const ALL: u8 = 7;
}

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
    }

    C
    /// A token bucket: starts empty, refills per whole second.
    struct Bucket {
        /// What may be taken, as of updated_ts.
        level_raw: u64,
        /// When it was refilled last.
        updated_ts: i64,
    }

    C
    /// What the asset knows of one custodian's newest statement. Slots are never freed.
    struct Entry {
        /// The Custodian account.
        custodian: Address,
        /// Key epoch of the custodian that signed.
        epoch: u32,
        /// 0 Empty, 1 Attached, 2 Detached.
        state: u8,
        /// 1 after attach, detach or withdraw_entry until a newer quorum statement is taken.
        withdrawn: u8,
        _pad0: [u8; 2],
        /// Time of the observation in ms; strictly rises, over all epochs (M3).
        observed_ms: u64,
        /// The statement counts while now < expires_ts.
        expires_ts: i64,
        /// Millionths of a share that the custodian holds for this mint.
        shares_micro: u64,
        /// Supply that those shares back at multiplier_bits.
        capacity_raw: u64,
        /// Burnt for redemptions blamed on this custodian, ever.
        redeemed_total_raw: u64,
        /// What of it the custodian's statements have counted; the rest lowers the ceiling (M6).
        redeemed_seen_raw: u64,
        /// Multiplier the capacity was signed with.
        multiplier_bits: u64,
    }

    C
    /// One tokenised share. It is itself every authority of its mint. PDA ["asset", mint].
    struct Asset {
        /// Version of the layout: 1.
        version: u8,
        /// Bump of the PDA.
        bump: u8,
        /// Decimals of the mint: 8.
        decimals: u8,
        /// 0 xstocks, 1 open, 2 permissioned.
        profile: u8,
        /// 0 Halted, 1 Active, 2 Retired, 3 Released (readers: not enforced).
        state: u8,
        /// Pause scopes of this asset: mint 1, burn 2, distribute 4, redeem 8, transfers 16.
        paused: u8,
        /// Why minting is held: rise 1, multiplier 2, ca_window 4.
        holds: u8,
        /// Slots of entries in use, from the first on.
        entry_count: u8,
        /// The Token-2022 mint.
        mint: Address,
        /// The inventory: associated token account of this Asset.
        vault: Address,
        /// Associated token account of ["redeem", mint].
        redemption_vault: Address,
        /// The next number that mint, burn or distribute may execute (M4).
        sequence: u64,
        /// Intent hash that executed at sequence - 1.
        last_intent_hash: [u8; 16],
        /// f64 bits of the multiplier in force (from multiplier_effective_ts on, where that is not 0: of the one before).
        multiplier_bits: u64,
        /// f64 bits of the announced multiplier; 0 where none is announced.
        pending_multiplier_bits: u64,
        /// When the announced multiplier takes effect; 0 where none is announced. Nothing is minted while it is not 0.
        multiplier_effective_ts: i64,
        /// When the multiplier changed last, or an announced change was cancelled; 0 for never.
        multiplier_changed_ts: i64,
        /// Where the TLV header of ScaledUiAmount stands in the mint; verified at each use.
        scaled_ui_offset: u16,
        _pad0: [u8; 6],
        /// The limits.
        policy: Policy,
        /// The bucket for mint (M5).
        mint_bucket: Bucket,
        /// The bucket for distribute (M5).
        distribute_bucket: Bucket,
        /// What is left of the one-time allowance past the bucket; consumed first.
        initial_mint_raw: u64,
        /// Supply found at adoption.
        adopted_raw: u64,
        /// Minted by this program, ever.
        minted_raw: u64,
        /// Burnt by this program, ever.
        burnt_raw: u64,
        /// Sent out of the inventory, ever.
        distributed_raw: u64,
        /// One slot per custodian, from the first on.
        entries: [Entry; 4],
        reserved: [u8; 64],
    }
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

    /// Takes `amount_raw` out of the bucket.
    ///
    /// # Errors
    /// BucketEmpty.
    #[inline(always)]
    pub fn take(&mut self, amount_raw: u64) -> Result {
        self.level_raw = self.level_raw.checked_sub(amount_raw).ok_or_else(|| refusal(Error::BucketEmpty))?;
        Ok(())
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

    /// Makes the entry count zero, and everything observed up to `until_ms` unable to revive it.
    #[inline(always)]
    pub fn void(&mut self, until_ms: u64) {
        self.observed_ms = self.observed_ms.max(until_ms);
        self.shares_micro = 0;
        self.capacity_raw = 0;
        self.withdrawn = 1;
    }
}

impl Asset {
    /// The slots in use: those before the first empty one.
    #[inline(always)]
    pub fn active_entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().take_while(|entry| entry.state != ENTRY_EMPTY)
    }

    /// The slot of a custodian, attached or detached.
    #[inline(always)]
    pub fn slot_of(&self, custodian: &Address) -> Option<usize> {
        self.active_entries().position(|entry| same(&entry.custodian, custodian))
    }

    /// max(0, capacities of fresh entries - unseen redemptions of ALL entries); `epoch_of` gives the present epoch
    /// of a custodian, None where its account was not passed or it is retired.
    #[inline(always)]
    pub fn ceiling_raw<'c>(&self, now: Now, epoch_of: impl Fn(&Address) -> Option<u32> + 'c) -> u64 {
        let (mut capacity, mut unseen) = (0u64, 0u64);
        for entry in self.active_entries() {
            if entry.redeemed_total_raw != entry.redeemed_seen_raw {
                unseen = and_unseen(unseen, entry);
            }
            capacity = saturating_add(capacity, self.counted_raw(entry, now, &epoch_of));
        }
        if unseen == 0 {
            capacity
        } else {
            less_unseen(capacity, unseen)
        }
    }

    /// What an entry adds to the ceiling: its capacity while it is fresh.
    #[inline(never)] // by itself it keeps in registers what it compares
    fn counted_raw(&self, entry: &Entry, now: Now, epoch_of: &impl Fn(&Address) -> Option<u32>) -> u64 {
        match epoch_of(&entry.custodian) {
            Some(epoch) if entry.is_fresh(now, epoch, self.policy.max_age_secs, self.multiplier_bits) => {
                entry.capacity_raw
            }
            _ => 0,
        }
    }

    /// Whether a change of the multiplier is announced, or in force without a statement that has it.
    #[inline(always)]
    pub const fn change_announced(&self) -> bool {
        self.multiplier_effective_ts != 0
    }

    /// f64 bits of the multiplier in force.
    #[inline(always)]
    pub const fn multiplier_in_force(&self, now: Now) -> &u64 {
        if self.change_announced() && now.ts >= self.multiplier_effective_ts {
            &self.pending_multiplier_bits
        } else {
            &self.multiplier_bits
        }
    }

    /// An announced multiplier whose time has come becomes the one in force.
    #[cold]
    #[inline(never)]
    pub fn bring_into_force(&mut self, now: Now) {
        if !self.change_announced() || now.ts < self.multiplier_effective_ts {
            return;
        }
        self.multiplier_bits = self.pending_multiplier_bits;
        self.multiplier_changed_ts = self.multiplier_effective_ts;
        self.pending_multiplier_bits = 0;
        self.multiplier_effective_ts = 0;
        emit(MultiplierInForce {
            mint: self.mint,
            multiplier_bits: self.multiplier_bits,
            effective_ts: self.multiplier_changed_ts,
        });
    }

    /// Whether a change of the multiplier is announced, or one took effect or was cancelled within the policy's window:
    /// books may hold its shares and not its multiplier, or the other way round (M9).
    #[inline(always)]
    pub const fn around_change(&self, now: Now) -> bool {
        // changed_ts is at most the clock (2^40) when it was set, the window is below 2^32.
        let window_ends_ts = self.multiplier_changed_ts.wrapping_add(self.policy.ca_window_secs as i64);
        self.change_announced() || (self.multiplier_changed_ts != 0 && now.ts < window_ends_ts)
    }

    /// The asset still is the authority of its mint.
    ///
    /// # Errors
    /// AssetReleased.
    #[inline(always)]
    pub const fn require_held(&self) -> Result {
        if self.state == ASSET_RELEASED {
            return Err(Error::AssetReleased);
        }
        Ok(())
    }

    /// Whether a token account is one of the asset's two vaults.
    #[inline(always)]
    pub fn is_vault(&self, account: &Address) -> bool {
        same(account, &self.vault) || same(account, &self.redemption_vault)
    }

    /// Replaces the limits; the buckets are first brought to now under the old ones.
    pub fn set_policy(&mut self, new: Policy, now: Now) {
        let old = self.policy;
        self.mint_bucket = self.mint_bucket.refilled(now.ts, old.mint_burst_raw, old.mint_refill_raw_per_sec).refilled(
            now.ts,
            new.mint_burst_raw,
            0,
        );
        self.distribute_bucket = self
            .distribute_bucket
            .refilled(now.ts, old.distribute_burst_raw, old.distribute_refill_raw_per_sec)
            .refilled(now.ts, new.distribute_burst_raw, 0);
        self.policy = new;
    }
}

// Most entries have nothing unseen; what these two do would be done before that is known, if they stood in line.
#[cold]
#[inline(never)]
fn and_unseen(others_raw: u64, entry: &Entry) -> u64 {
    saturating_add(others_raw, entry.unseen_raw())
}

#[cold]
#[inline(never)]
fn less_unseen(capacity_raw: u64, unseen_raw: u64) -> u64 {
    capacity_raw.saturating_sub(unseen_raw)
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
        Ok(())
    }

    /// Whether each value is the same as in `old` or stricter.
    pub const fn tightens(&self, old: &Self) -> bool {
        self.supply_limit_raw <= old.supply_limit_raw
            && self.mint_burst_raw <= old.mint_burst_raw
            && self.mint_refill_raw_per_sec <= old.mint_refill_raw_per_sec
            && self.distribute_burst_raw <= old.distribute_burst_raw
            && self.distribute_refill_raw_per_sec <= old.distribute_refill_raw_per_sec
            && self.max_age_secs <= old.max_age_secs
            && self.max_rise_bps <= old.max_rise_bps
            && self.max_multiplier_bps <= old.max_multiplier_bps
            && self.ca_tolerance_bps <= old.ca_tolerance_bps
            && self.ca_window_secs >= old.ca_window_secs
            && self.min_notice_secs >= old.min_notice_secs
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
            max_age_secs: arg.max_age_secs,
            max_rise_bps: arg.max_rise_bps,
            max_multiplier_bps: arg.max_multiplier_bps,
            ca_tolerance_bps: arg.ca_tolerance_bps,
            ca_window_secs: arg.ca_window_secs,
            min_notice_secs: arg.min_notice_secs,
        }
    }
}

impl State for Asset {
    const DISCRIMINATOR: [u8; 8] = Self::DISC;

    #[inline(always)]
    fn invariant(&self) -> Result {
        ensure(self.version == VERSION)?;
        // Known state, pause and hold bits only.
        ensure(self.state <= ASSET_RELEASED && self.paused & !scope::ALL == 0 && self.holds & !hold::ALL == 0)?;
        // No bucket is fuller than its size (M5).
        ensure(self.mint_bucket.level_raw <= self.policy.mint_burst_raw)?;
        ensure(self.distribute_bucket.level_raw <= self.policy.distribute_burst_raw)?;
        // A multiplier is announced with its time, or neither.
        let none_announced = self.pending_multiplier_bits == 0 && self.multiplier_effective_ts == 0;
        ensure(none_announced || (self.pending_multiplier_bits != 0 && self.multiplier_effective_ts != 0))?;
        // What was burnt existed.
        ensure(
            self.burnt_raw <= self.minted_raw || self.burnt_raw <= saturating_add(self.adopted_raw, self.minted_raw),
        )?;
        // The slots in use are the first entry_count ones; none has counted more than was redeemed (M6).
        let (mut used, mut redeemed) = (0u8, 0u64);
        for entry in self.active_entries() {
            ensure(entry.redeemed_seen_raw <= entry.redeemed_total_raw)?;
            redeemed = saturating_add(redeemed, entry.redeemed_total_raw);
            used = used.wrapping_add(1); // at most 4
        }
        // What was redeemed is a part of what was burnt: the rest are burns by intents (M12).
        ensure(used == self.entry_count && redeemed <= self.burnt_raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Now = Now { ts: 1_000_000 };
    const MULTIPLIER: u64 = 1.5f64.to_bits();

    fn fresh_entry(custodian: u8, capacity_raw: u64) -> Entry {
        Entry {
            custodian: Address::new_from_array([custodian; 32]),
            epoch: 1,
            state: ENTRY_ATTACHED,
            withdrawn: 0,
            _pad0: [0; 2],
            observed_ms: NOW.ms(),
            expires_ts: NOW.ts + 1,
            shares_micro: 0,
            capacity_raw,
            redeemed_total_raw: 0,
            redeemed_seen_raw: 0,
            multiplier_bits: MULTIPLIER,
        }
    }

    fn asset(entries: &[Entry]) -> Asset {
        // SAFETY: a Layout type takes every bit pattern, zeros included.
        let mut asset: Asset = unsafe { core::mem::zeroed() };
        asset.version = VERSION;
        asset.state = ASSET_ACTIVE;
        asset.multiplier_bits = MULTIPLIER;
        asset.policy.max_age_secs = 60;
        asset.entry_count = u8::try_from(entries.len()).unwrap();
        asset.entries[..entries.len()].copy_from_slice(entries);
        asset
    }

    fn ceiling(asset: &Asset) -> u64 {
        asset.ceiling_raw(NOW, |_| Some(1))
    }

    #[test]
    fn an_entry_counts_only_while_everything_about_it_is_fresh() {
        let good = fresh_entry(1, 100);
        assert_eq!(ceiling(&asset(&[good])), 100);
        type Change = (&'static str, fn(&mut Entry));
        let stale: [Change; 8] = [
            ("detached", |e| e.state = ENTRY_DETACHED),
            ("withdrawn", |e| e.withdrawn = 1),
            ("other epoch", |e| e.epoch = 2),
            ("expired now", |e| e.expires_ts = NOW.ts),
            ("a millisecond too old", |e| e.observed_ms = NOW.ms() - 60_001),
            ("other multiplier", |e| e.multiplier_bits += 1),
            ("older epoch", |e| e.epoch = 0),
            ("never observed", |e| e.observed_ms = 0),
        ];
        for (name, change) in stale {
            let mut entry = good;
            change(&mut entry);
            assert_eq!(ceiling(&asset(&[entry])), 0, "{name}");
        }
        let fresh: [Change; 3] = [
            ("just old enough", |e| e.observed_ms = NOW.ms() - 60_000),
            ("ahead of the clock", |e| e.observed_ms = NOW.ms() + 60_000),
            ("last second", |e| e.expires_ts = NOW.ts + 1),
        ];
        for (name, change) in fresh {
            let mut entry = good;
            change(&mut entry);
            assert_eq!(ceiling(&asset(&[entry])), 100, "{name}");
        }
    }

    #[test]
    fn a_custodian_that_is_not_passed_counts_zero_but_its_unseen_redemptions_count() {
        let (mut silent, other) = (fresh_entry(1, 1_000), fresh_entry(2, 100));
        silent.redeemed_total_raw = 30;
        silent.redeemed_seen_raw = 10;
        let passed = |custodian: &Address| (custodian.as_array() == &[2; 32]).then_some(1);
        assert_eq!(asset(&[silent, other]).ceiling_raw(NOW, passed), 80);
        silent.state = ENTRY_DETACHED;
        assert_eq!(asset(&[silent, other]).ceiling_raw(NOW, passed), 80);
        silent.redeemed_total_raw = 1_000;
        assert_eq!(asset(&[silent, other]).ceiling_raw(NOW, passed), 0);
    }

    #[test]
    fn the_invariant_names_what_may_not_be() {
        assert_eq!(asset(&[fresh_entry(1, 1)]).invariant(), Ok(()));
        let broken: [fn(&mut Asset); 11] = [
            |a| a.state = 4,
            |a| a.paused = 32,
            |a| a.holds = 8,
            |a| a.entry_count = 2,
            |a| a.mint_bucket.level_raw = 1,
            |a| a.distribute_bucket.level_raw = 1,
            |a| a.burnt_raw = 1,
            |a| a.entries[0].redeemed_seen_raw = 1,
            |a| a.pending_multiplier_bits = 1,
            |a| a.multiplier_effective_ts = 1,
            |a| a.entries[0].redeemed_total_raw = 1,
        ];
        for (i, change) in broken.into_iter().enumerate() {
            let mut asset = asset(&[fresh_entry(1, 1)]);
            change(&mut asset);
            assert_eq!(asset.invariant(), Err(Error::InvariantViolated), "case {i}");
        }
    }

    #[test]
    fn an_announced_multiplier_is_in_force_from_its_time_on() {
        let new = 3f64.to_bits();
        let mut asset = asset(&[]);
        let at = |ts| Now { ts };
        assert!(!asset.change_announced() && !asset.around_change(NOW));
        (asset.pending_multiplier_bits, asset.multiplier_effective_ts) = (new, NOW.ts + 10);
        asset.policy.ca_window_secs = 100;
        assert!(asset.change_announced() && asset.around_change(NOW));
        assert_eq!(*asset.multiplier_in_force(at(NOW.ts + 9)), MULTIPLIER);
        assert_eq!(*asset.multiplier_in_force(at(NOW.ts + 10)), new);
        asset.bring_into_force(at(NOW.ts + 9));
        assert_eq!(asset.multiplier_bits, MULTIPLIER);
        asset.bring_into_force(at(NOW.ts + 50));
        assert_eq!((asset.multiplier_bits, asset.pending_multiplier_bits), (new, 0));
        assert_eq!((asset.multiplier_changed_ts, asset.multiplier_effective_ts), (NOW.ts + 10, 0));
        assert!(asset.around_change(at(NOW.ts + 109)) && !asset.around_change(at(NOW.ts + 110)));
        assert_eq!(asset.invariant(), Ok(()));
    }

    #[test]
    fn a_policy_tightens_only_if_no_value_loosens() {
        let old = Policy {
            supply_limit_raw: 10,
            mint_burst_raw: 10,
            mint_refill_raw_per_sec: 10,
            distribute_burst_raw: 10,
            distribute_refill_raw_per_sec: 10,
            max_age_secs: 10,
            max_rise_bps: 10,
            max_multiplier_bps: 10,
            ca_tolerance_bps: 10,
            ca_window_secs: 3_611,
            min_notice_secs: 10,
        };
        assert!(old.tightens(&old));
        let loosen: [fn(&mut Policy); 11] = [
            |p| p.supply_limit_raw += 1,
            |p| p.mint_burst_raw += 1,
            |p| p.mint_refill_raw_per_sec += 1,
            |p| p.distribute_burst_raw += 1,
            |p| p.distribute_refill_raw_per_sec += 1,
            |p| p.max_age_secs += 1,
            |p| p.max_rise_bps += 1,
            |p| p.max_multiplier_bps += 1,
            |p| p.ca_tolerance_bps += 1,
            |p| p.ca_window_secs -= 1,
            |p| p.min_notice_secs -= 1,
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
        assert_eq!(old.check(), Ok(()));
    }

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

        /// The ceiling is max(0, sum of fresh capacities - sum of unseen), in saturating arithmetic.
        #[test]
        fn the_ceiling_is_its_formula(values in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>()), 0..=4)) {
            let mut entries = Vec::new();
            let (mut capacity, mut unseen) = (0u128, 0u128);
            for (i, (cap, total, seen, fresh)) in values.into_iter().enumerate() {
                let mut entry = fresh_entry(u8::try_from(i + 1).unwrap(), cap);
                entry.redeemed_total_raw = total;
                entry.redeemed_seen_raw = seen.min(total);
                if fresh { capacity += u128::from(cap) } else { entry.expires_ts = 0 }
                unseen += u128::from(total - seen.min(total));
                entries.push(entry);
            }
            let clamp = |value: u128| value.min(u128::from(u64::MAX));
            prop_assert_eq!(u128::from(ceiling(&asset(&entries))), clamp(capacity).saturating_sub(clamp(unseen)));
        }
    }
}
