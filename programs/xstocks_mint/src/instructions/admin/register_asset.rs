//! register_asset: takes a new mint under the program, writes its metadata, makes its vaults.

use crate::{
    account::{create, data, find_address, load, same, Now},
    cpi,
    error::{Error, Result},
    events::{emit, AssetRegistered},
    ids,
    instructions::admin::{metadata::Target, require_admin},
    mint_profile::{verify, DECIMALS},
    state::{Asset, Bucket, Config, Policy, State, ASSET_ACTIVE},
    table::{
        register_asset::{Accounts, Args},
        Context,
    },
    token,
};
use pinocchio::AccountView;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and duty.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    let mint = accounts.mint;
    if !same(mint.owner(), &ids::TOKEN_2022) {
        return Err(Error::MintOwnerInvalid);
    }
    let seeds: [&[u8]; 2] = [b"redeem", mint.address().as_array()];
    if !same(&find_address(&seeds, context.program_id)?.0, accounts.redemption_authority.address()) {
        return Err(Error::ConstraintSeeds);
    }
    check_associated(accounts.vault, accounts.asset, mint)?;
    check_associated(accounts.redemption_vault, accounts.redemption_authority, mint)?;

    // 2. Arguments.
    let policy = Policy::from(args.policy);
    policy.check()?;
    if args.initial_mint_raw > policy.supply_limit_raw {
        return Err(Error::InitialMintTooLarge);
    }

    // 3. The asset: creating it proves its address, which the mint's authorities are compared with.
    let now = Now::read()?;
    let asset = create::<Asset>(
        context.program_id,
        accounts.admin,
        accounts.asset,
        &[cpi::ASSET_SEED, mint.address().as_array()],
    )?;
    let bump = [asset.bump];

    // 4. The mint.
    // SAFETY: nothing writes to the mint while `verify` reads it.
    let verified = verify(
        unsafe { data(mint) },
        args.profile,
        mint.address().as_array(),
        accounts.asset.address().as_array(),
        now.ts,
    )?;

    // 5. Effects.
    asset.decimals = DECIMALS;
    asset.profile = args.profile;
    asset.state = ASSET_ACTIVE;
    asset.mint = *mint.address();
    asset.vault = *accounts.vault.address();
    asset.redemption_vault = *accounts.redemption_vault.address();
    asset.multiplier_bits = verified.multiplier_bits;
    asset.scaled_ui_offset = verified.scaled_ui_offset;
    asset.policy = policy;
    asset.mint_bucket = Bucket { level_raw: 0, updated_ts: now.ts };
    asset.distribute_bucket = Bucket { level_raw: 0, updated_ts: now.ts };
    asset.initial_mint_raw = args.initial_mint_raw;
    asset.invariant()?;

    // 6. Calls. `asset` is not used any more.
    let seeds = cpi::asset_seeds(mint.address(), &bump);
    let target = Target { mint, asset: accounts.asset, seeds: &seeds };
    target.initialize(&[args.name, args.symbol, args.uri])?;
    target.update(args.additional_metadata)?;
    for (vault, owner) in [(accounts.vault, accounts.asset), (accounts.redemption_vault, accounts.redemption_authority)]
    {
        cpi::create_associated(&cpi::NewAssociated {
            payer: accounts.admin,
            associated: vault,
            owner,
            mint,
            system_program: accounts.system_program,
            token_program: accounts.token_program,
        });
        match token::holder(vault, mint.address()) {
            Some(holder) if same(holder, owner.address()) => {}
            _ => return Err(Error::VaultInvalid),
        }
    }
    emit(AssetRegistered {
        mint: *mint.address(),
        asset: *accounts.asset.address(),
        profile: args.profile,
        decimals: DECIMALS,
        multiplier_bits: verified.multiplier_bits,
        initial_mint_raw: args.initial_mint_raw,
    });
    Ok(())
}

/// The vault must be the associated token account of its owner.
fn check_associated(vault: &AccountView, owner: &AccountView, mint: &AccountView) -> Result {
    let seeds: [&[u8]; 3] = [owner.address().as_array(), ids::TOKEN_2022.as_array(), mint.address().as_array()];
    if !same(&find_address(&seeds, &ids::ASSOCIATED_TOKEN_PROGRAM)?.0, vault.address()) {
        return Err(Error::VaultInvalid);
    }
    Ok(())
}
