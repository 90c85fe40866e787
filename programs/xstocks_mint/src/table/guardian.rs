//! What the guardian calls (some of it the admin may call too).

use crate::table::{
    row::instructions,
    specs::{ADMIN_OR_GUARDIAN, CONFIG, CONFIG_WRITABLE, GUARDIAN, RESUMER, TOKEN, WRITABLE},
};

instructions! {
    /// Cancels a pending proposal: admin or guardian; one that replaces the guardian: admin, or guardian and resumer.
    cancel_proposal "CancelProposal" () {
        /// Admin or guardian.
        authority: ADMIN_OR_GUARDIAN,
        config: CONFIG,
        proposal: WRITABLE;
        optional
        /// Signs with the guardian where the guardian is replaced.
        resumer: RESUMER,
    }

    /// Takes the offer back: admin or guardian.
    cancel_admin "CancelAdmin" () {
        /// Admin or guardian.
        authority: ADMIN_OR_GUARDIAN,
        config: CONFIG_WRITABLE,
    }

    /// Removes one attester key at once (admin or guardian); the epoch rises. What remains may be below the
    /// threshold: then nothing can be signed until set_custodian_keys.
    revoke_custodian_key "RevokeCustodianKey" (key: Address) {
        /// Admin or guardian.
        authority: ADMIN_OR_GUARDIAN,
        config: CONFIG,
        custodian: WRITABLE,
    }

    /// Pauses scopes at once (M8): of an asset, or globally where no asset is given; all that exist of those asked. The
    /// transfers scope exists with asset, mint and token_program, where the profile has Token-2022's pause.
    pause "Pause" (scopes: u8) {
        guardian: GUARDIAN,
        config: CONFIG_WRITABLE;
        optional
        asset: WRITABLE,
        mint: WRITABLE,
        token_program: TOKEN,
    }

    /// Stops an announced recovery; the source stays frozen until compliance thaws it.
    cancel_recovery "CancelRecovery" () {
        guardian: GUARDIAN,
        config: CONFIG,
        recovery: WRITABLE,
    }
}
