//! distribute: from the vault to an active participant, the only way out.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, Distributed},
    instructions::shared::{pause::require_running, roles::require_operator, sequence::take_sequence},
    pda::asset_seeds,
    state::{scope, Asset, Config, Participant, State, ASSET_ACTIVE},
    sysvar::Now,
    table::{
        distribute::{Accounts, Args},
        Context,
    },
    token_2022::{
        cpi,
        reading::{self, Moved},
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` and `participant` are
    // accounts of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    let participant = load::<Participant>(context.program_id, accounts.participant)?;
    if !address_eq(&asset.mint, accounts.mint.address()) {
        return Err(Error::WrongMint);
    }
    if !address_eq(&asset.vault, accounts.vault.address()) {
        return Err(Error::WrongVault);
    }
    let destination = accounts.destination.address();
    if asset.is_vault(destination) {
        return Err(Error::DestinationIsVault);
    }
    let holder =
        reading::owner_of_unfrozen(accounts.destination, accounts.mint.address()).ok_or(Error::DestinationInvalid)?;
    if !address_eq(holder, &participant.wallet) {
        return Err(Error::DestinationOwnerMismatch);
    }

    // 2. Role, pauses, state.
    require_operator(config, accounts.operator)?;
    require_running(config, asset, scope::DISTRIBUTE)?;
    if asset.state != ASSET_ACTIVE {
        return Err(Error::AssetNotActive);
    }
    let now = Now::read()?;
    participant.require_active(now)?;

    // 3. Sequence (M4), amount, order, bucket (M5), inventory.
    take_sequence(asset, args.sequence, args.intent_hash)?;
    if args.amount_raw == 0 {
        return Err(Error::AmountZero);
    }
    if *args.order_id == [0; 16] {
        return Err(Error::OrderIdZero);
    }
    asset.distribute_bucket = asset.distribute_bucket.refilled(
        now.ts,
        asset.policy.distribute_burst_raw,
        asset.policy.distribute_refill_raw_per_sec,
    );
    asset.distribute_bucket.take(args.amount_raw)?;
    let moved = Moved::expected(accounts.vault, accounts.destination, args.amount_raw, Error::InventoryTooLow)?;

    // 4. Effects, then the call.
    asset.distributed_raw = asset.distributed_raw.checked_add(args.amount_raw).ok_or(Error::Overflow)?;
    asset.invariant()?;
    let (bump, decimals) = ([asset.bump], asset.decimals);
    let seeds = asset_seeds(accounts.mint.address(), &bump);
    cpi::transfer(
        accounts.vault,
        accounts.mint,
        accounts.destination,
        accounts.asset,
        args.amount_raw,
        decimals,
        &seeds,
    );

    // 5. Exactly that (M7).
    moved.check()?;
    emit(Distributed {
        mint: *accounts.mint.address(),
        sequence: args.sequence,
        amount_raw: args.amount_raw,
        order_id: *args.order_id,
        destination: *destination,
        intent_hash: *args.intent_hash,
    });
    Ok(())
}
