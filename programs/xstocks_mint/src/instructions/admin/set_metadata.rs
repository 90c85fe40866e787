//! set_metadata: writes fields of the mint's metadata, at once.

use crate::{
    account::{data, load, top_up},
    address::address_eq,
    error::{Error, Result},
    events::{emit, MetadataChanged},
    instructions::shared::{metadata::Target, roles::require_admin},
    pda::asset_seeds,
    state::{Asset, Authorities, Config},
    sysvar::Now,
    table::{
        set_metadata::{Accounts, Args},
        Context,
    },
    token_2022::reading,
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts, role, state.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    let mint = accounts.mint;
    if !address_eq(&asset.mint, mint.address()) {
        return Err(Error::WrongMint);
    }
    require_admin(config, accounts.admin)?;
    asset.require_not_released()?;
    if args.updates.left() == 0 {
        return Err(Error::NothingToChange);
    }
    // An adopted mint may have metadata for ever.
    let mut holders = Authorities::NONE;
    // SAFETY: before the calls; nothing writes to the mint meanwhile.
    Authorities::read(unsafe { data(mint) }, &mut holders)?;
    if !address_eq(&holders.metadata_update, accounts.asset.address()) {
        return Err(Error::MetadataImmutable);
    }

    // 2. The calls; Token-2022 makes the mint as long as it needs, the admin pays for that.
    let bump = [asset.bump];
    let seeds = asset_seeds(mint.address(), &bump);
    Target { mint, asset: accounts.asset, seeds: &seeds }.update(args.updates)?;
    top_up(accounts.admin, mint, mint.data_len())?;

    // 3. The multiplier still stands where mint reads it.
    reading::effective_multiplier_bits(mint, asset.scaled_ui_offset, Now::read()?)?;
    emit(MetadataChanged { mint: asset.mint, fields: args.updates.left() });
    Ok(())
}
