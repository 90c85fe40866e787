//! One tokenised share: its mint, entries, limits and totals.

use super::{ensure, State, VERSION};
use crate::{error::Result, schema::layout};
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
        /// So long after a multiplier change a first entry sets hold 4 (M9).
        ca_window_secs: u32,
        _pad0: u32,
    }

    C
    /// A token bucket: starts empty, refills per whole second.
    struct Bucket {
        level_raw: u64,
        updated_ts: i64,
    }

    C
    /// What the asset knows of one custodian's newest statement. Slots are never freed.
    struct Entry {
        custodian: Address,
        /// Key epoch of the custodian that signed.
        epoch: u32,
        /// 0 Empty, 1 Attached, 2 Detached.
        state: u8,
        /// 1 after attach or withdraw_entry until a newer quorum statement is taken.
        withdrawn: u8,
        _pad0: [u8; 2],
        /// Time of the observation in ms; strictly rises, over all epochs (M3).
        observed_ms: u64,
        /// The statement counts while now < expires_ts.
        expires_ts: i64,
        shares_micro: u64,
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
        version: u8,
        bump: u8,
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
        mint: Address,
        /// The inventory: associated token account of this Asset.
        vault: Address,
        /// Associated token account of ["redeem", mint].
        redemption_vault: Address,
        /// The next number that mint, burn or distribute may execute (M4).
        sequence: u64,
        /// Intent hash that executed at sequence - 1.
        last_intent_hash: [u8; 16],
        /// f64 bits of the multiplier in force (once multiplier_effective_ts has passed: of the one before).
        multiplier_bits: u64,
        /// f64 bits of the announced multiplier.
        pending_multiplier_bits: u64,
        /// When the announced multiplier takes effect; 0 where none is pending.
        multiplier_effective_ts: i64,
        /// When the multiplier changed last; 0 for never.
        multiplier_changed_ts: i64,
        /// Where the TLV header of ScaledUiAmount stands in the mint; verified at each use.
        scaled_ui_offset: u16,
        _pad0: [u8; 6],
        policy: Policy,
        mint_bucket: Bucket,
        distribute_bucket: Bucket,
        /// What is left of the one-time allowance past the bucket; consumed first.
        initial_mint_raw: u64,
        /// Supply found at adoption.
        adopted_raw: u64,
        minted_raw: u64,
        burnt_raw: u64,
        distributed_raw: u64,
        entries: [Entry; 4],
        reserved: [u8; 64],
    }
}

impl State for Asset {
    const DISCRIMINATOR: [u8; 8] = Self::DISC;

    #[inline(always)]
    fn version(&self) -> u8 {
        self.version
    }

    #[inline(always)]
    fn invariant(&self) -> Result {
        ensure(self.version == VERSION)
    }
}
