//! What compliance calls.

use crate::{
    pda::RECOVERY_SEED,
    schema::{Seed, ANY},
    table::{
        row::instructions,
        specs::{ADMIN, ASSET_OF_MINT_READ, COMPLIANCE, CONFIG, RECOVERY, SYSTEM, TOKEN, WRITABLE},
    },
};

instructions! {
    /// Freezes a holder's token account at once.
    freeze "Freeze" () {
        compliance: COMPLIANCE,
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        /// A token account of the mint, no vault of the program.
        account: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Thaws a holder's token account, unless a recovery from it is announced.
    thaw "Thaw" () {
        compliance: COMPLIANCE,
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
    }

    /// Freezes the source at once and announces that an amount will be moved out of it, after at least the timelock.
    announce_recovery "AnnounceRecovery" (amount_raw: u64, delay_secs: u64) {
        /// Pays.
        compliance: COMPLIANCE.writable(),
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
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
}
