//! burn: out of the vaults, nobody else's tokens (M7).

use core::mem::MaybeUninit;

use crate::{
    account::{load, view_mut},
    args::IntentArg,
    cpi::{self, Target},
    error::{refusal, require, Error, Result},
    events::{Burnt, BurntEntry},
    state::{scope, Asset, Config, State, ASSET_RELEASED},
    table::{
        burn::{Accounts, Args},
        Context,
    },
    token,
};

use super::{
    batch::{change_all, Batch, Change, SupplyAfter},
    require_operator, require_running, take_sequence,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts; the targets are validated below.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let batch = Batch::read(context, accounts.remaining, args.entries)?;
    // 2. Duty.
    require_operator(config, accounts.operator)?;

    change_all(&batch, &Burn { config }, Burnt {})
}

/// What all entries of a batch share.
struct Burn<'a> {
    config: &'a Config,
}

impl SupplyAfter for BurntEntry {
    #[inline(always)]
    fn supply_raw(&self) -> u64 {
        self.supply_raw
    }
}

impl Change for Burn<'_> {
    type Event = Burnt;
    const CALL: cpi::Supply = cpi::Supply::Burn;

    /// A hold stops minting only, and a retired asset still burns.
    #[inline(never)]
    fn check(&self, target: &Target, intent: &IntentArg, item: &mut MaybeUninit<BurntEntry>) -> Result {
        let [asset_account, mint, vault] = target;
        let (sequence, amount_raw) = (intent.sequence, intent.amount_raw);
        // SAFETY: validated and writable (check_target); this is the only reference to the asset's data.
        let asset = unsafe { view_mut::<Asset>(asset_account) };

        // 3. Not paused, still ours.
        require_running(self.config, asset, scope::BURN)?;
        require(asset.state != ASSET_RELEASED, Error::AssetNotActive)?;

        // 4. Sequence (M4) and amount.
        take_sequence(asset, sequence, &intent.intent_hash)?;
        require(amount_raw != 0, Error::AmountZero)?;
        require(token::amount_raw(vault)? >= amount_raw, Error::InventoryTooLow)?;
        // The vault holds the amount, so the supply does.
        let supply_raw =
            token::supply_raw(mint)?.checked_sub(amount_raw).ok_or_else(|| refusal(Error::SupplyMismatch))?;

        // 5. Effects; then the call, after which the supply is exactly the amount less.
        asset.burnt_raw = asset.burnt_raw.checked_add(amount_raw).ok_or_else(|| refusal(Error::Overflow))?;
        asset.invariant()?;
        item.write(BurntEntry {
            mint: *mint.address(),
            sequence,
            amount_raw,
            supply_raw,
            intent_hash: intent.intent_hash,
        });
        Ok(())
    }
}
