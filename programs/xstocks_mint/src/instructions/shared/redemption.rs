//! What settle, reject and cancel of a redemption share.

use crate::{
    address::address_eq,
    error::{Error, Result},
    pda::{find_address, redeem_seeds, REDEEM_SEED},
    state::{Asset, Redemption},
    sysvar::Now,
    token_2022::{
        cpi,
        reading::{self, Moved},
    },
};
use pinocchio::{AccountView, Address};

/// The accounts around the redemption vault.
pub struct Vault<'a> {
    pub mint: &'a AccountView,
    pub authority: &'a AccountView,
    pub vault: &'a AccountView,
}

impl Vault<'_> {
    /// Mint and vault must be the asset's, the redemption of this mint, the authority the vault's owner; gives the
    /// bump that the owner signs with.
    ///
    /// # Errors
    /// WrongMint, WrongRedemptionVault, RedemptionMismatch, ConstraintSeeds.
    #[inline(always)]
    pub fn check(&self, program_id: &Address, asset: &Asset, redemption: &Redemption) -> Result<[u8; 1]> {
        let mint = self.mint.address();
        if !address_eq(&asset.mint, mint) {
            return Err(Error::WrongMint);
        }
        if !address_eq(&asset.redemption_vault, self.vault.address()) {
            return Err(Error::WrongRedemptionVault);
        }
        if !address_eq(&redemption.mint, mint) {
            return Err(Error::RedemptionMismatch);
        }
        let (authority, bump) = find_address(&[REDEEM_SEED, mint.as_array()], program_id)?;
        if !address_eq(&authority, self.authority.address()) {
            return Err(Error::ConstraintSeeds);
        }
        Ok([bump])
    }
}

/// The accounts of giving a redemption's tokens back.
pub struct Refund<'a> {
    pub program_id: &'a Address,
    pub asset: &'a Asset,
    pub vault: Vault<'a>,
    pub destination: &'a AccountView,
}

/// Ends an open redemption in `state` and gives its tokens to a token account of the wallet that requested it: any,
/// since it may have closed the one they came from.
///
/// # Errors
/// Those of `Vault::check`, DestinationIsVault, DestinationInvalid, DestinationOwnerMismatch, RedemptionClosed,
/// BalanceMismatch.
#[inline(never)]
pub fn refund(given: &Refund, redemption: &mut Redemption, state: u8) -> Result {
    let Refund { program_id, asset, vault, destination } = given;
    // 1. Accounts.
    let bump = vault.check(program_id, asset, redemption)?;
    let mint = vault.mint.address();
    if asset.is_vault(destination.address()) {
        return Err(Error::DestinationIsVault);
    }
    let holder = reading::owner_of_unfrozen(destination, mint).ok_or(Error::DestinationInvalid)?;
    if !address_eq(holder, &redemption.wallet) {
        return Err(Error::DestinationOwnerMismatch);
    }

    // 2. Effects, then the call.
    redemption.close(state, Address::default(), Now::read()?.ts)?;
    let amount_raw = redemption.amount_raw;
    let moved = Moved::expected(vault.vault, destination, amount_raw, Error::BalanceMismatch)?;
    let seeds = redeem_seeds(mint, &bump);
    cpi::transfer(vault.vault, vault.mint, destination, vault.authority, amount_raw, asset.decimals, &seeds);

    // 3. Exactly that (M7).
    moved.check()
}
