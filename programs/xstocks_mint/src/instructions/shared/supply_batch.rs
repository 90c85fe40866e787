//! The accounts of a mint or burn batch (0 to 5 custodians, then asset, mint and vault per entry), and its calls.

use core::mem::MaybeUninit;

use crate::{
    account::{Validated, Writable},
    address::{address_eq, ascending},
    args::IntentArg,
    error::{cold_error, require, Error, Result},
    events::{EventList, ListEvent},
    log,
    state::{Asset, Custodian, CUSTODIAN_ACTIVE},
    table::{Context, MAX_BATCH_CUSTODIANS},
    token_2022::{
        cpi::{supply_calls, Supply, SupplyCall, Target, MAX_SUPPLY_CALLS},
        reading,
    },
};
use pinocchio::{AccountView, Address};

/// More than fit a transaction's 64 account locks.
pub const MAX_BATCH: usize = 20;

/// The entries of a batch and their accounts: custodians that are validated, and targets that `apply_batch` validates.
pub struct Batch<'a> {
    program_id: &'a Address,
    entries: &'a [IntentArg],
    pub custodians: CheckedCustodians<'a>,
    targets: &'a [Target],
}

impl<'a> Batch<'a> {
    /// Counts the accounts, and validates the custodians.
    ///
    /// # Errors
    /// NoEntries, TooManyEntries, EntriesAccountsMismatch, and those of `CheckedCustodians::check`.
    #[inline(always)]
    pub fn read(context: &Context<'a>, remaining: &'a [AccountView], entries: &'a [IntentArg]) -> Result<Self> {
        require(!entries.is_empty(), Error::NoEntries)?;
        require(entries.len() <= MAX_BATCH, Error::TooManyEntries)?;
        let custodians = remaining.len().checked_sub(3 * entries.len());
        let custodians = custodians.ok_or_else(|| cold_error(Error::EntriesAccountsMismatch))?;
        require(custodians <= MAX_BATCH_CUSTODIANS as usize, Error::EntriesAccountsMismatch)?;
        let (custodians, targets) = remaining.split_at(custodians);
        let custodians = CheckedCustodians::check(context.program_id, custodians)?;
        let (targets, _) = targets.as_chunks::<3>();
        Ok(Self { program_id: context.program_id, entries, custodians, targets })
    }
}

/// Custodian accounts (owner, discriminator, version), strictly ascending by address.
#[derive(Clone, Copy)]
pub struct CheckedCustodians<'a>(&'a [AccountView]);

impl<'a> CheckedCustodians<'a> {
    /// # Errors
    /// CustodiansNotAscending, and those of `validate`.
    #[inline(always)]
    fn check(program_id: &Address, accounts: &'a [AccountView]) -> Result<Self> {
        if let [first, others @ ..] = accounts {
            Validated::<Custodian>::new(program_id, first)?;
            let mut previous = first.address();
            for account in others {
                Validated::<Custodian>::new(program_id, account)?;
                require(ascending(previous, account.address()), Error::CustodiansNotAscending)?;
                previous = account.address();
            }
        }
        Ok(Self(accounts))
    }

    /// The present epoch of a custodian; None where it was not passed or is retired.
    #[inline(always)]
    pub fn epoch_of(self, custodian: &Address) -> Option<u32> {
        let account = self.0.iter().find(|account| address_eq(account.address(), custodian))?;
        // SAFETY: `check`, the only maker of this type, has checked each account in it.
        let custodian = unsafe { Validated::<Custodian>::assume_checked(account) }.get();
        (custodian.state == CUSTODIAN_ACTIVE).then_some(custodian.epoch)
    }
}

/// An asset (owner, discriminator, version), its mint and its vault, all writable.
#[repr(transparent)]
pub struct CheckedTarget(Target);

impl CheckedTarget {
    /// # Errors
    /// ConstraintMut, WrongMint, WrongVault, and those of `validate`.
    #[inline(always)]
    fn check<'a>(program_id: &Address, target: &'a Target) -> Result<&'a Self> {
        let [asset_account, mint, vault] = target;
        let asset = Validated::<Asset>::new(program_id, asset_account)?.get();
        require(asset_account.is_writable() && mint.is_writable() && vault.is_writable(), Error::ConstraintMut)?;
        require(address_eq(&asset.mint, mint.address()), Error::WrongMint)?;
        require(address_eq(&asset.vault, vault.address()), Error::WrongVault)?;
        // SAFETY: transparent over Target, and it was just checked.
        Ok(unsafe { &*(&raw const *target).cast() })
    }

    /// # Errors
    /// Those of `check`.
    #[inline(always)]
    fn check_all<'a>(program_id: &Address, targets: &'a [Target]) -> Result<&'a [Self]> {
        for target in targets {
            Self::check(program_id, target)?;
        }
        // SAFETY: transparent over Target, and each was just checked.
        Ok(unsafe { core::slice::from_raw_parts(targets.as_ptr().cast(), targets.len()) })
    }

    #[inline(always)]
    pub const fn asset(&self) -> Writable<'_, Asset> {
        let [asset, _, _] = &self.0;
        // SAFETY: `check`, the only maker of this type, has validated it and found it writable.
        unsafe { Writable::assume_checked(asset) }
    }

    #[inline(always)]
    pub const fn mint(&self) -> &AccountView {
        let [_, mint, _] = &self.0;
        mint
    }

    #[inline(always)]
    pub const fn vault(&self) -> &AccountView {
        let [_, _, vault] = &self.0;
        vault
    }
}

