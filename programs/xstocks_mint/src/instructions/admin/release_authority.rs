//! release_authority: the mint goes to another authority, whole and for ever (timelocked). Readers must take the asset
//! for "not enforced" from then on; tokens that wait in the redemption vault can still be taken back.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, AuthorityReleased},
    instructions::shared::{authority_transfer::hand_over, roles::require_admin},
    state::{Asset, Authorities, Config, State, ASSET_RELEASED},
    sysvar::Now,
    table::{
        release_authority::{Accounts, Args},
        Context,
    },
    timelock,
    token_2022::reading,
};
use pinocchio::Address;

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
    require_admin(config, accounts.admin)?;
    asset.require_not_released()?;
    let now = Now::read()?;
    timelock::check(context, config, accounts.proposal, now)?;

    // 2. Somebody else, nothing in the vault that nobody could take out any more, no change on its way.
    if *new_authority == Address::default() {
        return Err(Error::KeyMissing);
    }
    if address_eq(new_authority, accounts.asset.address()) {
        return Err(Error::NewAuthorityInvalid);
    }
    if reading::amount_raw(accounts.vault)? != 0 {
        return Err(Error::InventoryNotEmpty);
    }
    asset.activate_pending_multiplier(now);
    if asset.change_announced() {
        return Err(Error::MultiplierChangePending);
    }

    // 3. Effects, then the calls: every authority that the asset has goes.
    asset.state = ASSET_RELEASED;
    emit(AuthorityReleased { mint: asset.mint, new_authority: *new_authority });
    asset.invariant()?;
    let mut holders = Authorities::NONE;
    holders.each_mut().fill(*new_authority);
    hand_over(mint, accounts.asset, asset.bump, &holders)
}
