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

    /// Clears holds of an asset: rise 1, multiplier 2, ca_window 4. observed_ms are those of the four entries that the
    /// resumer looked at: with another statement since then the holds stay.
    clear_hold "ClearHold" (holds: u8, observed_ms: [u64; 4]) {
        resumer: RESUMER,
        config: CONFIG,
        asset: WRITABLE,
    }
}
