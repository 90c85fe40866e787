//! finish_adopt: last step of taking over a mint in use. Every holder has handed over; verifies all of the mint again.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, AssetAdopted},
    instructions::shared::{
        mint_registration::{mint_registration, Terms},
        roles::require_admin,
    },
    pda::asset_seeds,
    state::{Adoption, Asset, Config, Policy, State, ADOPTION_BEGUN, ADOPTION_FINISHED},
    table::{
        finish_adopt::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    // SAFETY: no other reference to the adoption's data is made in this instruction: `asset` and `config` are accounts
    // of other types.
    let adoption = unsafe { load_mut::<Adoption>(context.program_id, accounts.adoption) }?;
    if !address_eq(&adoption.mint, accounts.mint.address()) {
        return Err(Error::ConstraintSeeds);
    }
    if adoption.state != ADOPTION_BEGUN {
        return Err(Error::AdoptionNotBegun);
    }
    let profile = adoption.profile;
    adoption.state = ADOPTION_FINISHED;
    adoption.invariant()?;

    // 2. The asset, halted, with the supply it has.
    let registration = mint_registration!(context, accounts);
    registration.create_asset(&Terms {
        profile,
        policy: Policy::from(args.policy),
        initial_mint_raw: 0,
        adopted: true,
    })?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    emit(AssetAdopted {
        mint: asset.mint,
        asset: *accounts.asset.address(),
        profile,
        decimals: asset.decimals,
        multiplier_bits: asset.multiplier_bits,
        adopted_raw: asset.adopted_raw,
    });

    // 3. Calls. `asset` is not used any more.
    let bump = [asset.bump];
    registration.make_vaults(profile, &asset_seeds(accounts.mint.address(), &bump))
}
