//! freeze: a holder's token account can neither send nor receive, at once.

use crate::{
    account::load,
    cpi,
    error::{Error, Result},
    events::{emit, Frozen},
    state::{Asset, Config},
    table::{
        freeze::{Accounts, Args},
        Context,
    },
    token,
};

use super::{holders_account, require_compliance, require_freezable};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    require_compliance(config, accounts.compliance)?;
    require_freezable(asset, accounts.mint)?;
    let owner = *holders_account(asset, accounts.account)?;
    if token::is_frozen(accounts.account) {
        return Err(Error::AccountFrozen);
    }
    let bump = [asset.bump];
    cpi::freeze(accounts.account, accounts.mint, accounts.asset, &cpi::asset_seeds(&asset.mint, &bump));
    if !token::is_frozen(accounts.account) {
        return Err(Error::AccountNotFrozen);
    }
    emit(Frozen { mint: asset.mint, account: *accounts.account.address(), owner });
    Ok(())
}
