//! cancel_multiplier: takes an announced change back before it takes effect. M9's window starts: what was booked for
//! the change may still be in the books.

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, MultiplierCancelled},
    instructions::shared::{multiplier::require_applied_multiplier, roles::require_corporate_actions_or_guardian},
    pda::asset_seeds,
    state::{Asset, Config, State},
    sysvar::Now,
    table::{
        cancel_multiplier::{Accounts, Args},
        Context,
    },
    token_2022::{cpi, reading},
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    let mint = accounts.mint;
    let by = accounts.authority.address();
    require_corporate_actions_or_guardian(config, accounts.authority)?;

    // 2. The very change that is pending.
    let now = Now::read()?;
    if !asset.change_announced() {
        return Err(Error::NoMultiplierPending);
    }
    if now.ts >= asset.multiplier_effective_ts {
        return Err(Error::MultiplierTookEffect);
    }
    if args.pending_bits != asset.pending_multiplier_bits {
        return Err(Error::MultiplierChanged);
    }
    require_applied_multiplier(asset, mint, now)?;

    // 3. Effects, then the call.
    asset.pending_multiplier_bits = 0;
    asset.multiplier_effective_ts = 0;
    asset.change_cancelled_ts = now.ts;
    emit(MultiplierCancelled { mint: asset.mint, cancelled_bits: args.pending_bits, by: *by });
    asset.invariant()?;
    let (bump, offset, bits) = ([asset.bump], asset.scaled_ui_offset, asset.multiplier_bits);
    let seeds = asset_seeds(mint.address(), &bump);
    cpi::update_multiplier(mint, accounts.asset, bits, now.ts, &seeds);

    // 4. For ever.
    let never = Now { ts: i64::MAX };
    if reading::effective_multiplier_bits(mint, offset, now)? != bits
        || reading::effective_multiplier_bits(mint, offset, never)? != bits
    {
        return Err(Error::MultiplierNotSet);
    }
    Ok(())
}
