//! One tokenised share: its mint, entries, limits and totals.

use crate::{
    address::address_eq,
    error::{Error, Result},
    events::{emit, MultiplierInForce},
    hash::discriminator,
    math::saturating_add,
    schema::layout,
    state::{
        bucket::Bucket,
        config::scope,
        definition::{ensure, is_known, Rule, State},
        entry::{Entry, ENTRY_EMPTY},
        hold,
        policy::Policy,
    },
    sysvar::Now,
};
use pinocchio::Address;

/// Most custodians of one asset.
pub const MAX_ENTRIES: usize = 4;
/// Asset.state.
pub const ASSET_HALTED: u8 = 0;
pub const ASSET_ACTIVE: u8 = 1;
pub const ASSET_RETIRED: u8 = 2;
pub const ASSET_RELEASED: u8 = 3;
/// Asset.profile.
pub const PROFILE_XSTOCKS: u8 = 0;
pub const PROFILE_OPEN: u8 = 1;
pub const PROFILE_PERMISSIONED: u8 = 2;

layout! {
    C
    /// One tokenised share. It is itself every authority of its mint. PDA ["asset", mint].
    struct Asset {
        /// Version of the layout: 1.
        version: u8,
        /// Bump of the PDA.
        bump: u8,
        /// Decimals of the mint: 0 to 9.
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
        /// When the last change of the multiplier took effect; 0 for never. Nothing observed before it counts.
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
        /// How many times minting was held, counted also while it was held already; clear_hold names it (M9).
        hold_number: u64,
        /// Redemptions that have not ended.
        open_redemptions: u64,
        /// The bucket for burn and settle_redemption together (M5).
        burn_bucket: Bucket,
        /// The bucket for freezes (M7), full at first: 86,400 of it are one freeze.
        freeze_bucket: Bucket,
        /// When an announced change was cancelled last; 0 for never.
        change_cancelled_ts: i64,
        reserved: [u8; 24],
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
        self.active_entries().position(|entry| address_eq(&entry.custodian, custodian))
    }

    /// A slot in use that another custodian may take; `retired` is a custodian that is known to be it.
    pub fn free_slot(&self, retired: Option<&Address>) -> Option<usize> {
        self.active_entries()
            .position(|entry| entry.is_free(retired.is_some_and(|custodian| address_eq(&entry.custodian, custodian))))
    }

    /// max(0, capacities of fresh entries - unseen redemptions of ALL entries); `epoch_of` gives the present epoch
    /// of a custodian, None where its account was not passed or it is retired.
    #[inline(always)]
    pub fn ceiling_raw<'c>(&self, now: Now, epoch_of: impl Fn(&Address) -> Option<u32> + Copy + 'c) -> u64 {
        let (mut capacity, mut unseen) = (0u64, 0u64);
        for entry in self.active_entries() {
            if entry.redeemed_total_raw != entry.redeemed_seen_raw {
                unseen = and_unseen(unseen, entry);
            }
            capacity = saturating_add(capacity, self.counted_raw(entry, now, epoch_of));
        }
        if unseen == 0 {
            capacity
        } else {
            less_unseen(capacity, unseen)
        }
    }

    /// What an entry adds to the ceiling: its capacity while it is fresh.
    #[inline(never)] // by itself it keeps in registers what it compares
    fn counted_raw(&self, entry: &Entry, now: Now, epoch_of: impl Fn(&Address) -> Option<u32>) -> u64 {
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
    pub fn activate_pending_multiplier(&mut self, now: Now) {
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

    /// Whether a change of the multiplier is announced, or was cancelled within the policy's window, or took effect
    /// within it and is not `confirmed`: books may hold its shares and not its multiplier, or the other way round (M9).
    #[inline(always)]
    pub const fn around_change(&self, now: Now, confirmed: bool) -> bool {
        self.change_announced()
            || self.in_window(self.change_cancelled_ts, now)
            || (!confirmed && self.in_window(self.multiplier_changed_ts, now))
    }

    const fn in_window(&self, since_ts: i64, now: Now) -> bool {
        // since_ts is at most the clock (2^40) when it was set, the window is below 2^32.
        since_ts != 0 && now.ts < since_ts.wrapping_add(self.policy.ca_window_secs as i64)
    }

    /// Before a change is announced: an entry that states another multiplier than the one in force never counts again,
    /// also where a later change brings that multiplier back.
    #[inline(always)]
    pub fn forget_older_multipliers(&mut self) {
        for entry in &mut self.entries {
            if entry.multiplier_bits != self.multiplier_bits {
                entry.multiplier_bits = 0;
            }
        }
    }

    /// The asset still is the authority of its mint.
    ///
    /// # Errors
    /// AssetReleased.
    #[inline(always)]
    pub const fn require_not_released(&self) -> Result {
        if self.state == ASSET_RELEASED {
            return Err(Error::AssetReleased);
        }
        Ok(())
    }

    /// A redemption of it was requested.
    ///
    /// # Errors
    /// Overflow.
    #[inline(always)]
    pub fn redemption_opened(&mut self) -> Result {
        self.open_redemptions = self.open_redemptions.checked_add(1).ok_or(Error::Overflow)?;
        Ok(())
    }

    /// A redemption of it ended.
    ///
    /// # Errors
    /// Overflow where none was open.
    #[inline(always)]
    pub fn redemption_ended(&mut self) -> Result {
        self.open_redemptions = self.open_redemptions.checked_sub(1).ok_or(Error::Overflow)?;
        Ok(())
    }

    /// Whether a token account is one of the asset's two vaults.
    #[inline(always)]
    pub fn is_vault(&self, account: &Address) -> bool {
        address_eq(account, &self.vault) || address_eq(account, &self.redemption_vault)
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

impl State for Asset {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Asset");

    #[inline(always)]
    fn invariant(&self) -> Result {
        ensure(is_known(self.version), Rule::AssetVersion)?;
        ensure(
            self.state <= ASSET_RELEASED && self.paused & !scope::ALL == 0 && self.holds & !hold::ALL == 0,
            Rule::AssetKnown,
        )?;
        // Nobody settles or rejects what a released asset left open. (Active ones stop at the first comparison.)
        ensure(self.state < ASSET_RELEASED || self.open_redemptions == 0, Rule::AssetReleasedOpen)?;
        ensure(self.mint_bucket.level_raw <= self.policy.mint_burst_raw, Rule::AssetMintBucket)?;
        ensure(self.distribute_bucket.level_raw <= self.policy.distribute_burst_raw, Rule::AssetDistributeBucket)?;
        ensure(self.burn_bucket.level_raw <= self.policy.burn_burst_raw, Rule::AssetBurnBucket)?;
        let none_announced = self.pending_multiplier_bits == 0 && self.multiplier_effective_ts == 0;
        ensure(
            none_announced || (self.pending_multiplier_bits != 0 && self.multiplier_effective_ts != 0),
            Rule::AssetAnnouncement,
        )?;
        // The first comparison decides for nearly all, and spares them the sum.
        ensure(
            self.burnt_raw <= self.minted_raw || self.burnt_raw <= saturating_add(self.adopted_raw, self.minted_raw),
            Rule::AssetBurnt,
        )?;
        let (mut used, mut redeemed_raw) = (0u8, 0u64);
        for entry in self.active_entries() {
            ensure(entry.redeemed_seen_raw <= entry.redeemed_total_raw, Rule::AssetSeen)?;
            redeemed_raw = saturating_add(redeemed_raw, entry.redeemed_total_raw);
            used = used.wrapping_add(1); // at most 4
        }
        // Of what was burnt the rest are burns by intents (M12).
        ensure(used == self.entry_count && redeemed_raw <= self.burnt_raw, Rule::AssetEntries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{definition::VERSION, entry::ENTRY_DETACHED};
    use proptest::prelude::*;

    const NOW: Now = Now { ts: 1_000_000 };
    const MULTIPLIER: u64 = 1.5f64.to_bits();

    fn fresh_entry(custodian: u8, capacity_raw: u64) -> Entry {
        Entry {
            epoch: 1,
            withdrawn: 0,
            observed_ms: NOW.ms(),
            expires_ts: NOW.ts + 1,
            capacity_raw,
            multiplier_bits: MULTIPLIER,
            ..Entry::new(Address::new_from_array([custodian; 32]))
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
        let broken: [fn(&mut Asset); 12] = [
            |a| a.state = 4,
            |a| (a.state, a.open_redemptions) = (ASSET_RELEASED, 1),
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
        assert!(!asset.change_announced() && !asset.around_change(NOW, false));
        (asset.pending_multiplier_bits, asset.multiplier_effective_ts) = (new, NOW.ts + 10);
        asset.policy.ca_window_secs = 100;
        assert!(asset.change_announced() && asset.around_change(NOW, false));
        assert_eq!(*asset.multiplier_in_force(at(NOW.ts + 9)), MULTIPLIER);
        assert_eq!(*asset.multiplier_in_force(at(NOW.ts + 10)), new);
        asset.activate_pending_multiplier(at(NOW.ts + 9));
        assert_eq!(asset.multiplier_bits, MULTIPLIER);
        asset.activate_pending_multiplier(at(NOW.ts + 50));
        assert_eq!((asset.multiplier_bits, asset.pending_multiplier_bits), (new, 0));
        assert_eq!((asset.multiplier_changed_ts, asset.multiplier_effective_ts), (NOW.ts + 10, 0));
        assert!(asset.around_change(at(NOW.ts + 109), false) && !asset.around_change(at(NOW.ts + 110), false));
        assert!(!asset.around_change(at(NOW.ts + 109), true));
        assert_eq!(asset.invariant(), Ok(()));
    }

    proptest! {
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
