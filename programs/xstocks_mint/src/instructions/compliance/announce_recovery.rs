//! announce_recovery: freezes a token account at once and says what will be moved out of it, where to and when.

use crate::{
    account::{create, load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, RecoveryAnnounced},
    instructions::shared::{
        holder_account::{owner_of_holder_account, require_freezable},
        roles::require_compliance,
    },
    pda::{asset_seeds, RECOVERY_SEED},
    state::{later, Asset, Config, Recovery, State, RECOVERY_ANNOUNCED, YEAR_SECS},
    sysvar::Now,
    table::{
        announce_recovery::{Accounts, Args},
        Context,
    },
    token_2022::{cpi, reading},
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` and `recovery` are accounts
    // of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_compliance(config, accounts.compliance)?;
    require_freezable(asset, accounts.mint)?;
    let (source, destination) = (accounts.source.address(), accounts.destination.address());
    if address_eq(source, destination) {
        return Err(Error::RecoveryToItself);
    }
    owner_of_holder_account(asset, accounts.source)?;
    owner_of_holder_account(asset, accounts.destination)?;
    if reading::is_frozen(accounts.destination) {
        return Err(Error::AccountFrozen);
    }

    // 2. Amount and delay.
    if args.amount_raw == 0 {
        return Err(Error::AmountZero);
    }
    if args.amount_raw > reading::amount_raw(accounts.source)? {
        return Err(Error::RecoveryTooLarge);
    }
    if args.delay_secs < config.timelock_secs || args.delay_secs > YEAR_SECS {
        return Err(Error::RecoveryDelayInvalid);
    }
    let now = Now::read()?;
    let ready_ts = later(now.ts, args.delay_secs)?;

    // 3. A new record, or that of a finished recovery again.
    let recovery = if accounts.recovery.owned_by(context.program_id) {
        // SAFETY: no other reference to the recovery's data is made in this instruction: `asset` and `config` are
        // accounts of other types.
        let recovery = unsafe { load_mut::<Recovery>(context.program_id, accounts.recovery) }?;
        if !address_eq(&recovery.source, source) {
            return Err(Error::ConstraintSeeds);
        }
        if recovery.state == RECOVERY_ANNOUNCED {
            return Err(Error::RecoveryOpen);
        }
        recovery
    } else {
        let seeds: [&[u8]; 2] = [RECOVERY_SEED, source.as_array()];
        // SAFETY: the account is made here, so no older reference to its data can be, and no other is made below.
        unsafe { create::<Recovery>(context.program_id, accounts.compliance, accounts.recovery, &seeds) }?
    };
    recovery.state = RECOVERY_ANNOUNCED;
    recovery.amount_raw = args.amount_raw;
    recovery.announced_ts = now.ts;
    recovery.ready_ts = ready_ts;
    recovery.mint = asset.mint;
    recovery.source = *source;
    recovery.destination = *destination;
    recovery.invariant()?;

    // 4. The call: nothing leaves the source meanwhile. It is a freeze, and counts as one (M7).
    if !reading::is_frozen(accounts.source) {
        asset.take_freeze(now)?;
        asset.invariant()?;
        let bump = [asset.bump];
        cpi::freeze(accounts.source, accounts.mint, accounts.asset, &asset_seeds(&asset.mint, &bump));
        if !reading::is_frozen(accounts.source) {
            return Err(Error::AccountNotFrozen);
        }
    }
    emit(RecoveryAnnounced {
        mint: asset.mint,
        recovery: *accounts.recovery.address(),
        source: *source,
        destination: *destination,
        amount_raw: args.amount_raw,
        ready_ts,
    });
    Ok(())
}
