//! set_participant: a wallet on the list of those who may receive, or a change of it.

use crate::{
    account::{create, load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, ParticipantChanged},
    instructions::shared::roles::require_registrar,
    pda::PARTICIPANT_SEED,
    state::{Config, Participant, State, PARTICIPANT_ACTIVE},
    sysvar::Now,
    table::{
        set_participant::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    require_registrar(config, accounts.registrar)?;

    // 2. Arguments. An inactive participant may keep an end that has passed, but never none.
    if args.state > PARTICIPANT_ACTIVE {
        return Err(Error::UnknownState);
    }
    let earliest_ts = if args.state == PARTICIPANT_ACTIVE { Now::read()?.ts } else { 0 };
    if args.expires_ts <= earliest_ts {
        return Err(Error::ExpiryInvalid);
    }
    if !args.country.iter().all(u8::is_ascii_uppercase) {
        return Err(Error::CountryInvalid);
    }

    // 3. Effects.
    let wallet = *accounts.wallet.address();
    let participant = if accounts.participant.owned_by(context.program_id) {
        // SAFETY: no other reference to the participant's data is made in this instruction: `config` is an account of
        // another type.
        let participant = unsafe { load_mut::<Participant>(context.program_id, accounts.participant) }?;
        if !address_eq(&participant.wallet, &wallet) {
            return Err(Error::ConstraintSeeds);
        }
        participant
    } else {
        let seeds: [&[u8]; 2] = [PARTICIPANT_SEED, wallet.as_array()];
        // SAFETY: the account is made here, so no older reference to its data can be, and no other is made below.
        unsafe { create::<Participant>(context.program_id, accounts.registrar, accounts.participant, &seeds) }?
    };
    participant.wallet = wallet;
    participant.state = args.state;
    participant.expires_ts = args.expires_ts;
    participant.country = *args.country;
    emit(ParticipantChanged { wallet, state: args.state, expires_ts: args.expires_ts, country: *args.country });
    participant.invariant()
}
