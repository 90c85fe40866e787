//! The accounts of a mint or burn batch (0 to 5 custodians, then asset, mint and vault per entry), and its calls.

use core::mem::MaybeUninit;

use crate::{
    account::{ascending, same, validate, view},
    args::IntentArg,
    cpi::{supply_calls, SupplyCall, Target, MAX_SUPPLY_CALLS},
    error::{Error, Result},
    log,
    state::{Asset, Custodian, CUSTODIAN_ACTIVE},
    table::Context,
    token,
};
use pinocchio::{AccountView, Address};

/// More than fit a transaction's 64 account locks.
pub const MAX_BATCH: usize = 20;
/// Custodians whose statements may count in one batch.
const MAX_CUSTODIANS: usize = 5;

/// The validated accounts of a batch.
pub struct Batch<'a> {
    custodians: &'a [AccountView],
    targets: &'a [Target],
}

impl<'a> Batch<'a> {
    /// Validates every account of the batch: custodians (owner, discriminator, version, order), assets (the same,
    /// and writable), mints and vaults (the asset's, and writable).
    ///
    /// # Errors
    /// NoEntries, TooManyEntries, EntriesAccountsMismatch, CustodiansNotAscending, WrongMint, WrongVault,
    /// ConstraintMut, and those of `validate`.
    #[inline(always)]
    pub fn read(context: &Context, remaining: &'a [AccountView], entries: usize) -> Result<Self> {
        // 1. Numbers.
        if entries == 0 {
            return Err(Error::NoEntries);
        }
        if entries > MAX_BATCH {
            return Err(Error::TooManyEntries);
        }
        let custodians = remaining.len().checked_sub(3 * entries).ok_or(Error::EntriesAccountsMismatch)?;
        if custodians > MAX_CUSTODIANS {
            return Err(Error::EntriesAccountsMismatch);
        }
        let (custodians, targets) = remaining.split_at(custodians);

        // 2. Custodians.
        let mut previous: Option<&Address> = None;
        for account in custodians {
            validate::<Custodian>(context.program_id, account)?;
            if previous.is_some_and(|previous| !ascending(previous, account.address())) {
                return Err(Error::CustodiansNotAscending);
            }
            previous = Some(account.address());
        }

        // 3. Assets with their mints and vaults.
        let (targets, _) = targets.as_chunks::<3>();
        for [asset_account, mint, vault] in targets {
            validate::<Asset>(context.program_id, asset_account)?;
            if !(asset_account.is_writable() && mint.is_writable() && vault.is_writable()) {
                return Err(Error::ConstraintMut);
            }
            // SAFETY: just validated; nothing writes while it is read here.
            let asset = unsafe { view::<Asset>(asset_account) };
            if !same(&asset.mint, mint.address()) {
                return Err(Error::WrongMint);
            }
            if !same(&asset.vault, vault.address()) {
                return Err(Error::WrongVault);
            }
        }
        Ok(Self { custodians, targets })
    }

    /// The entries' accounts in their order.
    #[inline(always)]
    pub fn targets(&self) -> &'a [Target] {
        self.targets
    }

    /// The present epoch of a custodian; None where it was not passed or is retired.
    #[inline(always)]
    pub fn epoch_of(&self, custodian: &Address) -> Option<u32> {
        let account = self.custodians.iter().find(|account| same(account.address(), custodian))?;
        // SAFETY: validated in `read`; batches never write to custodians.
        let custodian = unsafe { view::<Custodian>(account) };
        (custodian.state == CUSTODIAN_ACTIVE).then_some(custodian.epoch)
    }
}

/// Calls of entries whose checks have passed and whose effects are stored. They are made together, and then every supply
/// is read again (M1): exactly what it must be.
pub struct Calls<'a> {
    calls: [MaybeUninit<SupplyCall<'a>>; MAX_SUPPLY_CALLS],
    after: [MaybeUninit<(&'a AccountView, u64)>; MAX_SUPPLY_CALLS],
    count: usize,
    /// The batch is of one entry, whose call is made at once.
    alone: bool,
}

impl<'a> Calls<'a> {
    #[inline(always)]
    const fn new(entries: usize) -> Self {
        Self {
            alone: entries == 1,
            calls: [const { MaybeUninit::uninit() }; MAX_SUPPLY_CALLS],
            after: [const { MaybeUninit::uninit() }; MAX_SUPPLY_CALLS],
            count: 0,
        }
    }

    /// The mints of the calls that are not made yet, and their supplies after them.
    #[inline(always)]
    fn waiting(&self) -> &[(&'a AccountView, u64)] {
        // SAFETY: `add` has written the first `count`.
        unsafe { core::slice::from_raw_parts(self.after.as_ptr().cast(), self.count) }
    }

    /// Makes room for a call of `mint`: what waits is made where there is no place left, or where a call of the same mint
    /// waits, so that every entry reads the supply that the ones before it left.
    ///
    /// # Errors
    /// SupplyMismatch.
    #[inline(always)]
    fn ready_for(&mut self, mint: &AccountView) -> Result {
        // The runtime hands an account that comes twice out at one place.
        let waits = |(other, _): &(&AccountView, u64)| core::ptr::eq(other.address(), mint.address());
        if self.count == MAX_SUPPLY_CALLS || self.waiting().iter().any(waits) {
            self.make()?;
        }
        Ok(())
    }

    /// One more call, after which the supply of `mint` is `supply_raw`.
    ///
    /// # Errors
    /// SupplyMismatch; TooManyEntries, which `ready_for` has made impossible.
    #[inline(always)]
    pub fn add(&mut self, call: SupplyCall<'a>, mint: &'a AccountView, supply_raw: u64) -> Result {
        if self.alone {
            call.make();
            return supply_is(mint, supply_raw);
        }
        let (Some(place), Some(after)) = (self.calls.get_mut(self.count), self.after.get_mut(self.count)) else {
            return Err(Error::TooManyEntries);
        };
        place.write(call);
        after.write((mint, supply_raw));
        self.count = self.count.wrapping_add(1); // at most MAX_SUPPLY_CALLS
        Ok(())
    }

    /// Makes the calls that wait, and reads the supplies again.
    ///
    /// # Errors
    /// SupplyMismatch.
    #[inline(never)]
    fn make(&mut self) -> Result {
        // SAFETY: `add` has written the first `count`.
        supply_calls(unsafe { core::slice::from_raw_parts(self.calls.as_ptr().cast(), self.count) });
        for (mint, supply_raw) in self.waiting() {
            supply_is(mint, *supply_raw)?;
        }
        self.count = 0;
        Ok(())
    }
}

#[inline(always)]
fn supply_is(mint: &AccountView, supply_raw: u64) -> Result {
    if token::supply_raw(mint)? == supply_raw {
        Ok(())
    } else {
        Err(Error::SupplyMismatch)
    }
}

/// Runs `one` for each entry of a batch, and the calls that they add. A refusal logs which entry it was.
///
/// # Errors
/// Those of `one`, SupplyMismatch.
#[inline(always)]
pub fn for_each<'a>(
    entries: &[IntentArg],
    targets: &'a [Target],
    mut one: impl FnMut(&IntentArg, &'a Target, &mut Calls<'a>) -> Result,
) -> Result {
    let mut calls = Calls::new(entries.len());
    for (index, (intent, target)) in entries.iter().zip(targets).enumerate() {
        let [_, mint, _] = target;
        calls.ready_for(mint)?;
        one(intent, target, &mut calls).inspect_err(|_| log::entry(index))?;
    }
    if calls.count == 0 {
        return Ok(());
    }
    calls.make()
}
