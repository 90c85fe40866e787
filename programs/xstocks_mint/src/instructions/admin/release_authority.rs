//! release_authority: the mint goes to another authority, whole and for ever (timelocked). Readers must take the asset
//! for "not enforced" from then on. Nobody's tokens wait any more, and what is left in the vaults is burnt: nobody could
//! take it out, and a unit that anybody sends there must not be in the way.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, AuthorityReleased},
    instructions::shared::{authority_transfer::hand_over, roles::require_admin},
    pda::{asset_seeds, find_address, redeem_seeds, REDEEM_SEED},
    state::{Asset, Authorities, Config, State, ASSET_RELEASED},
    sysvar::Now,
    table::{
        release_authority::{Accounts, Args},
        Context,
    },
    timelock,
    token_2022::{cpi, reading},
};
use pinocchio::{cpi::Seed, AccountView, Address};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts, role, timelock.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` and `proposal` are accounts
    // of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    let (mint, new_authority) = (accounts.mint, accounts.new_authority.address());
    if !address_eq(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    if !address_eq(&asset.vault, accounts.vault.address()) {
        return Err(Error::WrongVault);
    }
    if !address_eq(&asset.redemption_vault, accounts.redemption_vault.address()) {
        return Err(Error::WrongRedemptionVault);
    }
    let (redeemer, redeem_bump) = find_address(&[REDEEM_SEED, mint.address().as_array()], context.program_id)?;
    if !address_eq(&redeemer, accounts.redemption_authority.address()) {
        return Err(Error::ConstraintSeeds);
    }
    require_admin(config, accounts.admin)?;
    asset.require_not_released()?;
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;

    // 2. Somebody else, no redemption that nobody could settle or reject any more, no change on its way.
    if *new_authority == Address::default() {
        return Err(Error::KeyMissing);
    }
    if address_eq(new_authority, accounts.asset.address()) {
        return Err(Error::NewAuthorityInvalid);
    }
    if asset.open_redemptions != 0 {
        return Err(Error::RedemptionsOpen);
    }
    asset.activate_pending_multiplier(now);
    if asset.change_announced() {
        return Err(Error::MultiplierChangePending);
    }

    // 3. Effects, then the calls: what is left is burnt, and every authority that the asset has goes.
    let inventory_raw = reading::amount_raw(accounts.vault)?;
    let strayed_raw = reading::amount_raw(accounts.redemption_vault)?;
    let burnt_raw = inventory_raw.checked_add(strayed_raw).ok_or(Error::Overflow)?;
    asset.burnt_raw = asset.burnt_raw.checked_add(burnt_raw).ok_or(Error::Overflow)?;
    asset.state = ASSET_RELEASED;
    emit(AuthorityReleased { mint: asset.mint, new_authority: *new_authority, burnt_raw });
    asset.invariant()?;
    let decimals = asset.decimals;
    let (asset_bump, redeem_bump) = ([asset.bump], [redeem_bump]);
    let asset_signs = asset_seeds(mint.address(), &asset_bump);
    burn_all([accounts.vault, mint, accounts.asset], inventory_raw, decimals, &asset_signs)?;
    let redeemer_signs = redeem_seeds(mint.address(), &redeem_bump);
    burn_all([accounts.redemption_vault, mint, accounts.redemption_authority], strayed_raw, decimals, &redeemer_signs)?;
    let mut holders = Authorities::NONE;
    holders.each_mut().fill(*new_authority);
    hand_over(mint, accounts.asset, asset.bump, &holders)
}

/// Burns what a vault holds; then it holds nothing, and the supply is exactly so much less.
///
/// # Errors
/// SupplyMismatch, BalanceMismatch.
#[inline(never)]
fn burn_all([vault, mint, owner]: [&AccountView; 3], amount_raw: u64, decimals: u8, seeds: &[Seed]) -> Result {
    if amount_raw == 0 {
        return Ok(()); // also where Token-2022 has the mint paused
    }
    let supply_before_raw = reading::supply_raw(mint)?;
    cpi::burn(vault, mint, owner, amount_raw, decimals, seeds);
    if supply_before_raw.checked_sub(amount_raw) != Some(reading::supply_raw(mint)?) {
        return Err(Error::SupplyMismatch);
    }
    if reading::amount_raw(vault)? != 0 {
        return Err(Error::BalanceMismatch);
    }
    Ok(())
}
