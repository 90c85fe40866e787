//! mint: into the vaults, never above what fresh statements back (M1).

use core::mem::MaybeUninit;

use crate::{
    account::{load, view_mut, Now},
    args::IntentArg,
    cpi::{self, Target},
    error::{require, Error, Result},
    events::{Minted, MintedEntry},
    state::{scope, Asset, Config, State, ASSET_ACTIVE},
    table::{
        mint::{Accounts, Args},
        Context,
    },
    token,
};

use pinocchio::AccountView;

use super::{
    batch::{change_all, epoch_of, Batch, Change, SupplyAfter},
    require_operator, require_running, take_sequence,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts; the targets are validated below.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let batch = Batch::read(context, accounts.remaining, args.entries)?;
    // 2. Duty.
    require_operator(config, accounts.operator)?;

    change_all(&batch, &Mint { config, custodians: batch.custodians, now: Now::of(accounts.clock)? }, Minted {})
}

/// What all entries of a batch share.
struct Mint<'a> {
    config: &'a Config,
    custodians: &'a [AccountView],
    now: Now,
}

impl SupplyAfter for MintedEntry {
    #[inline(always)]
    fn supply_raw(&self) -> u64 {
        self.supply_raw
    }
}

impl Change for Mint<'_> {
    type Event = Minted;
    const CALL: cpi::Supply = cpi::Supply::Mint;

    #[inline(always)]
    fn check(&self, target: &Target, intent: &IntentArg, item: &mut MaybeUninit<MintedEntry>) -> Result {
        let Self { config, custodians, now } = self;
        let [asset_account, mint, _] = target;
        let (sequence, amount_raw) = (intent.sequence, intent.amount_raw);
        // SAFETY: validated and writable (check_target); this is the only reference to the asset's data.
        let asset = unsafe { view_mut::<Asset>(asset_account) };

        // 3. Not paused, no hold, active (M8, M9).
        require_running(config, asset, scope::MINT)?;
        require(asset.holds == 0, Error::OnHold)?;
        require(!asset.change_announced(), Error::MultiplierChangePending)?;
        require(asset.state == ASSET_ACTIVE, Error::AssetNotActive)?;

        // 4. Sequence (M4), taken at once: an error later undoes the whole transaction.
        take_sequence(asset, sequence, &intent.intent_hash)?;

        // 5. Amount, bucket and supply limit (M5).
        require(amount_raw != 0, Error::AmountZero)?;
        meter(asset, amount_raw, *now)?;
        let (supply_raw, limit_raw) = (token::supply_raw(mint)?, asset.policy.supply_limit_raw);
        require(
            supply_raw <= limit_raw && amount_raw <= limit_raw.wrapping_sub(supply_raw),
            Error::SupplyLimitExceeded,
        )?;
        let supply_raw = supply_raw.wrapping_add(amount_raw); // at most the limit

        // 6. The multiplier the mint applies is the one the capacities were signed with.
        let applied_bits = token::effective_multiplier_bits(mint, asset.scaled_ui_offset, *now)?;
        require(applied_bits == asset.multiplier_bits, Error::MultiplierMismatch)?;

        // 7. Ceiling (M1, M2, M6).
        let ceiling_raw = asset.ceiling_raw(*now, |custodian| epoch_of(custodians, custodian));
        require(supply_raw <= ceiling_raw, Error::CeilingExceeded)?;

        // 8. The remaining effects; then the call, after which the supply is read again (M1): exactly the amount more.
        // That it is within the ceiling follows, since that very sum was compared with it above.
        require(amount_raw <= !asset.minted_raw, Error::Overflow)?; // u64::MAX less what was minted
        asset.minted_raw = asset.minted_raw.wrapping_add(amount_raw);
        asset.invariant()?;
        item.write(MintedEntry {
            mint: *mint.address(),
            sequence,
            amount_raw,
            supply_raw,
            ceiling_raw,
            intent_hash: intent.intent_hash,
        });
        Ok(())
    }
}

/// Takes the amount out of the one-time allowance, which passes the bucket and goes first, and then out of the bucket.
#[inline(always)]
fn meter(asset: &mut Asset, amount_raw: u64, now: Now) -> Result {
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
