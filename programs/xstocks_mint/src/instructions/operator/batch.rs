//! The accounts of a mint or burn batch: 0 to 5 custodians, then asset, mint and vault per entry.

use crate::{
    account::{ascending, same, validate, view},
    error::{Error, Result},
    state::{Asset, Custodian, CUSTODIAN_ACTIVE},
    table::Context,
};
use pinocchio::{AccountView, Address};

/// More than fit a transaction's 64 account locks.
pub const MAX_BATCH: usize = 20;
/// Custodians whose statements may count in one batch.
const MAX_CUSTODIANS: usize = 5;

/// Asset, mint and vault of one entry.
pub type Target = [AccountView; 3];

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
