//! What the resumer calls.

use crate::table::{
    row::instructions,
    specs::{CONFIG, CONFIG_WRITABLE, RESUMER, TOKEN, WRITABLE},
};

instructions! {
    /// Resumes scopes. Accounts as for pause.
    resume "Resume" (scopes: u8) {
        resumer: RESUMER,
        config: CONFIG_WRITABLE;
        optional
        asset: WRITABLE,
        mint: WRITABLE,
        token_program: TOKEN,
    }

    /// Clears holds of an asset: rise 1, multiplier 2, ca_window 4. hold_number is the asset's when the resumer looked:
    /// where a statement has set a hold since then, all stay.
    clear_hold "ClearHold" (holds: u8, hold_number: u64) {
        resumer: RESUMER,
        config: CONFIG,
        asset: WRITABLE,
    }
}
