//! What compliance calls.

use crate::{
    pda::RECOVERY_SEED,
    schema::{Seed, ANY},
    table::{
        row::instructions,
        specs::{
            ADMIN, ASSET_OF_MINT, ASSET_OF_MINT_READ, COMPLIANCE, COMPLIANCE_OR_ADMIN, CONFIG, RECOVERY,
            RECOVERY_OF_REDEMPTION, REDEMPTION_AUTHORITY, RESUMER, SYSTEM, TOKEN, WRITABLE,
        },
    },
};

instructions! {
    /// Freezes a holder's token account at once; the policy says how many a day.
    freeze "Freeze" () {
        compliance: COMPLIANCE,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: ANY,
        /// A token account of the mint, no vault of the program.
        account: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Thaws a holder's token account, unless a recovery from it is announced.
    thaw "Thaw" () {
        /// Compliance, or the admin together with the resumer.
        authority: COMPLIANCE_OR_ADMIN,
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        /// A token account of the mint, no vault of the program.
        account: WRITABLE,
        recovery: ANY.pda(&[Seed::Const(RECOVERY_SEED), Seed::Account("account")]),
        /// Token-2022.
        token_program: TOKEN;
        optional
        /// The active participant that owns the account; needed in the permissioned profile, where the account needs
        /// ImmutableOwner too.
        participant: ANY,
        /// Needed where the admin signs.
        resumer: RESUMER,
    }

    /// Freezes the source at once and announces that an amount will be moved out of it, after at least the timelock.
    announce_recovery "AnnounceRecovery" (amount_raw: u64, delay_secs: u64) {
        /// Pays.
        compliance: COMPLIANCE.writable(),
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: ANY,
        /// A token account of the mint, no vault of the program.
        source: WRITABLE,
        /// Another one, not frozen.
        destination: ANY,
        recovery: RECOVERY,
        /// Token-2022.
        token_program: TOKEN,
        system_program: SYSTEM,
    }

    /// Moves the announced amount; the source stays frozen.
    execute_recovery "ExecuteRecovery" () {
        compliance: COMPLIANCE,
        admin: ADMIN,
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        source: WRITABLE,
        destination: WRITABLE,
        recovery: RECOVERY,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Puts an open redemption on hold: it is neither settled nor given back until the hold is cleared.
    hold_redemption "HoldRedemption" () {
        compliance: COMPLIANCE,
        config: CONFIG,
        redemption: WRITABLE,
    }

    /// Clears the hold of a redemption, unless a recovery of its tokens is announced: compliance alone, or admin and
    /// resumer together.
    clear_redemption_hold "ClearRedemptionHold" () {
        /// Compliance, or the admin with the resumer.
        authority: COMPLIANCE_OR_ADMIN,
        config: CONFIG,
        redemption: WRITABLE,
        recovery: RECOVERY_OF_REDEMPTION;
        optional
        /// Needed where the admin signs.
        resumer: RESUMER,
    }

    /// Holds an open redemption at once and announces that its tokens, all of them, will be moved, after at least the
    /// timelock. The guardian may stop it (cancel_recovery).
    announce_redemption_recovery "AnnounceRedemptionRecovery" (delay_secs: u64) {
        /// Pays.
        compliance: COMPLIANCE.writable(),
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        redemption: WRITABLE,
        /// A token account of the mint, not frozen, no vault of the program.
        destination: ANY,
        recovery: RECOVERY_OF_REDEMPTION.writable(),
        system_program: SYSTEM,
    }

    /// Moves the tokens of a redemption as announced; that ends it.
    execute_redemption_recovery "ExecuteRedemptionRecovery" () {
        compliance: COMPLIANCE,
        admin: ADMIN,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: ANY,
        redemption: WRITABLE,
        redemption_authority: REDEMPTION_AUTHORITY,
        redemption_vault: WRITABLE,
        destination: WRITABLE,
        recovery: RECOVERY_OF_REDEMPTION.writable(),
        /// Token-2022.
        token_program: TOKEN,
    }
}
