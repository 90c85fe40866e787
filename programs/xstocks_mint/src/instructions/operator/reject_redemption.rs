//! reject_redemption: the tokens of an open redemption go back to the wallet that requested it.

use crate::{
    account::{load, load_mut},
    error::Result,
    events::{emit, RedemptionRejected},
    instructions::shared::{
        pause::require_running,
        redemption::{refund, Refund, Vault},
        roles::require_operator,
    },
    state::{scope, Asset, Config, Redemption, REDEMPTION_REJECTED},
    table::{
        reject_redemption::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts, role, pauses.
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` and `redemption` are accounts
    // of other types.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: `asset` and `config` are
    // accounts of other types.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    require_operator(config, accounts.operator)?;
    require_running(config, asset, scope::REDEEM)?;

    // 2. The tokens.
    let mut given = Refund {
        program_id: context.program_id,
        asset,
        vault: Vault {
            mint: accounts.mint,
            authority: accounts.redemption_authority,
            vault: accounts.redemption_vault,
        },
        destination: accounts.destination,
        participant: accounts.participant,
    };
    refund(&mut given, redemption, REDEMPTION_REJECTED)?;
    emit(RedemptionRejected {
        mint: redemption.mint,
        redemption: *accounts.redemption.address(),
        id: redemption.id,
        wallet: redemption.wallet,
        destination: *accounts.destination.address(),
        amount_raw: redemption.amount_raw,
    });
    Ok(())
}
