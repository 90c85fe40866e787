//! settle_redemption: burns the tokens of an open redemption that the named custodian accepted; it owes the shares (M6).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, RedemptionSettled},
    instructions::shared::{pause::require_running, redemption::Vault, roles::require_operator},
    pda::redeem_seeds,
    state::{scope, Asset, Config, Custodian, Redemption, State, ASSET_RELEASED, CUSTODIAN_ACTIVE},
    sysvar::Now,
    table::{
        settle_redemption::{Accounts, Args},
        Context,
    },
    token_2022::{cpi, reading},
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let custodian = load::<Custodian>(context.program_id, accounts.custodian)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config`, `custodian` and
    // `redemption` are accounts of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: `asset`, `config` and
    // `custodian` are accounts of other types.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    let vault =
        Vault { mint: accounts.mint, authority: accounts.redemption_authority, vault: accounts.redemption_vault };
    let bump = vault.check(context.program_id, asset, redemption)?;

    // 2. Role, pauses, state. Holds stop minting only, and a retired asset still settles.
    require_operator(config, accounts.operator)?;
    require_running(config, asset, scope::REDEEM)?;
    if asset.state == ASSET_RELEASED {
        return Err(Error::AssetNotActive);
    }

    // 3. It has not ended, and nothing holds it.
    let now = Now::read()?;
    let custodian_address = *accounts.custodian.address();
    redemption.require_open_and_free()?;

    // 4. The multiplier the mint applies is the one the entry was signed with.
    if reading::effective_multiplier_bits(accounts.mint, asset.scaled_ui_offset, now)? != asset.multiplier_bits {
        return Err(Error::MultiplierMismatch);
    }

    // 5. What the operator may burn, settling or not (M5).
    let amount_raw = redemption.amount_raw;
    asset.take_burn(amount_raw, now)?;

    // 6. The custodian speaks now and has the shares: who is silent or has none could never count the redemption, and
    // the rest of its shares could never leave (M13).
    if custodian.state != CUSTODIAN_ACTIVE {
        return Err(Error::CustodianRetired);
    }
    let slot = asset.slot_of(&custodian_address).ok_or(Error::NotAttached)?;
    let entry = asset.entries.get_mut(slot).ok_or(Error::NotAttached)?;
    if !entry.is_fresh(now, custodian.epoch, asset.policy.max_age_secs, asset.multiplier_bits) {
        return Err(Error::EntryNotFresh);
    }
    if entry.capacity_raw.saturating_sub(entry.unseen_raw()) < amount_raw {
        return Err(Error::RedemptionNotCovered);
    }
    // It gave its word: nothing is burnt that nobody delivers. The redemption ends here, once.
    redemption.settle(&custodian_address, custodian.epoch, now.ts)?;

    // 7. Effects: the redemption is unseen until this custodian counts it, so that the ceiling falls with the supply.
    entry.redeemed_total_raw = entry.redeemed_total_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;
    let redeemed_total_raw = entry.redeemed_total_raw;
    asset.burnt_raw = asset.burnt_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;
    asset.redemption_ended()?;
    asset.invariant()?;

    // 8. The call; supply and vault are exactly the amount less (M7).
    let supply_before_raw = reading::supply_raw(accounts.mint)?;
    let left_raw = reading::amount_raw(accounts.redemption_vault)?.checked_sub(amount_raw);
    let seeds = redeem_seeds(accounts.mint.address(), &bump);
    cpi::burn(
        accounts.redemption_vault,
        accounts.mint,
        accounts.redemption_authority,
        amount_raw,
        asset.decimals,
        &seeds,
    );
    let supply_raw = reading::supply_raw(accounts.mint)?;
    if supply_before_raw.checked_sub(amount_raw) != Some(supply_raw) {
        return Err(Error::SupplyMismatch);
    }
    if left_raw != Some(reading::amount_raw(accounts.redemption_vault)?) {
        return Err(Error::BalanceMismatch);
    }
    emit(RedemptionSettled {
        mint: *accounts.mint.address(),
        redemption: *accounts.redemption.address(),
        id: redemption.id,
        wallet: redemption.wallet,
        custodian: custodian_address,
        amount_raw,
        supply_raw,
        redeemed_total_raw,
    });
    Ok(())
}
