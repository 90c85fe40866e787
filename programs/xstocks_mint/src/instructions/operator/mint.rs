//! mint: into the vaults, never above what fresh statements back (M1).

use core::mem::MaybeUninit;

use crate::{
    account::{load, view_mut, Now},
    args::IntentArg,
    cpi::{SupplyCall, Target},
    error::{Error, Result},
    events::{EventList, Minted, MintedEntry},
    state::{scope, Asset, Config, State, ASSET_ACTIVE},
    table::{
        mint::{Accounts, Args},
        Context,
    },
    token,
};

use super::{
    batch::{for_each, Batch, Calls, MAX_BATCH},
    require_operator, require_running, take_sequence,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let batch = Batch::read(context, accounts.remaining, args.entries.len())?;
    // 2. Duty.
    require_operator(config, accounts.operator)?;

    let targets = batch.targets();
    let common = Common { config, batch, now: Now::read()? };
    let mut minted = EventList::<Minted, MAX_BATCH>::new(Minted {});
    for_each(args.entries, targets, |intent, target, calls| {
        let item = minted.place().ok_or(Error::TooManyEntries)?;
        mint_one(&common, target, intent, item, calls)
    })?;
    minted.emit();
    Ok(())
}

/// What all entries of a batch share.
struct Common<'a> {
    config: &'a Config,
    batch: Batch<'a>,
    now: Now,
}

/// One entry. Everything is read here, so that a second entry of the same asset sees what the first one did.
#[inline(never)] // on its own it keeps more in registers: about 40 compute units less
fn mint_one<'a>(
    common: &Common,
    target: &'a Target,
    intent: &IntentArg,
    item: &mut MaybeUninit<MintedEntry>,
    calls: &mut Calls<'a>,
) -> Result {
    let Common { config, batch, now } = common;
    let [asset_account, mint, _] = target;
    let (sequence, amount_raw) = (intent.sequence, intent.amount_raw);
    // SAFETY: validated and writable (Batch::read); this is the only reference to the asset's data.
    let asset = unsafe { view_mut::<Asset>(asset_account) };

    // 3. Not paused, no hold, active (M8, M9).
    require_running(config, asset, scope::MINT)?;
    if asset.holds != 0 {
        return Err(Error::OnHold);
    }
    if asset.change_announced() {
        return Err(Error::MultiplierChangePending);
    }
    if asset.state != ASSET_ACTIVE {
        return Err(Error::AssetNotActive);
    }

    // 4. Sequence (M4), taken at once: an error later undoes the whole transaction.
    take_sequence(asset, sequence, intent.intent_hash)?;

    // 5. Amount, bucket and supply limit (M5). The one-time allowance passes the bucket and goes first.
    if amount_raw == 0 {
        return Err(Error::AmountZero);
    }
    let allowance_raw = asset.initial_mint_raw.min(amount_raw);
    asset.initial_mint_raw = asset.initial_mint_raw.wrapping_sub(allowance_raw); // allowance <= initial
    let metered_raw = amount_raw.wrapping_sub(allowance_raw); // allowance <= amount
    if metered_raw != 0 {
        asset.mint_bucket =
            asset.mint_bucket.refilled(now.ts, asset.policy.mint_burst_raw, asset.policy.mint_refill_raw_per_sec);
        asset.mint_bucket.take(metered_raw)?;
    }
    let supply_before_raw = token::supply_raw(mint)?;
    let supply_raw = supply_before_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;
    if supply_raw > asset.policy.supply_limit_raw {
        return Err(Error::SupplyLimitExceeded);
    }

    // 6. The multiplier the mint applies is the one the capacities were signed with.
    if token::effective_multiplier_bits(mint, asset.scaled_ui_offset, *now)? != asset.multiplier_bits {
        return Err(Error::MultiplierMismatch);
    }

    // 7. Ceiling (M1, M2, M6).
    let ceiling_raw = asset.ceiling_raw(*now, |custodian| batch.epoch_of(custodian));
    if supply_raw > ceiling_raw {
        return Err(Error::CeilingExceeded);
    }

    // 8. The remaining effects; then the call, after which the supply is read again (M1): exactly the amount more. That
    // it is within the ceiling follows, since that very sum was compared with it above.
    asset.minted_raw = asset.minted_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;
    asset.invariant()?;
    item.write(MintedEntry {
        mint: *mint.address(),
        sequence,
        amount_raw,
        supply_raw,
        ceiling_raw,
        intent_hash: intent.intent_hash,
    });
    calls.add(SupplyCall::mint(target, amount_raw, asset.decimals, asset.bump), mint, supply_raw)
}
