//! freeze: a holder's token account can neither send nor receive, at once. So many a day (M7).

use crate::{
    account::{load, load_mut},
    error::{Error, Result},
    events::{emit, Frozen},
    instructions::shared::{
        holder_account::{owner_of_holder_account, require_freezable},
        roles::require_compliance,
    },
    pda::asset_seeds,
    state::{Asset, Config, State},
    sysvar::Now,
    table::{
        freeze::{Accounts, Args},
        Context,
    },
    token_2022::{cpi, reading},
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    let config = load::<Config>(context.program_id, accounts.config)?;
    // SAFETY: no other reference to the asset's data is made in this instruction: `config` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    require_compliance(config, accounts.compliance)?;
    require_freezable(asset, accounts.mint)?;
    let owner = *owner_of_holder_account(asset, accounts.account)?;
    if reading::is_frozen(accounts.account) {
        return Err(Error::AccountFrozen);
    }
    asset.take_freeze(Now::read()?)?;
    asset.invariant()?;
    let bump = [asset.bump];
    cpi::freeze(accounts.account, accounts.mint, accounts.asset, &asset_seeds(&asset.mint, &bump));
    if !reading::is_frozen(accounts.account) {
        return Err(Error::AccountNotFrozen);
    }
    emit(Frozen { mint: asset.mint, account: *accounts.account.address(), owner });
    Ok(())
}
