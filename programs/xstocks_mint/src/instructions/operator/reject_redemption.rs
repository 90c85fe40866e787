//! reject_redemption: the tokens of an open redemption go back to the wallet that requested it.

use crate::{
    account::{load, load_mut},
    error::Result,
    events::{emit, RedemptionRejected},
    instructions::redeeming::{give_back, Return, Vault},
    state::{scope, Asset, Config, Redemption, REDEMPTION_REJECTED},
    table::{
        reject_redemption::{Accounts, Args},
        Context,
    },
};

use super::{require_operator, require_running};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts, duty, pauses.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    let redemption = load_mut::<Redemption>(context.program_id, accounts.redemption)?;
    require_operator(config, accounts.operator)?;
    require_running(config, asset, scope::REDEEM)?;

    // 2. The tokens.
    let given = Return {
        program_id: context.program_id,
        asset,
        vault: Vault {
            mint: accounts.mint,
            authority: accounts.redemption_authority,
            vault: accounts.redemption_vault,
        },
        destination: accounts.destination,
    };
    give_back(&given, redemption, REDEMPTION_REJECTED)?;
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
