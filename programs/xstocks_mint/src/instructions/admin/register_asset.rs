//! register_asset: takes a new mint under the program, writes its metadata, makes its vaults.

use crate::{
    account::load,
    error::Result,
    events::{emit, AssetRegistered},
    instructions::shared::{
        metadata::Target,
        mint_registration::{mint_registration, Terms},
        roles::require_admin,
    },
    pda::asset_seeds,
    state::{Asset, Config, Policy},
    table::{
        register_asset::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;

    // 2. The asset.
    let registration = mint_registration!(context, accounts);
    registration.create_asset(&Terms {
        profile: args.profile,
        policy: Policy::from(args.policy),
        initial_mint_raw: args.initial_mint_raw,
        adopted: false,
    })?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    emit(AssetRegistered {
        mint: asset.mint,
        asset: *accounts.asset.address(),
        profile: asset.profile,
        decimals: asset.decimals,
        multiplier_bits: asset.multiplier_bits,
        initial_mint_raw: asset.initial_mint_raw,
    });

    // 3. Calls. `asset` is not used any more.
    let bump = [asset.bump];
    let seeds = asset_seeds(accounts.mint.address(), &bump);
    let target = Target { mint: accounts.mint, asset: accounts.asset, seeds: &seeds };
    target.initialize(&[args.name, args.symbol, args.uri])?;
    target.update(args.additional_metadata)?;
    registration.make_vaults(args.profile, &seeds)
}
