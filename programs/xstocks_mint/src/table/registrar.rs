//! What the registrar calls.

use crate::{
    pda::PARTICIPANT_SEED,
    schema::{Seed, ANY},
    table::{
        row::instructions,
        specs::{CONFIG, REGISTRAR, SYSTEM, WRITABLE},
    },
};

instructions! {
    /// Puts a wallet on the list of participants, or changes it. state: 0 Inactive, 1 Active.
    set_participant "SetParticipant" (state: u8, expires_ts: i64, country: [u8; 2]) {
        /// Pays.
        registrar: REGISTRAR.writable(),
        config: CONFIG,
        participant: WRITABLE.pda(&[Seed::Const(PARTICIPANT_SEED), Seed::Account("wallet")]),
        wallet: ANY,
        system_program: SYSTEM,
    }
}
