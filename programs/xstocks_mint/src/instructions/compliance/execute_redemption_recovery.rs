//! execute_redemption_recovery: moves the tokens of a redemption as announced, exactly those (M7), and ends it.
//! Compliance and admin sign.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, RecoveryExecuted},
    instructions::shared::{
        holder_account::owner_of_holder_account,
        pause::require_running,
        redemption::{pay_out, Vault},
        roles::{require_admin, require_compliance},
    },
    state::{scope, Asset, Config, Recovery, Redemption, State, RECOVERY_ANNOUNCED, RECOVERY_EXECUTED},
    sysvar::Now,
    table::{
        execute_redemption_recovery::{Accounts, Args},
        Context,
    },
    token_2022::reading,
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and roles.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config`, `recovery` and `redemption`
    // are accounts of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: `asset`, `config` and `recovery`
    // are accounts of other types.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    // SAFETY: no other reference to the recovery's data is made in this instruction: `asset`, `config` and `redemption`
    // are accounts of other types.
    let recovery = unsafe { load_mut::<Recovery>(context.program_id, accounts.recovery) }?;
    require_compliance(config, accounts.compliance)?;
    require_admin(config, accounts.admin)?;
    let vault =
        Vault { mint: accounts.mint, authority: accounts.redemption_authority, vault: accounts.redemption_vault };
    let bump = vault.check(context.program_id, asset, redemption)?;
    let destination = accounts.destination;
    if !address_eq(&recovery.source, accounts.redemption.address())
        || !address_eq(&recovery.destination, destination.address())
    {
        return Err(Error::RecoveryMismatch);
    }
    owner_of_holder_account(asset, destination)?;
    if reading::is_frozen(destination) {
        return Err(Error::AccountFrozen);
    }

    // 2. Announced, ready, not paused (Token-2022 would refuse while transfers are).
    if recovery.state != RECOVERY_ANNOUNCED {
        return Err(Error::RecoveryNotOpen);
    }
    let now = Now::read()?;
    if now.ts < recovery.ready_ts {
        return Err(Error::RecoveryNotReady);
    }
    require_running(config, asset, scope::TRANSFERS)?;

    // 3. Effects, then the call: exactly what was redeemed.
    recovery.state = RECOVERY_EXECUTED;
    recovery.invariant()?;
    redemption.recover(now.ts)?;
    asset.redemption_ended()?;
    asset.invariant()?;
    pay_out(&vault, asset, destination, redemption.amount_raw, bump)?;
    emit(RecoveryExecuted {
        mint: asset.mint,
        recovery: *accounts.recovery.address(),
        source: *accounts.redemption.address(),
        destination: *destination.address(),
        amount_raw: redemption.amount_raw,
    });
    Ok(())
}