/// What mint and burn do with each entry.
pub trait SupplyChange {
    type Event: ListEvent;
    /// The call that follows `check`.
    const CALL: Supply;

    /// Checks an entry, stores its effects, and writes its item of the event and the supply that its call must lead to.
    /// The asset and the supply are read here, so that a second entry of the same asset sees what the first one did.
    ///
    /// # Errors
    /// Those of the instruction.
    fn check(
        &self,
        target: &CheckedTarget,
        intent: &IntentArg,
        item: &mut MaybeUninit<ItemOf<Self>>,
        expected_supply_raw: &mut u64,
    ) -> Result;
}

pub type ItemOf<C> = <<C as SupplyChange>::Event as ListEvent>::Item;

/// Validates all targets, checks all entries, makes their calls, and then reads every supply again (M1): exactly what it
/// must be. A refused entry is named in the log.
///
/// # Errors
/// Those of `CheckedTarget::check` and `SupplyChange::check`, SupplyMismatch.
#[inline(always)]
pub fn apply_batch<C: SupplyChange>(batch: &Batch, change: &C, event: C::Event) -> Result {
    let mut list = EventList::<C::Event, MAX_BATCH>::new(event);
    if let ([intent], [target]) = (batch.entries, batch.targets) {
        let target = CheckedTarget::check(batch.program_id, target)?;
        let mut supply_after_raw = 0;
        let item = list.place().ok_or_else(|| cold_error(Error::TooManyEntries))?;
        change.check(target, intent, item, &mut supply_after_raw).inspect_err(|_| log::entry(0))?;
        call_of::<C>(intent, target).make();
        require_supply(target.mint(), supply_after_raw)?;
    } else {
        apply_entries(batch, change, &mut list)?;
    }
    list.emit();
    Ok(())
}

#[inline(always)]
fn call_of<'a, C: SupplyChange>(intent: &IntentArg, target: &'a CheckedTarget) -> SupplyCall<'a> {
    let asset = target.asset().get();
    SupplyCall {
        kind: C::CALL,
        target: &target.0,
        amount_raw: intent.amount_raw,
        decimals: asset.decimals,
        bump: asset.bump,
    }
}

/// The calls of checked entries wait and are made together: where there is no place left, and where a call of the same
/// mint waits, so that every entry reads the supply that the ones before it left.
#[inline(always)]
fn apply_entries<C: SupplyChange>(batch: &Batch, change: &C, list: &mut EventList<C::Event, MAX_BATCH>) -> Result {
    let targets = CheckedTarget::check_all(batch.program_id, batch.targets)?;
    let mut waiting = Waiting { calls: [const { MaybeUninit::uninit() }; MAX_SUPPLY_CALLS], count: 0 };
    for (index, (intent, target)) in batch.entries.iter().zip(targets).enumerate() {
        if waiting.count == MAX_SUPPLY_CALLS || waiting.has_mint_of(target) {
            waiting.make()?;
        }
        let item = list.place().ok_or_else(|| cold_error(Error::TooManyEntries))?;
        let place = waiting.calls.get_mut(waiting.count).ok_or_else(|| cold_error(Error::TooManyEntries))?;
        let (_, supply_after_raw) = place.write((call_of::<C>(intent, target), 0));
        change.check(target, intent, item, supply_after_raw).inspect_err(|_| log::entry(index))?;
        waiting.count = waiting.count.wrapping_add(1); // at most MAX_SUPPLY_CALLS
    }
    waiting.make()
}

/// Calls that are not made yet, each with the supply after it. The first `count` are written.
struct Waiting<'a> {
    calls: [MaybeUninit<(SupplyCall<'a>, u64)>; MAX_SUPPLY_CALLS],
    count: usize,
}

impl Waiting<'_> {
    #[inline(always)]
    fn calls(&self) -> &[(SupplyCall<'_>, u64)] {
        // SAFETY: the first `count` are written: `apply_entries` counts a call when it has written it, `make` sets 0.
        unsafe { core::slice::from_raw_parts(self.calls.as_ptr().cast(), self.count) }
    }

    #[inline(always)]
    fn has_mint_of(&self, target: &CheckedTarget) -> bool {
        // The runtime hands an account that comes twice out at one place.
        self.calls().iter().any(|(call, _)| {
            let [_, other, _] = call.target;
            core::ptr::eq(other.address(), target.mint().address())
        })
    }

    /// # Errors
    /// SupplyMismatch.
    #[inline(never)]
    fn make(&mut self) -> Result {
        match self.calls() {
            [(call, _)] => call.make(),
            calls => supply_calls(calls.iter().map(|(call, _)| call)),
        }
        for (call, supply_raw) in self.calls() {
            let [_, mint, _] = call.target;
            require_supply(mint, *supply_raw)?;
        }
        self.count = 0;
        Ok(())
    }
}

#[inline(always)]
fn require_supply(mint: &AccountView, supply_raw: u64) -> Result {
    require(reading::supply_raw(mint)? == supply_raw, Error::SupplyMismatch)
}
