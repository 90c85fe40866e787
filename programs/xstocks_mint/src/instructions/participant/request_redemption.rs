//! request_redemption: a participant brings tokens into the redemption vault, for the shares behind them.

use crate::{
    account::{create, load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, RedemptionRequested},
    instructions::shared::pause::require_running,
    pda::REDEMPTION_SEED,
    state::{scope, Asset, Config, Participant, Redemption, State, ASSET_RELEASED, REDEMPTION_REQUESTED},
    sysvar::Now,
    table::{
        request_redemption::{Accounts, Args},
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
    // SAFETY: no other reference to the asset's data is made in this instruction: the others are accounts of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    let participant = load::<Participant>(context.program_id, accounts.participant)?;
    let (mint, wallet) = (accounts.mint.address(), accounts.wallet.address());
    if !address_eq(&asset.mint, mint) {
        return Err(Error::WrongMint);
    }
    if !address_eq(&asset.redemption_vault, accounts.redemption_vault.address()) {
        return Err(Error::WrongRedemptionVault);
    }
    if !address_eq(&participant.wallet, wallet) {
        return Err(Error::ParticipantMismatch);
    }
    let source = accounts.source.address();
    if asset.is_vault(source) {
        return Err(Error::SourceIsVault);
    }
    let holder = reading::owner_of_unfrozen(accounts.source, mint).ok_or(Error::SourceInvalid)?;
    if !address_eq(holder, wallet) {
        return Err(Error::SourceOwnerMismatch);
    }

    // 2. Pauses, state, permission. A retired asset is still redeemed.
    require_running(config, asset, scope::REDEEM)?;
    if asset.state == ASSET_RELEASED {
        return Err(Error::AssetNotActive);
    }
    let now = Now::read()?;
    participant.require_active(now)?;

    // 3. Amount.
    let amount_raw = args.amount_raw;
    if amount_raw == 0 {
        return Err(Error::AmountZero);
    }
    let moved = Moved::expected(accounts.source, accounts.redemption_vault, amount_raw, Error::SourceTooLow)?;

    // 4. The record, at an address that is used once.
    let seeds: [&[u8]; 3] = [REDEMPTION_SEED, mint.as_array(), args.id];
    // SAFETY: the account is made here, so no older reference to its data can be, and no other is made below.
    let redemption = unsafe { create::<Redemption>(context.program_id, accounts.wallet, accounts.redemption, &seeds) }?;
    redemption.state = REDEMPTION_REQUESTED;
    redemption.requested_ts = now.ts;
    redemption.amount_raw = amount_raw;
    redemption.mint = *mint;
    redemption.wallet = *wallet;
    redemption.source = *source;
    redemption.id = *args.id;
    redemption.invariant()?;
    asset.redemption_opened()?;
    asset.invariant()?;

    // 5. The call, and exactly that (M7).
    cpi::transfer(
        accounts.source,
        accounts.mint,
        accounts.redemption_vault,
        accounts.wallet,
        amount_raw,
        asset.decimals,
        &[],
    );
    moved.check()?;
    emit(RedemptionRequested {
        mint: *mint,
        redemption: *accounts.redemption.address(),
        id: *args.id,
        wallet: *wallet,
        source: *source,
        amount_raw,
    });
    Ok(())
}
