//! announce_redemption_recovery: holds an open redemption at once and says where its tokens will go, and when.

use crate::{
    account::{create, load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, RecoveryAnnounced},
    instructions::shared::{holder_account::owner_of_holder_account, roles::require_compliance},
    pda::RECOVERY_SEED,
    state::{later, Asset, Config, Recovery, Redemption, State, RECOVERY_ANNOUNCED, YEAR_SECS},
    sysvar::Now,
    table::{
        announce_redemption_recovery::{Accounts, Args},
        Context,
    },
    token_2022::reading,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: `asset`, `config` and `recovery`
    // are accounts of other types.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    require_compliance(config, accounts.compliance)?;
    if !address_eq(&asset.mint, accounts.mint.address()) {
        return Err(Error::WrongMint);
    }
    if !address_eq(&redemption.mint, &asset.mint) {
        return Err(Error::RedemptionMismatch);
    }
    redemption.require_open()?;
    owner_of_holder_account(asset, accounts.destination)?;
    if reading::is_frozen(accounts.destination) {
        return Err(Error::AccountFrozen);
    }

    // 2. Delay.
    if args.delay_secs < config.timelock_secs || args.delay_secs > YEAR_SECS {
        return Err(Error::RecoveryDelayInvalid);
    }
    let now = Now::read()?;
    let ready_ts = later(now.ts, args.delay_secs)?;

    // 3. It waits from now on.
    redemption.on_hold = 1;
    redemption.invariant()?;

    // 4. A new record, or that of a cancelled recovery again.
    let source = accounts.redemption.address();
    let recovery = if accounts.recovery.owned_by(context.program_id) {
        // SAFETY: no other reference to the recovery's data is made in this instruction: `asset`, `config` and
        // `redemption` are accounts of other types.
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
    recovery.amount_raw = redemption.amount_raw;
    recovery.announced_ts = now.ts;
    recovery.ready_ts = ready_ts;
    recovery.mint = asset.mint;
    recovery.source = *source;
    recovery.destination = *accounts.destination.address();
    recovery.invariant()?;

    emit(RecoveryAnnounced {
        mint: asset.mint,
        recovery: *accounts.recovery.address(),
        source: *source,
        destination: *accounts.destination.address(),
        amount_raw: redemption.amount_raw,
        ready_ts,
    });
    Ok(())
}
