//! execute_recovery: moves what was announced, exactly that (M7). Compliance and admin sign.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, RecoveryExecuted},
    instructions::shared::{
        holder_account::{owner_of_holder_account, require_freezable},
        pause::require_running,
        roles::{require_admin, require_compliance},
    },
    pda::asset_seeds,
    state::{scope, Asset, Config, Recovery, State, RECOVERY_ANNOUNCED, RECOVERY_EXECUTED},
    sysvar::Now,
    table::{
        execute_recovery::{Accounts, Args},
        Context,
    },
    token_2022::{
        cpi,
        reading::{self, Moved},
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and roles.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    // SAFETY: no other reference to the recovery's data is made in this instruction: `asset` and `config` are accounts
    // of other types.
    let recovery = unsafe { load_mut::<Recovery>(context.program_id, accounts.recovery) }?;
    require_compliance(config, accounts.compliance)?;
    require_admin(config, accounts.admin)?;
    require_freezable(asset, accounts.mint)?;
    let (source, destination) = (accounts.source, accounts.destination);
    // The mint too: once it is released others may thaw the source, and the holder makes it anew for another mint.
    if !address_eq(&recovery.source, source.address())
        || !address_eq(&recovery.destination, destination.address())
        || !address_eq(&recovery.mint, &asset.mint)
    {
        return Err(Error::RecoveryMismatch);
    }
    // The source is frozen and not empty since the announcement, so it is what it was; the destination is anybody's.
    owner_of_holder_account(asset, source)?;
    owner_of_holder_account(asset, destination)?;
    if reading::is_frozen(destination) {
        return Err(Error::AccountFrozen);
    }

    // 2. Announced, ready, not paused (Token-2022 would refuse while transfers are).
    if recovery.state != RECOVERY_ANNOUNCED {
        return Err(Error::RecoveryNotOpen);
    }
    if Now::read()?.ts < recovery.ready_ts {
        return Err(Error::RecoveryNotReady);
    }
    require_running(config, asset, scope::TRANSFERS)?;

    // 3. Effects, then the calls: a frozen account sends nothing, so it is thawed for this transfer only.
    let amount_raw = recovery.amount_raw;
    recovery.state = RECOVERY_EXECUTED;
    recovery.invariant()?;
    let moved = Moved::expected(source, destination, amount_raw, Error::RecoveryTooLarge)?;
    let bump = [asset.bump];
    let seeds = asset_seeds(&asset.mint, &bump);
    cpi::thaw(source, accounts.mint, accounts.asset, &seeds);
    cpi::transfer(source, accounts.mint, destination, accounts.asset, amount_raw, asset.decimals, &seeds);
    cpi::freeze(source, accounts.mint, accounts.asset, &seeds);

    // 4. Exactly the amount was moved, and the source is frozen again.
    moved.check()?;
    if !reading::is_frozen(source) {
        return Err(Error::AccountNotFrozen);
    }
    emit(RecoveryExecuted {
        mint: asset.mint,
        recovery: *accounts.recovery.address(),
        source: *source.address(),
        destination: *destination.address(),
        amount_raw,
    });
    Ok(())
}
