//! announce_recovery: freezes a token account at once and says what will be moved out of it, where to and when.

use crate::{
    account::{create, load, load_mut, same, Now},
    cpi,
    error::{Error, Result},
    events::{emit, RecoveryAnnounced},
    state::{later, Asset, Config, Recovery, State, RECOVERY_ANNOUNCED, YEAR_SECS},
    table::{
        announce_recovery::{Accounts, Args},
        Context,
    },
    token,
};

use super::{holders_account, require_compliance, require_freezable};

/// First seed of every Recovery.
pub const RECOVERY_SEED: &[u8] = b"recovery";

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and duty.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    require_compliance(config, accounts.compliance)?;
    require_freezable(asset, accounts.mint)?;
    let (source, destination) = (accounts.source.address(), accounts.destination.address());
    if same(source, destination) {
        return Err(Error::RecoveryToItself);
    }
    holders_account(asset, accounts.source)?;
    holders_account(asset, accounts.destination)?;
    if token::is_frozen(accounts.destination) {
        return Err(Error::AccountFrozen);
    }

    // 2. Amount and delay.
    if args.amount_raw == 0 {
        return Err(Error::AmountZero);
    }
    if args.amount_raw > token::amount_raw(accounts.source)? {
        return Err(Error::RecoveryTooLarge);
    }
    if args.delay_secs < config.timelock_secs || args.delay_secs > YEAR_SECS {
        return Err(Error::RecoveryDelayInvalid);
    }
    let now = Now::read()?;
    let ready_ts = later(now.ts, args.delay_secs)?;

    // 3. A new record, or that of a finished recovery again.
    let recovery = if accounts.recovery.owned_by(context.program_id) {
        let recovery = load_mut::<Recovery>(context.program_id, accounts.recovery)?;
        if !same(&recovery.source, source) {
            return Err(Error::ConstraintSeeds);
        }
        if recovery.state == RECOVERY_ANNOUNCED {
            return Err(Error::RecoveryOpen);
        }
        recovery
    } else {
        let seeds: [&[u8]; 2] = [RECOVERY_SEED, source.as_array()];
        create::<Recovery>(context.program_id, accounts.compliance, accounts.recovery, &seeds)?
    };
    recovery.state = RECOVERY_ANNOUNCED;
    recovery.amount_raw = args.amount_raw;
    recovery.announced_ts = now.ts;
    recovery.ready_ts = ready_ts;
    recovery.mint = asset.mint;
    recovery.source = *source;
    recovery.destination = *destination;
    recovery.invariant()?;

    // 4. The call: nothing leaves the source meanwhile.
    if !token::is_frozen(accounts.source) {
        let bump = [asset.bump];
        cpi::freeze(accounts.source, accounts.mint, accounts.asset, &cpi::asset_seeds(&asset.mint, &bump));
        if !token::is_frozen(accounts.source) {
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
