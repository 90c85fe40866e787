//! What anyone and attesters call: statements of custodians.

use crate::{
    args::{List, StatementEntryArg},
    ids,
    schema::ANY,
    table::{
        row::instructions,
        specs::{CONFIG, SIGNER, STATEMENT, WRITABLE},
    },
};

instructions! {
    /// Takes a statement that a custodian's quorum signed. The ed25519 instruction stands directly before this one,
    /// in its one canonical layout. Logs no "Instruction:" line (compute units).
    /// Remaining accounts: per entry its Asset (writable), strictly ascending by mint.
    submit_attestation hot (epoch: u32, observed_ms: u64, expires_ts: i64, entries: List<StatementEntryArg>) {
        config: CONFIG,
        custodian: ANY,
        /// The instructions sysvar.
        instructions_sysvar: ANY.address(ids::INSTRUCTIONS_SYSVAR);
        remaining STATEMENT
    }

    /// One present attester of the custodian sets its entry to zero until a newer quorum statement.
    withdraw_entry "WithdrawEntry" () {
        attester: SIGNER,
        config: CONFIG,
        custodian: ANY,
        asset: WRITABLE,
    }

    /// An attester of the custodian's own party gives the custodian's word: it will deliver the shares of an open
    /// redemption once that is settled. It may be settled from now on (M6), and for the policy's redemption_lock_secs its
    /// wallet cannot take it back. Once; after a change of its keys the custodian gives its word again.
    accept_redemption "AcceptRedemption" () {
        attester: SIGNER,
        config: CONFIG,
        custodian: ANY,
        asset: ANY,
        redemption: WRITABLE,
    }
}
