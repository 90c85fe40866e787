//! What a participant calls.

use crate::{
    pda::{PARTICIPANT_SEED, REDEMPTION_SEED},
    schema::{Seed, ANY},
    table::{
        row::instructions,
        specs::{ASSET_OF_MINT, CONFIG, PAYER, REDEMPTION_AUTHORITY, SIGNER, SYSTEM, TOKEN, WRITABLE},
    },
};

instructions! {
    /// Brings tokens of a participant into the redemption vault, for the shares behind them.
    request_redemption "RequestRedemption" (id: [u8; 16], amount_raw: u64) {
        /// The participant; owns the source, pays for the record.
        wallet: PAYER,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: ANY,
        participant: ANY.pda(&[Seed::Const(PARTICIPANT_SEED), Seed::Account("wallet")]),
        /// Token account of the mint that the wallet owns.
        source: WRITABLE,
        redemption_vault: WRITABLE,
        redemption: WRITABLE.pda(&[Seed::Const(REDEMPTION_SEED), Seed::Account("mint"), Seed::Arg("id")]),
        /// Token-2022.
        token_program: TOKEN,
        system_program: SYSTEM,
    }

    /// Gives the tokens of an open redemption back to the wallet that requested it. Never paused by the program; not
    /// while compliance holds it, nor within the policy's redemption_lock_secs after a custodian accepted it.
    cancel_redemption "CancelRedemption" () {
        /// The wallet that requested it.
        wallet: SIGNER,
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
