//! begin_adopt: first step of taking over a mint in use. Records who holds its authorities.

use crate::{
    account::{create, data, load, load_mut, require_vacant},
    address::address_eq,
    error::{Error, Result},
    events::{emit, AdoptionBegun},
    ids,
    instructions::shared::roles::require_admin,
    pda::{find_address, ADOPTION_SEED, ASSET_SEED},
    state::{Adoption, Authorities, Config, State, ADOPTION_ABORTED, ADOPTION_BEGUN},
    sysvar::Now,
    table::{
        begin_adopt::{Accounts, Args},
        Context,
    },
    token_2022::mint_profile::{verify, Expected, Found},
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role. Where the asset exists the mint is the program's already.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_admin(config, accounts.admin)?;
    let mint = accounts.mint;
    if !address_eq(mint.owner(), &ids::TOKEN_2022) {
        return Err(Error::MintOwnerInvalid);
    }
    let seeds: [&[u8]; 2] = [ASSET_SEED, mint.address().as_array()];
    if !address_eq(&find_address(&seeds, context.program_id)?.0, accounts.asset.address()) {
        return Err(Error::ConstraintSeeds);
    }
    require_vacant(accounts.asset)?;

    // 2. A new adoption, or an aborted one anew. One under way keeps its holders: recorded again, those that handed
    //    over were lost.
    let adoption = if accounts.adoption.owned_by(context.program_id) {
        // SAFETY: no other reference to the adoption's data is made in this instruction: `config` is an account of
        // another type.
        let adoption = unsafe { load_mut::<Adoption>(context.program_id, accounts.adoption) }?;
        if !address_eq(&adoption.mint, mint.address()) {
            return Err(Error::ConstraintSeeds);
        }
        if adoption.state != ADOPTION_ABORTED {
            return Err(Error::AdoptionBegun);
        }
        adoption
    } else {
        let seeds: [&[u8]; 2] = [ADOPTION_SEED, mint.address().as_array()];
        // SAFETY: the account is made here, so no older reference to its data can be, and no other is made below.
        unsafe { create::<Adoption>(context.program_id, accounts.admin, accounts.adoption, &seeds) }?
    };

    // 3. The mint: all but who holds its authorities, and that somebody does.
    let now = Now::read()?;
    let mut holders = Authorities::NONE;
    // SAFETY: nothing writes to the mint.
    let bytes = unsafe { data(mint) };
    let expected = Expected { profile: args.profile, mint: mint.address(), now_ts: now.ts, in_use: true };
    verify(bytes, &expected, &mut Found::default())?;
    Authorities::read(bytes, &mut holders)?;
    holders.check_have_holders(args.profile)?;

    // 4. Effects.
    adoption.state = ADOPTION_BEGUN;
    adoption.profile = args.profile;
    adoption.mint = *mint.address();
    adoption.holders = holders;
    emit(AdoptionBegun { mint: *mint.address(), asset: *accounts.asset.address(), profile: args.profile });
    adoption.invariant()
}
