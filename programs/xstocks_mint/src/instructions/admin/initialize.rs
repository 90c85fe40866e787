//! initialize: the configuration, once, by the upgrade authority.

use crate::{
    account::{create, data},
    address::address_eq,
    error::{Error, Result},
    events::{emit, Initialized},
    ids,
    pda::CONFIG_SEED,
    state::{check_skew, check_timelock, Config, State},
    table::{
        initialize::{Accounts, Args},
        Context,
    },
};
use pinocchio::{AccountView, Address};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Only the upgrade authority, so that nobody initializes the program before its deployer.
    if !address_eq(
        upgrade_authority(context.program_id, accounts.program, accounts.program_data)?,
        accounts.authority.address(),
    ) {
        return Err(Error::NotUpgradeAuthority);
    }

    // 2. Arguments.
    if *args.admin == Address::default() {
        return Err(Error::KeyMissing);
    }
    check_skew(args.max_skew_secs)?;
    check_timelock(args.min_timelock_secs, args.min_timelock_secs)?;

    // 3. Effects.
    // SAFETY: the account is made here, so no older reference to its data can be, and no other is made below.
    let config = unsafe { create::<Config>(context.program_id, accounts.authority, accounts.config, &[CONFIG_SEED]) }?;
    config.max_skew_secs = args.max_skew_secs;
    config.admin = *args.admin;
    config.operator = *args.operator;
    config.registrar = *args.registrar;
    config.guardian = *args.guardian;
    config.resumer = *args.resumer;
    config.compliance = *args.compliance;
    config.corporate_actions = *args.corporate_actions;
    config.genesis_hash = *args.genesis_hash;
    config.min_timelock_secs = args.min_timelock_secs;
    emit(Initialized {
        admin: *args.admin,
        genesis_hash: *args.genesis_hash,
        max_skew_secs: args.max_skew_secs,
        min_timelock_secs: args.min_timelock_secs,
    });
    config.invariant()
}

/// The upgrade authority in the program data account that the program account names (upgradeable loader state:
/// u32 variant; Program = 2 {program data 32}; ProgramData = 3 {slot u64, Option<authority 32>}).
fn upgrade_authority<'a>(
    program_id: &Address,
    program: &AccountView,
    program_data: &'a AccountView,
) -> Result<&'a Address> {
    if !address_eq(program.address(), program_id) {
        return Err(Error::InvalidProgramId);
    }
    if !address_eq(program.owner(), &ids::UPGRADEABLE_LOADER)
        || !address_eq(program_data.owner(), &ids::UPGRADEABLE_LOADER)
    {
        return Err(Error::AccountOwnedByWrongProgram);
    }
    // SAFETY: nothing writes to either account in this instruction.
    let (program, data) = unsafe { (data(program), data(program_data)) };
    if program.get(..4) != Some(&[2, 0, 0, 0])
        || program.get(4..36) != Some(program_data.address().as_array().as_slice())
    {
        return Err(Error::BadProgramData);
    }
    match (data.get(..4), data.get(12), data.get(13..45)) {
        // SAFETY: 32 bytes; Address has alignment 1.
        (Some(&[3, 0, 0, 0]), Some(1), Some(authority)) => Ok(unsafe { &*authority.as_ptr().cast() }),
        _ => Err(Error::BadProgramData),
    }
}
