//! finish_adopt: last step of taking over a mint in use. Every holder has handed over; verifies all of the mint again.

use crate::{
    account::{load, load_mut, same},
    cpi,
    error::{Error, Result},
    events::{emit, AssetAdopted},
    instructions::admin::{
        require_admin,
        taking::{taking, Terms},
    },
    state::{Adoption, Asset, Config, Policy, State, ADOPTION_BEGUN, ADOPTION_FINISHED},
    table::{
        finish_adopt::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and duty.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    let adoption = load_mut::<Adoption>(context.program_id, accounts.adoption)?;
    if !same(&adoption.mint, accounts.mint.address()) {
        return Err(Error::ConstraintSeeds);
    }
    if adoption.state != ADOPTION_BEGUN {
        return Err(Error::AdoptionNotBegun);
    }
    let profile = adoption.profile;
    adoption.state = ADOPTION_FINISHED;
    adoption.invariant()?;

    // 2. The asset, halted, with the supply it has.
    let taking = taking!(context, accounts);
    taking.take(&Terms { profile, policy: Policy::from(args.policy), initial_mint_raw: 0, adopted: true })?;
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
    taking.make_vaults(profile, &cpi::asset_seeds(accounts.mint.address(), &bump))
}
