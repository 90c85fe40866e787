//! What the trial of a later layout adds (`crate::next_layout`); in no group, so the IDL does not have it.
#![allow(dead_code)] // the list for the IDL

use crate::{
    schema::ANY,
    table::{
        row::instructions,
        specs::{SYSTEM, WRITABLE},
    },
};

instructions! {
    /// Makes an Asset of version 2 of one of version 1. Whoever pays.
    migrate "Migrate" () {
        payer: ANY.signer().writable(),
        asset: WRITABLE,
        system_program: SYSTEM,
    }
}
