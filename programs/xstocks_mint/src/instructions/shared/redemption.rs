//! What settle, reject and cancel of a redemption share.

use crate::{
    account::load,
    address::address_eq,
    error::{Error, Result},
    pda::{find_address, redeem_seeds, REDEEM_SEED},
    state::{Asset, Participant, Redemption, State},
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
    pub asset: &'a mut Asset,
    pub vault: Vault<'a>,
    pub destination: &'a AccountView,
    /// The wallet's permission, where the destination is not the account that the tokens came from.
    pub participant: Option<&'a AccountView>,
}

impl Refund<'_> {
    /// The tokens go back to the account they came from; to another one of the wallet (it may have closed the first)
    /// only while the wallet is an active participant: else it would get past a freeze of the first.
    ///
    /// # Errors
    /// RefundNeedsParticipant, ParticipantMismatch, those of `Participant::require_active`.
    #[inline(always)]
    fn check_destination(&self, redemption: &Redemption, now: Now) -> Result {
        if address_eq(&redemption.source, self.destination.address()) {
            return Ok(());
        }
        let account = self.participant.ok_or(Error::RefundNeedsParticipant)?;
        let participant = load::<Participant>(self.program_id, account)?;
        if !address_eq(&participant.wallet, &redemption.wallet) {
            return Err(Error::ParticipantMismatch);
        }
        participant.require_active(now)
    }
}

/// Ends an open redemption in `state` and gives its tokens back to the wallet that requested it.
///
/// # Errors
/// Those of `Vault::check` and `Refund::check_destination`, DestinationIsVault, DestinationInvalid,
/// DestinationOwnerMismatch, RedemptionClosed, RedemptionOnHold, BalanceMismatch.
#[inline(never)]
pub fn refund(given: &mut Refund, redemption: &mut Redemption, state: u8) -> Result {
    // 1. Accounts.
    let now = Now::read()?;
    let Refund { program_id, asset, vault, destination, .. } = given;
    let bump = vault.check(program_id, asset, redemption)?;
    let mint = vault.mint.address();
    if asset.is_vault(destination.address()) {
        return Err(Error::DestinationIsVault);
    }
    let holder = reading::owner_of_unfrozen(destination, mint).ok_or(Error::DestinationInvalid)?;
    if !address_eq(holder, &redemption.wallet) {
        return Err(Error::DestinationOwnerMismatch);
    }

    given.check_destination(redemption, now)?;

    // 2. Effects, then the call.
    let Refund { asset, vault, destination, .. } = given;
    redemption.close(state, now.ts)?;
    asset.redemption_ended()?;
    asset.invariant()?;
    pay_out(vault, asset, destination, redemption.amount_raw, bump)
}

/// Moves a redemption's tokens out of the redemption vault, whose owner signs with `bump`: exactly that (M7).
///
/// # Errors
/// BalanceMismatch.
#[inline(never)]
pub fn pay_out(vault: &Vault, asset: &Asset, destination: &AccountView, amount_raw: u64, bump: [u8; 1]) -> Result {
    let moved = Moved::expected(vault.vault, destination, amount_raw, Error::BalanceMismatch)?;
    let seeds = redeem_seeds(vault.mint.address(), &bump);
    cpi::transfer(vault.vault, vault.mint, destination, vault.authority, amount_raw, asset.decimals, &seeds);
    moved.check()
}
