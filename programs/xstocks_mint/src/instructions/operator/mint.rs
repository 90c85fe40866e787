//! mint: into the vaults, never above what fresh statements back (M1).

use core::mem::MaybeUninit;

use crate::{
    account::load,
    args::IntentArg,
    error::{cold_error, require, Error, Result},
    events::{Minted, MintedEntry},
    instructions::shared::{
        pause::require_running,
        roles::require_operator,
        sequence::take_sequence,
        supply_batch::{apply_batch, Batch, CheckedCustodians, CheckedTarget, SupplyChange},
    },
    state::{scope, Asset, Config, State, ASSET_ACTIVE},
    sysvar::Now,
    table::{
        mint::{Accounts, Args},
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

    apply_batch(&batch, &Mint { config, custodians: batch.custodians, now: Now::of(accounts.clock)? }, Minted {})
}

/// What all entries of a batch share.
struct Mint<'a> {
    config: &'a Config,
    custodians: CheckedCustodians<'a>,
    now: Now,
}

impl SupplyChange for Mint<'_> {
    type Event = Minted;
    const CALL: cpi::Supply = cpi::Supply::Mint;

    #[inline(always)]
    fn check(
        &self,
        target: &CheckedTarget,
        intent: &IntentArg,
        item: &mut MaybeUninit<MintedEntry>,
        expected_supply_raw: &mut u64,
    ) -> Result {
        let Self { config, custodians, now } = *self;
        let mint = target.mint();
        let (sequence, amount_raw) = (intent.sequence, intent.amount_raw);
        // SAFETY: in this function no other reference to the asset's data is made (`config` and the custodians are
        // accounts of other types), and `asset` ends with it: what it gives is a number.
        let asset = unsafe { target.asset().get_mut() };

        // 3. Not paused, no hold, active (M8, M9).
        require_running(config, asset, scope::MINT)?;
        require(asset.holds == 0, Error::OnHold)?;
        require(!asset.change_announced(), Error::MultiplierChangePending)?;
        require(asset.state == ASSET_ACTIVE, Error::AssetNotActive)?;

        // 4. Sequence (M4), taken at once: an error later undoes the whole transaction.
        take_sequence(asset, sequence, &intent.intent_hash)?;

        // 5. Amount, rate limit and supply limit (M5).
        require(amount_raw != 0, Error::AmountZero)?;
        consume_rate_limit(asset, amount_raw, now)?;
        let (supply_raw, limit_raw) = (reading::supply_raw(mint)?, asset.policy.supply_limit_raw);
        // The amount is compared with what is left below the limit, so that no sum can overflow.
        require(
            supply_raw <= limit_raw && amount_raw <= limit_raw.wrapping_sub(supply_raw),
            Error::SupplyLimitExceeded,
        )?;
        let supply_after_raw = supply_raw.wrapping_add(amount_raw); // at most the limit

        // 6. The multiplier the mint applies is the one the capacities were signed with.
        let applied_bits = reading::effective_multiplier_bits(mint, asset.scaled_ui_offset, now)?;
        require(applied_bits == asset.multiplier_bits, Error::MultiplierMismatch)?;

        // 7. Ceiling (M1, M2, M6).
        let ceiling_raw = asset.ceiling_raw(now, move |custodian| custodians.epoch_of(custodian));
        require(supply_after_raw <= ceiling_raw, Error::CeilingExceeded)?;

        // 8. The remaining effects; then the call, after which the supply is read again (M1): exactly the amount more.
        // That it is within the ceiling follows, since that very sum was compared with it above.
        asset.minted_raw = asset.minted_raw.checked_add(amount_raw).ok_or_else(|| cold_error(Error::Overflow))?;
        asset.invariant()?;
        item.write(MintedEntry {
            mint: *mint.address(),
            sequence,
            amount_raw,
            supply_raw: supply_after_raw,
            ceiling_raw,
            intent_hash: intent.intent_hash,
        });
        *expected_supply_raw = supply_after_raw;
        Ok(())
    }
}

/// Takes the amount out of the one-time allowance, which passes the bucket and goes first, and then out of the bucket.
#[inline(always)]
fn consume_rate_limit(asset: &mut Asset, amount_raw: u64, now: Now) -> Result {
    let mut metered_raw = amount_raw;
    if asset.initial_mint_raw != 0 {
        let allowance_raw = asset.initial_mint_raw.min(amount_raw);
        asset.initial_mint_raw = asset.initial_mint_raw.wrapping_sub(allowance_raw); // allowance <= initial
        metered_raw = amount_raw.wrapping_sub(allowance_raw); // allowance <= amount
    }
    if metered_raw != 0 {
        asset.mint_bucket =
            asset.mint_bucket.refilled(now.ts, asset.policy.mint_burst_raw, asset.policy.mint_refill_raw_per_sec);
        asset.mint_bucket.take(metered_raw)?;
    }
    Ok(())
}
