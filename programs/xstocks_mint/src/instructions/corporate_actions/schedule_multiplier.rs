//! schedule_multiplier: announces another multiplier. Minting is held from now until a statement with it arrives (M9).

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, MultiplierScheduled},
    instructions::shared::{multiplier::require_applied_multiplier, roles::require_corporate_actions},
    math::{check_multiplier, multiplier_within},
    pda::asset_seeds,
    state::{Asset, Config, State, ENTRY_ATTACHED},
    sysvar::Now,
    table::{
        schedule_multiplier::{Accounts, Args},
        Context,
    },
    token_2022::{cpi, reading},
};

/// A change announced further ahead would hold minting for longer than anybody means to.
const MAX_NOTICE_SECS: i64 = 90 * 24 * 60 * 60;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    let mint = accounts.mint;
    require_corporate_actions(config, accounts.corporate_actions)?;

    // 2. One change at a time; one whose time has come is in force.
    let now = Now::read()?;
    asset.activate_pending_multiplier(now);
    if asset.change_announced() {
        return Err(Error::MultiplierChangePending);
    }
    require_applied_multiplier(asset, mint, now)?;

    // 3. Made for the multiplier in force, and another one.
    if args.current_bits != asset.multiplier_bits {
        return Err(Error::MultiplierChanged);
    }
    check_multiplier(args.new_bits)?;
    if args.new_bits == args.current_bits {
        return Err(Error::NothingToChange);
    }

    // 4. Notice. now is below 2^40 and the notice below 2^32, so the sums fit.
    let (earliest_ts, latest_ts) =
        (now.ts.wrapping_add(i64::from(asset.policy.min_notice_secs).max(1)), now.ts.wrapping_add(MAX_NOTICE_SECS));
    if args.effective_ts < earliest_ts {
        return Err(Error::NoticeTooShort);
    }
    if args.effective_ts > latest_ts {
        return Err(Error::NoticeTooLong);
    }

    // 5. Beyond the policy's bound, and before a quorum has confirmed the last change, the admin signs too: the bound is of
    // one change, and changes multiply.
    if let Some(admin) = accounts.admin {
        if !address_eq(&config.admin, admin.address()) {
            return Err(Error::NotAdmin);
        }
    } else if !multiplier_within(args.current_bits, args.new_bits, asset.policy.max_multiplier_bps) || !is_stated(asset)
    {
        return Err(Error::MultiplierNeedsAdmin);
    }

    // 6. Effects, then the call.
    asset.forget_older_multipliers();
    asset.pending_multiplier_bits = args.new_bits;
    asset.multiplier_effective_ts = args.effective_ts;
    emit(MultiplierScheduled {
        mint: asset.mint,
        current_bits: args.current_bits,
        new_bits: args.new_bits,
        effective_ts: args.effective_ts,
    });
    asset.invariant()?;
    let (bump, offset) = ([asset.bump], asset.scaled_ui_offset);
    let seeds = asset_seeds(mint.address(), &bump);
    cpi::update_multiplier(mint, accounts.asset, args.new_bits, args.effective_ts, &seeds);

    // 7. The mint applies the old one until then and the new one from then on: not one from before the last change,
    // whose field Token-2022 leaves stale until it is told of another.
    let before = Now { ts: args.effective_ts.wrapping_sub(1) }; // effective > now >= 0
    let then = Now { ts: args.effective_ts };
    if reading::effective_multiplier_bits(mint, offset, now)? != args.current_bits
        || reading::effective_multiplier_bits(mint, offset, before)? != args.current_bits
        || reading::effective_multiplier_bits(mint, offset, then)? != args.new_bits
    {
        return Err(Error::MultiplierNotSet);
    }
    Ok(())
}

/// Whether every entry that counts states the multiplier in force, and after a change at least one does.
fn is_stated(asset: &Asset) -> bool {
    let mut stated = asset.multiplier_changed_ts == 0;
    for entry in asset.active_entries().filter(|entry| entry.state == ENTRY_ATTACHED && entry.withdrawn == 0) {
        if entry.multiplier_bits != asset.multiplier_bits {
            return false;
        }
        stated = true;
    }
    stated
}
