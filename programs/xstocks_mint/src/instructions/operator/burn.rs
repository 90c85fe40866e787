//! burn: out of the vaults, nobody else's tokens (M7).

use core::mem::MaybeUninit;

use crate::{
    account::{load, view_mut},
    args::IntentArg,
    cpi::{SupplyCall, Target},
    error::{Error, Result},
    events::{Burnt, BurntEntry, EventList},
    state::{scope, Asset, Config, State, ASSET_RELEASED},
    table::{
        burn::{Accounts, Args},
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

    let mut burnt = EventList::<Burnt, MAX_BATCH>::new(Burnt {});
    for_each(args.entries, batch.targets(), |intent, target, calls| {
        let item = burnt.place().ok_or(Error::TooManyEntries)?;
        burn_one(config, target, intent, item, calls)
    })?;
    burnt.emit();
    Ok(())
}

/// One entry, read afresh as in mint. A hold stops minting only, and a retired asset still burns.
#[inline(never)]
fn burn_one<'a>(
    config: &Config,
    target: &'a Target,
    intent: &IntentArg,
    item: &mut MaybeUninit<BurntEntry>,
    calls: &mut Calls<'a>,
) -> Result {
    let [asset_account, mint, vault] = target;
    let (sequence, amount_raw) = (intent.sequence, intent.amount_raw);
    // SAFETY: validated and writable (Batch::read); this is the only reference to the asset's data.
    let asset = unsafe { view_mut::<Asset>(asset_account) };

    // 3. Not paused, still ours.
    require_running(config, asset, scope::BURN)?;
    if asset.state == ASSET_RELEASED {
        return Err(Error::AssetNotActive);
    }

    // 4. Sequence (M4) and amount.
    take_sequence(asset, sequence, intent.intent_hash)?;
    if amount_raw == 0 {
        return Err(Error::AmountZero);
    }
    if token::amount_raw(vault)? < amount_raw {
        return Err(Error::InventoryTooLow);
    }
    // The vault holds the amount, so the supply does.
    let supply_raw = token::supply_raw(mint)?.checked_sub(amount_raw).ok_or(Error::SupplyMismatch)?;

    // 5. Effects; then the call, after which the supply is exactly the amount less.
    asset.burnt_raw = asset.burnt_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;
    asset.invariant()?;
    item.write(BurntEntry { mint: *mint.address(), sequence, amount_raw, supply_raw, intent_hash: intent.intent_hash });
    calls.add(SupplyCall::burn(target, amount_raw, asset.decimals, asset.bump), mint, supply_raw)
}
