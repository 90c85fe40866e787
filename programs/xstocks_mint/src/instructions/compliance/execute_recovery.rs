//! execute_recovery: moves what was announced, exactly that (M7). Compliance and admin sign.

use crate::{
    account::{load, load_mut, same, Now},
    cpi,
    error::{Error, Result},
    events::{emit, RecoveryExecuted},
    instructions::{admin::require_admin, operator::require_running},
    state::{scope, Asset, Config, Recovery, State, RECOVERY_ANNOUNCED, RECOVERY_EXECUTED},
    table::{
        execute_recovery::{Accounts, Args},
        Context,
    },
    token::{self, Moved},
};

use super::{holders_account, require_compliance, require_freezable};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and duties.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    let recovery = load_mut::<Recovery>(context.program_id, accounts.recovery)?;
    require_compliance(config, accounts.compliance)?;
    require_admin(config, accounts.admin)?;
    require_freezable(asset, accounts.mint)?;
    let (source, destination) = (accounts.source, accounts.destination);
    // The mint too: once it is released others may thaw the source, and the holder makes it anew for another mint.
    if !same(&recovery.source, source.address())
        || !same(&recovery.destination, destination.address())
        || !same(&recovery.mint, &asset.mint)
    {
        return Err(Error::RecoveryMismatch);
    }
    // The source is frozen and not empty since the announcement, so it is what it was; the destination is anybody's.
    holders_account(asset, source)?;
    holders_account(asset, destination)?;
    if token::is_frozen(destination) {
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
    let seeds = cpi::asset_seeds(&asset.mint, &bump);
    cpi::thaw(source, accounts.mint, accounts.asset, &seeds);
    cpi::transfer(source, accounts.mint, destination, accounts.asset, amount_raw, asset.decimals, &seeds);
    cpi::freeze(source, accounts.mint, accounts.asset, &seeds);

    // 4. Exactly the amount was moved, and the source is frozen again.
    moved.check()?;
    if !token::is_frozen(source) {
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
