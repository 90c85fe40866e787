//! burn: out of the vaults, nobody else's tokens (M7).

use core::mem::MaybeUninit;

use crate::{
    account::load,
    args::IntentArg,
    error::{cold_error, require, Error, Result},
    events::{Burnt, BurntEntry},
    instructions::shared::{
        pause::require_running,
        roles::require_operator,
        sequence::take_sequence,
        supply_batch::{apply_batch, Batch, CheckedTarget, SupplyChange},
    },
    state::{scope, Config, State, ASSET_RELEASED},
    sysvar::Now,
    table::{
        burn::{Accounts, Args},
        Context,
    },
    token_2022::{cpi, reading},
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts; the targets are validated below.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let batch = Batch::read(context, accounts.remaining, args.entries)?;
    // 2. Role.
    require_operator(config, accounts.operator)?;

    apply_batch(&batch, &Burn { config, now: Now::of(accounts.clock)? }, Burnt {})
}

/// What all entries of a batch share.
struct Burn<'a> {
    config: &'a Config,
    now: Now,
}

impl SupplyChange for Burn<'_> {
    type Event = Burnt;
    const CALL: cpi::Supply = cpi::Supply::Burn;

    /// A hold stops minting only, and a retired asset still burns.
    #[inline(always)]
    fn check(
        &self,
        target: &CheckedTarget,
        intent: &IntentArg,
        item: &mut MaybeUninit<BurntEntry>,
        expected_supply_raw: &mut u64,
    ) -> Result {
        let mint = target.mint();
        let (sequence, amount_raw) = (intent.sequence, intent.amount_raw);
        // SAFETY: in this function no other reference to the asset's data is made (`config` is an account of another
        // type), and `asset` ends with it: what it gives is a number.
        let asset = unsafe { target.asset().get_mut() };

        // 3. Not paused, still ours.
        require_running(self.config, asset, scope::BURN)?;
        require(asset.state != ASSET_RELEASED, Error::AssetNotActive)?;

        // 4. Sequence (M4), amount and bucket (M5).
        take_sequence(asset, sequence, &intent.intent_hash)?;
        require(amount_raw != 0, Error::AmountZero)?;
        asset.take_burn(amount_raw, self.now)?;
        require(reading::amount_raw(target.vault())? >= amount_raw, Error::InventoryTooLow)?;
        // The vault holds the amount, so the supply does.
        let supply_after_raw =
            reading::supply_raw(mint)?.checked_sub(amount_raw).ok_or_else(|| cold_error(Error::SupplyMismatch))?;

        // 5. Effects; then the call, after which the supply is exactly the amount less.
        asset.burnt_raw = asset.burnt_raw.checked_add(amount_raw).ok_or_else(|| cold_error(Error::Overflow))?;
        asset.invariant()?;
        item.write(BurntEntry {
            mint: *mint.address(),
            sequence,
            amount_raw,
            supply_raw: supply_after_raw,
            intent_hash: intent.intent_hash,
        });
        *expected_supply_raw = supply_after_raw;
        Ok(())
    }
}
