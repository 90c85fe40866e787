//! Events: `Program data:` lines of base64(discriminator, Borsh), as Anchor writes them.

use core::mem::MaybeUninit;

use crate::{
    args::{AttesterKeyArg, PolicyArg},
    schema::{layout, Field, Layout, Schema, Struct, Ty},
};
use pinocchio::Address;

/// An event with Anchor's eight-byte discriminator.
pub trait Event: Layout {
    const DISCRIMINATOR: [u8; 8];
}

/// Why a statement's entry was passed over (AttestationSkipped.reason).
pub mod skip {
    /// Not newer than what the asset holds.
    pub const NOT_NEWER: u8 = 0;
    /// The custodian is not attached to the asset, or was detached.
    pub const DETACHED: u8 = 1;
    /// Observed before the last change of the multiplier took effect.
    pub const BEFORE_CHANGE: u8 = 2;
}

macro_rules! events {
    ($($(#[doc = $doc:literal])* $name:ident { $($body:tt)* })*) => {
        $(layout! { packed $(#[doc = $doc])* struct $name { $($body)* } }
        impl Event for $name {
            const DISCRIMINATOR: [u8; 8] = crate::hash::discriminator("event", stringify!($name));
        })*
        /// Every single event with its discriminator, for the IDL.
        pub const EVENTS: &[([u8; 8], Struct)] = &[$((<$name as Event>::DISCRIMINATOR, $name::STRUCT)),*];
    };
}

events! {
    /// The configuration was made.
    Initialized { admin: Address, genesis_hash: [u8; 32], max_skew_secs: u32, min_timelock_secs: u64 }
    /// The timelock is enforced from now on.
    Sealed { timelock_secs: u64 }
    /// A timelocked instruction may be executed from ready_ts on, for 14 days.
    Proposed { proposal: Address, hash: [u8; 32], instruction: [u8; 8], ready_ts: i64 }
    /// A proposal was cancelled.
    ProposalCancelled { proposal: Address, hash: [u8; 32], by: Address }
    /// A proposal was executed.
    ProposalExecuted { proposal: Address, hash: [u8; 32] }
    /// The key that a proposed set_role names accepted the role; it has it once the proposal is executed.
    RoleAccepted { proposal: Address, role: u8, key: Address }
    /// A role has another key; zeros: nobody.
    RoleChanged { role: u8, key: Address }
    /// A custodian was registered.
    CustodianRegistered { custodian: Address, id: u16, threshold: u8, key_count: u8, name: [u8; 32] }
    /// The keys of a custodian changed; entries of older epochs count no more. The first key_count of keys are set, the
    /// first old_key_count of old_keys were.
    CustodianKeysChanged { custodian: Address, epoch: u32, threshold: u8, key_count: u8, old_threshold: u8, old_key_count: u8, keys: [AttesterKeyArg; 8], old_keys: [AttesterKeyArg; 8] }
    /// A custodian was attached to an asset.
    CustodianAttached { mint: Address, custodian: Address, slot: u8 }
    /// A custodian was detached; its unseen redemptions keep counting.
    CustodianDetached { mint: Address, custodian: Address, slot: u8 }
    /// A custodian was retired, for ever.
    CustodianRetired { custodian: Address }
    /// A mint was registered; from now on only this program mints it.
    AssetRegistered { mint: Address, asset: Address, profile: u8, decimals: u8, multiplier_bits: u64, initial_mint_raw: u64 }
    /// The adoption of a live mint began: its holders may hand over to the asset's address.
    AdoptionBegun { mint: Address, asset: Address, profile: u8 }
    /// A live mint was adopted with the supply it has; it is halted until a statement of it is taken.
    AssetAdopted { mint: Address, asset: Address, profile: u8, decimals: u8, multiplier_bits: u64, adopted_raw: u64 }
    /// An adoption was given up; who had handed over holds its authorities again.
    AdoptionAborted { mint: Address }
    /// The first statement of an adopted asset was taken: it is active now.
    AssetActivated { mint: Address, custodian: Address }
    /// The limits of an asset changed.
    PolicyChanged { mint: Address, loosened: u8, old: PolicyArg, new: PolicyArg }
    /// A participant was set.
    ParticipantChanged { wallet: Address, state: u8, expires_ts: i64, country: [u8; 2] }
    /// A statement's entry was passed over. reason: 0 not newer, 1 detached, 2 before the last change.
    AttestationSkipped { mint: Address, custodian: Address, reason: u8 }
    /// An attester withdrew an entry: it counts zero until a newer statement.
    EntryWithdrawn { mint: Address, custodian: Address, attester: Address, observed_ms: u64 }
    /// The admin role is offered to a key, which may accept from ready_ts on and before expires_ts.
    AdminOffered { pending_admin: Address, ready_ts: i64, expires_ts: i64 }
    /// The offer was taken back.
    AdminOfferCancelled { by: Address }
    /// The offered key accepted. Proposals of an earlier admin_epoch are dead.
    AdminChanged { admin: Address, admin_epoch: u64 }
    /// The timelock and the allowed skew changed.
    TimingChanged { timelock_secs: u64, max_skew_secs: u32 }
    /// The asset is retired: nothing is minted or distributed any more.
    AssetRetired { mint: Address }
    /// Every authority of the mint went to another account; nothing is enforced any more. burnt_raw was left in the vaults.
    AuthorityReleased { mint: Address, new_authority: Address, burnt_raw: u64 }
    /// Fields of the mint's metadata were written.
    MetadataChanged { mint: Address, fields: u32 }
    /// A token account was frozen.
    Frozen { mint: Address, account: Address, owner: Address }
    /// A token account was thawed.
    Thawed { mint: Address, account: Address, owner: Address }
    /// The source is frozen; the amount may be moved to the destination from ready_ts on.
    RecoveryAnnounced { mint: Address, recovery: Address, source: Address, destination: Address, amount_raw: u64, ready_ts: i64 }
    /// The amount was moved; the source is frozen still.
    RecoveryExecuted { mint: Address, recovery: Address, source: Address, destination: Address, amount_raw: u64 }
    /// The guardian stopped a recovery; the source is frozen still.
    RecoveryCancelled { mint: Address, recovery: Address, source: Address }
    /// Tokens left the vault for a participant.
    Distributed { mint: Address, sequence: u64, amount_raw: u64, order_id: [u8; 16], destination: Address, intent_hash: [u8; 16] }
    /// Scopes were paused; mint of zeros: globally. paused are all bits after it.
    Paused { mint: Address, scopes: u8, paused: u8 }
    /// Scopes were resumed; mint of zeros: globally. paused are all bits after it.
    Resumed { mint: Address, scopes: u8, paused: u8 }
    /// Minting of an asset is held. holds are all bits after it; hold_number is what clear_hold names.
    HoldSet { mint: Address, custodian: Address, hold: u8, holds: u8, hold_number: u64 }
    /// Another multiplier was announced; minting is held until a statement with it arrives. f64 bits.
    MultiplierScheduled { mint: Address, current_bits: u64, new_bits: u64, effective_ts: i64 }
    /// An announced multiplier was taken back.
    MultiplierCancelled { mint: Address, cancelled_bits: u64, by: Address }
    /// The first instruction after its time found an announced multiplier in force.
    MultiplierInForce { mint: Address, multiplier_bits: u64, effective_ts: i64 }
    /// The resumer cleared holds, having looked at the one of this number. holds are all bits after it.
    HoldCleared { mint: Address, cleared: u8, holds: u8, hold_number: u64 }
    /// A participant asked for the shares of these tokens, which wait in the redemption vault.
    RedemptionRequested { mint: Address, redemption: Address, id: [u8; 16], wallet: Address, source: Address, amount_raw: u64 }
    /// A custodian will deliver the shares once it is settled; until locked_until_ts the wallet cannot take it back.
    RedemptionAccepted { mint: Address, redemption: Address, id: [u8; 16], wallet: Address, custodian: Address, attester: Address, amount_raw: u64, locked_until_ts: i64 }
    /// The tokens were burnt; the custodian owes the shares. The asset's supply and the entry's total after it.
    RedemptionSettled { mint: Address, redemption: Address, id: [u8; 16], wallet: Address, custodian: Address, amount_raw: u64, supply_raw: u64, redeemed_total_raw: u64 }
    /// The operator gave the tokens back.
    RedemptionRejected { mint: Address, redemption: Address, id: [u8; 16], wallet: Address, destination: Address, amount_raw: u64 }
    /// Compliance holds an open redemption: it is neither settled nor given back.
    RedemptionHeld { mint: Address, redemption: Address, id: [u8; 16], wallet: Address, amount_raw: u64 }
    /// The hold of a redemption was cleared.
    RedemptionHoldCleared { mint: Address, redemption: Address, id: [u8; 16], by: Address }
    /// The participant took the tokens back.
    RedemptionCancelled { mint: Address, redemption: Address, id: [u8; 16], wallet: Address, destination: Address, amount_raw: u64 }
}

/// The bytes of a packed value.
#[inline(always)]
fn bytes_of<T>(value: &T, length: usize) -> &[u8] {
    // SAFETY: only called below with packed values without padding and lengths within them that are initialized.
    unsafe { core::slice::from_raw_parts((&raw const *value).cast::<u8>(), length) }
}

/// Logs an event.
#[inline(always)]
pub fn emit<E: Event>(event: E) {
    #[repr(C, packed)]
    struct Framed<E>([u8; 8], E);
    crate::log::data(bytes_of(&Framed(E::DISCRIMINATOR, event), 8 + core::mem::size_of::<E>()));
}

/// An event with a list: what all entries share, and one item per entry.
pub trait ListEvent: Layout {
    const DISCRIMINATOR: [u8; 8];
    type Item: Layout;
}

/// The hot instructions log one event for all their entries: an event costs 200 compute units and one per byte.
#[repr(C, packed)]
pub struct EventList<E: ListEvent, const N: usize> {
    discriminator: [u8; 8],
    head: E,
    count: u32,
    items: [MaybeUninit<E::Item>; N],
}

impl<E: ListEvent, const N: usize> EventList<E, N> {
    #[inline(always)]
    pub const fn new(head: E) -> Self {
        Self { discriminator: E::DISCRIMINATOR, head, count: 0, items: [const { MaybeUninit::uninit() }; N] }
    }

    /// A place for one more item, which the caller fills before `emit`; None beyond N.
    #[inline(always)]
    pub fn place(&mut self) -> Option<&mut MaybeUninit<E::Item>> {
        const { assert!(core::mem::align_of::<E::Item>() == 1) };
        let count = self.count as usize;
        if count >= N {
            return None;
        }
        // Below N, as just checked.
        self.count = self.count.wrapping_add(1);
        // SAFETY: count < N; items have alignment 1, so a reference into the packed struct is aligned.
        Some(unsafe { &mut *(&raw mut self.items).cast::<MaybeUninit<E::Item>>().add(count) })
    }

    #[inline(always)]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline(always)]
    pub fn emit(&self) {
        let filled = (self.count as usize).wrapping_mul(core::mem::size_of::<E::Item>());
        crate::log::data(bytes_of(self, 8 + core::mem::size_of::<E>() + 4 + filled));
    }
}

macro_rules! list_events {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $fdoc:literal])* $field:ident : $ty:ty),* $(,)? }
       [ $(#[doc = $idoc:literal])* $item:ident { $($body:tt)* } ])*) => {
        $(layout! {
            packed $(#[doc = $doc])* struct $name { $($(#[doc = $fdoc])* $field: $ty),* }
            packed $(#[doc = $idoc])* struct $item { $($body)* }
        }
        impl ListEvent for $name {
            const DISCRIMINATOR: [u8; 8] = crate::hash::discriminator("event", stringify!($name));
            type Item = $item;
        })*
        /// Every event with a list, for the IDL.
        pub const LIST_EVENTS: &[([u8; 8], Struct)] = &[$((<$name as ListEvent>::DISCRIMINATOR, Struct {
            name: stringify!($name),
            docs: &[$($doc),*],
            fields: &[
                $(Field { name: stringify!($field), docs: &[$($fdoc),*], ty: <$ty as Schema>::TY },)*
                Field { name: "entries", docs: &[], ty: Ty::Vec(&Ty::Defined(stringify!($item))) },
            ],
        })),*];
        /// The items of the lists, for the IDL.
        pub const ITEMS: &[Struct] = &[$($item::STRUCT),*];
    };
}

list_events! {
    /// Entries of a statement were taken.
    AttestationAccepted { custodian: Address, observed_ms: u64, expires_ts: i64 } [
        /// What was taken for one asset.
        AttestedEntry { mint: Address, shares_nano: u64, capacity_raw: u64, redeemed_seen_raw: u64 }
    ]
    /// Tokens were minted into the vaults.
    Minted {} [
        /// One mint; supply after it and the ceiling it kept.
        MintedEntry { mint: Address, sequence: u64, amount_raw: u64, supply_raw: u64, ceiling_raw: u64, intent_hash: [u8; 16] }
    ]
    /// Tokens were burnt from the vaults.
    Burnt {} [
        /// One burn; supply after it.
        BurntEntry { mint: Address, sequence: u64, amount_raw: u64, supply_raw: u64, intent_hash: [u8; 16] }
    ]
}
