//! What the operator calls.

use crate::{
    args::{IntentArg, List},
    ids,
    schema::ANY,
    table::{
        row::instructions,
        specs::{ASSET_OF_MINT, BATCH, CONFIG, OPERATOR, REDEMPTION_AUTHORITY, TOKEN, WRITABLE},
    },
};

instructions! {
    /// Mints into the vaults, up to the ceiling that fresh statements of the passed custodians give (M1).
    /// All or nothing; the same asset may come twice. Logs no "Instruction:" line (compute units).
    /// Remaining accounts: 0 to 5 Custodian accounts, strictly ascending by address (an entry whose custodian is not
    /// passed counts zero), then per entry: its Asset (writable), its mint (writable), its vault (writable).
    mint hot (entries: List<IntentArg>) {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        /// Token-2022.
        token_program: TOKEN,
        /// The Clock sysvar: cheaper to read than to ask for.
        clock: ANY.address(ids::CLOCK_SYSVAR);
        remaining BATCH
    }

    /// Burns from the vaults, within the bucket that settle_redemption takes from too (M5). All or nothing. Logs no
    /// "Instruction:" line (compute units).
    /// Remaining accounts: 0 to 5 Custodian accounts as for mint (they are checked, not needed), then per entry: its
    /// Asset (writable), its mint (writable), its vault (writable).
    burn hot (entries: List<IntentArg>) {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        /// Token-2022.
        token_program: TOKEN,
        /// The Clock sysvar: cheaper to read than to ask for.
        clock: ANY.address(ids::CLOCK_SYSVAR);
        remaining BATCH
    }

    /// Sends from the vault to a token account of an active participant: the only way out.
    distribute "Distribute" (sequence: u64, amount_raw: u64, order_id: [u8; 16], intent_hash: [u8; 16]) {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: ANY,
        vault: WRITABLE,
        /// Token account of the mint that the participant's wallet owns.
        destination: WRITABLE,
        participant: ANY,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Burns the tokens of an open redemption that the named custodian accepted; it owes the shares. Its entry must be
    /// fresh and cover the amount beside its unseen redemptions (M6); the bucket is the one that burn takes from (M5).
    settle_redemption "SettleRedemption" () {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        custodian: ANY,
        asset: ASSET_OF_MINT,
        mint: WRITABLE,
        redemption: WRITABLE,
        redemption_authority: REDEMPTION_AUTHORITY,
        redemption_vault: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Gives the tokens of an open redemption back to the wallet that requested it.
    reject_redemption "RejectRedemption" () {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: ANY,
        redemption: WRITABLE,
        redemption_authority: REDEMPTION_AUTHORITY,
        redemption_vault: WRITABLE,
        /// The token account that the tokens came from, or another one of the mint that the wallet owns.
        destination: WRITABLE,
        /// Token-2022.
        token_program: TOKEN;
        optional
        /// The wallet's, active: needed where the destination is not the account that the tokens came from.
        participant: ANY,
    }
}
