//! The accounts of a mint or burn batch (0 to 5 custodians, then asset, mint and vault per entry), and its calls.

use core::mem::MaybeUninit;

use crate::{
    account::{ascending, same, validate, view},
    args::IntentArg,
    cpi::{supply_calls, Supply, SupplyCall, Target, MAX_SUPPLY_CALLS},
    error::{refusal, require, Error, Result},
    events::{EventList, ListEvent},
    log,
    state::{Asset, Custodian, CUSTODIAN_ACTIVE},
    table::{Context, MAX_BATCH_CUSTODIANS},
    token,
};
use pinocchio::{AccountView, Address};

/// More than fit a transaction's 64 account locks.
pub const MAX_BATCH: usize = 20;

/// The entries of a batch and their accounts: custodians that are validated, and targets that `change_all` validates.
pub struct Batch<'a> {
    program_id: &'a Address,
    entries: &'a [IntentArg],
    pub custodians: &'a [AccountView],
    targets: &'a [Target],
}

impl<'a> Batch<'a> {
    /// Counts the accounts, and validates the custodians.
    ///
    /// # Errors
    /// NoEntries, TooManyEntries, EntriesAccountsMismatch, and those of `check_custodians`.
    #[inline(always)]
    pub fn read(context: &Context<'a>, remaining: &'a [AccountView], entries: &'a [IntentArg]) -> Result<Self> {
        require(!entries.is_empty(), Error::NoEntries)?;
        require(entries.len() <= MAX_BATCH, Error::TooManyEntries)?;
        let custodians = remaining.len().checked_sub(3 * entries.len());
        let custodians = custodians.ok_or_else(|| refusal(Error::EntriesAccountsMismatch))?;
        require(custodians <= MAX_BATCH_CUSTODIANS as usize, Error::EntriesAccountsMismatch)?;
        let (custodians, targets) = remaining.split_at(custodians);
        check_custodians(context.program_id, custodians)?;
        let (targets, _) = targets.as_chunks::<3>();
        Ok(Self { program_id: context.program_id, entries, custodians, targets })
    }
}

/// The present epoch of a custodian; None where it was not passed or is retired.
#[inline(always)]
pub fn epoch_of(custodians: &[AccountView], custodian: &Address) -> Option<u32> {
    let account = custodians.iter().find(|account| same(account.address(), custodian))?;
    // SAFETY: validated in `Batch::read`; batches never write to custodians.
    let custodian = unsafe { view::<Custodian>(account) };
    (custodian.state == CUSTODIAN_ACTIVE).then_some(custodian.epoch)
}

/// Custodians (owner, discriminator, version), in ascending order.
///
/// # Errors
/// CustodiansNotAscending, and those of `validate`.
#[inline(always)]
fn check_custodians(program_id: &Address, custodians: &[AccountView]) -> Result {
    let [first, others @ ..] = custodians else { return Ok(()) };
    validate::<Custodian>(program_id, first)?;
    let mut previous = first.address();
    for account in others {
        validate::<Custodian>(program_id, account)?;
        require(ascending(previous, account.address()), Error::CustodiansNotAscending)?;
        previous = account.address();
    }
    Ok(())
}

/// An asset (owner, discriminator, version), its mint and its vault, all writable.
///
/// # Errors
/// ConstraintMut, WrongMint, WrongVault, and those of `validate`.
#[inline(always)]
fn check_target(program_id: &Address, [asset_account, mint, vault]: &Target) -> Result {
    validate::<Asset>(program_id, asset_account)?;
    require(asset_account.is_writable() && mint.is_writable() && vault.is_writable(), Error::ConstraintMut)?;
    // SAFETY: just validated; nothing writes while it is read here.
    let asset = unsafe { view::<Asset>(asset_account) };
    require(same(&asset.mint, mint.address()), Error::WrongMint)?;
    require(same(&asset.vault, vault.address()), Error::WrongVault)
}

/// What mint and burn do with each entry.
pub trait Change {
    type Event: ListEvent<Item: SupplyAfter>;
    /// The call that follows `check`.
    const CALL: Supply;

    /// Checks an entry, whose `target` `check_target` has validated, stores its effects and writes its item of the event.
    /// The asset and the supply are read here, so that a second entry of the same asset sees what the first one did.
    ///
    /// # Errors
    /// Those of the instruction.
    fn check(&self, target: &Target, intent: &IntentArg, item: &mut MaybeUninit<ItemOf<Self>>) -> Result;
}

