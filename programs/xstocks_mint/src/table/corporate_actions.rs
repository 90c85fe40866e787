//! What corporate actions call (the guardian may cancel).

use crate::table::{
    row::instructions,
    specs::{ADMIN, ASSET_OF_MINT, CONFIG, CORPORATE_ACTIONS, CORPORATE_ACTIONS_OR_GUARDIAN, TOKEN, WRITABLE},
};

instructions! {
    /// Announces another multiplier of an asset (M9): a compare-and-set of the one in force, at least the policy's
    /// notice ahead, one at a time. Minting is held from now until a statement with the new one arrives.
    schedule_multiplier "ScheduleMultiplier" (current_bits: u64, new_bits: u64, effective_ts: i64) {
        corporate_actions: CORPORATE_ACTIONS,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: WRITABLE,
        /// Token-2022.
        token_program: TOKEN;
        optional
        /// Needed where the change is beyond the policy's max_multiplier_bps.
        admin: ADMIN,
    }

    /// Takes the announced change back before it takes effect.
    cancel_multiplier "CancelMultiplier" (pending_bits: u64) {
        /// Corporate actions or guardian.
        authority: CORPORATE_ACTIONS_OR_GUARDIAN,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }
}
