//! abort_adopt: gives what was handed over back to who held it, whatever has become of the mint meanwhile.

use crate::{
    account::{load, load_mut, require_vacant},
    address::address_eq,
    error::{Error, Result},
    events::{emit, AdoptionAborted},
    ids,
    instructions::shared::{authority_transfer::hand_over, roles::require_admin},
    pda::{find_address, ASSET_SEED},
    state::{Adoption, Config, State, ADOPTION_ABORTED, ADOPTION_BEGUN},
    table::{
        abort_adopt::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and role. Where the asset exists the authorities are its own for good.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    // SAFETY: no other reference to the adoption's data is made in this instruction: `config` is an account of another
    // type.
    let adoption = unsafe { load_mut::<Adoption>(context.program_id, accounts.adoption) }?;
    let (mint, asset) = (accounts.mint, accounts.asset);
    if !address_eq(&adoption.mint, mint.address()) {
        return Err(Error::ConstraintSeeds);
    }
    if adoption.state != ADOPTION_BEGUN {
        return Err(Error::AdoptionNotBegun);
    }
    let seeds: [&[u8]; 2] = [ASSET_SEED, mint.address().as_array()];
    let (address, bump) = find_address(&seeds, context.program_id)?;
    if !address_eq(&address, asset.address()) {
        return Err(Error::ConstraintSeeds);
    }
    require_vacant(asset)?;
    if !address_eq(mint.owner(), &ids::TOKEN_2022) {
        return Err(Error::MintOwnerInvalid);
    }

    // 2. Effects.
    let recorded = adoption.holders;
    adoption.state = ADOPTION_ABORTED;
    emit(AdoptionAborted { mint: adoption.mint });
    adoption.invariant()?;

    // 3. Calls: what the asset holds now goes back. (What it held at begin_adopt already goes to itself, and stays.)
    hand_over(mint, asset, bump, &recorded)
}