type ItemOf<C> = <<C as Change>::Event as ListEvent>::Item;

/// An item of an event that says the supply after its entry.
pub trait SupplyAfter {
    fn supply_raw(&self) -> u64;
}

/// Validates all targets, checks all entries, makes their calls, and then reads every supply again (M1): exactly what it
/// must be. A refused entry is named in the log.
///
/// # Errors
/// Those of `check_target` and `check`, SupplyMismatch.
#[inline(always)]
pub fn change_all<C: Change>(batch: &Batch, change: &C, event: C::Event) -> Result {
    let mut list = EventList::<C::Event, MAX_BATCH>::new(event);
    if let ([intent], [target]) = (batch.entries, batch.targets) {
        check_target(batch.program_id, target)?;
        let supply_raw = change_one(change, 0, (intent, target), &mut list)?;
        call_of::<C>(intent, target).make();
        supply_is(target, supply_raw)?;
    } else {
        change_many(batch, change, &mut list)?;
    }
    list.emit();
    Ok(())
}

/// Checks the entry at `index`; gives the supply that its call must lead to.
#[inline(always)]
fn change_one<C: Change>(
    change: &C,
    index: usize,
    (intent, target): (&IntentArg, &Target),
    list: &mut EventList<C::Event, MAX_BATCH>,
) -> Result<u64> {
    let item = list.place().ok_or_else(|| refusal(Error::TooManyEntries))?;
    change.check(target, intent, item).inspect_err(|_| log::entry(index))?;
    // SAFETY: `check` has written it.
    Ok(unsafe { item.assume_init_ref() }.supply_raw())
}

#[inline(always)]
fn call_of<'a, C: Change>(intent: &IntentArg, target: &'a Target) -> SupplyCall<'a> {
    let [asset_account, _, _] = target;
    // SAFETY: `check_target` has validated it; nothing writes while it is read here.
    let asset = unsafe { view::<Asset>(asset_account) };
    SupplyCall { kind: C::CALL, target, amount_raw: intent.amount_raw, decimals: asset.decimals, bump: asset.bump }
}

/// The calls of checked entries wait and are made together: where there is no place left, and where a call of the same
/// mint waits, so that every entry reads the supply that the ones before it left.
#[inline(always)]
fn change_many<C: Change>(batch: &Batch, change: &C, list: &mut EventList<C::Event, MAX_BATCH>) -> Result {
    for target in batch.targets {
        check_target(batch.program_id, target)?;
    }
    let mut waiting = Waiting { calls: [const { MaybeUninit::uninit() }; MAX_SUPPLY_CALLS], count: 0 };
    for (index, (intent, target)) in batch.entries.iter().zip(batch.targets).enumerate() {
        if waiting.count == MAX_SUPPLY_CALLS || waiting.has_mint_of(target) {
            waiting.make()?;
        }
        let supply_raw = change_one(change, index, (intent, target), list)?;
        let place = waiting.calls.get_mut(waiting.count).ok_or_else(|| refusal(Error::TooManyEntries))?;
        place.write((call_of::<C>(intent, target), supply_raw));
        waiting.count = waiting.count.wrapping_add(1); // at most MAX_SUPPLY_CALLS
    }
    waiting.make()
}

/// Calls that are not made yet, each with the supply after it.
struct Waiting<'a> {
    calls: [MaybeUninit<(SupplyCall<'a>, u64)>; MAX_SUPPLY_CALLS],
    count: usize,
}

impl Waiting<'_> {
    #[inline(always)]
    fn calls(&self) -> &[(SupplyCall<'_>, u64)] {
        // SAFETY: `change_many` has written the first `count`.
        unsafe { core::slice::from_raw_parts(self.calls.as_ptr().cast(), self.count) }
    }

    #[inline(always)]
    fn has_mint_of(&self, [_, mint, _]: &Target) -> bool {
        // The runtime hands an account that comes twice out at one place.
        self.calls().iter().any(|(call, _)| {
            let [_, other, _] = call.target;
            core::ptr::eq(other.address(), mint.address())
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
            supply_is(call.target, *supply_raw)?;
        }
        self.count = 0;
        Ok(())
    }
}

#[inline(always)]
fn supply_is([_, mint, _]: &Target, supply_raw: u64) -> Result {
    require(token::supply_raw(mint)? == supply_raw, Error::SupplyMismatch)
}
