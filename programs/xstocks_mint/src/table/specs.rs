//! Descriptions of accounts that several instructions share.

use crate::{
    ids,
    pda::{ADOPTION_SEED, ASSET_SEED, CONFIG_SEED, RECOVERY_SEED, REDEEM_SEED},
    schema::{Account, AccountSpec, Repeat, Repeated, Role, Seed, ANY},
};

/// Signs, whoever it is.
pub const SIGNER: AccountSpec = ANY.signer();
/// Signs and pays, whoever it is.
pub const PAYER: AccountSpec = ANY.signer().writable();
pub const ADMIN: AccountSpec = ANY.signed_by(&[Role::Admin]);
pub const PENDING_ADMIN: AccountSpec = ANY.signed_by(&[Role::PendingAdmin]);
pub const OPERATOR: AccountSpec = ANY.signed_by(&[Role::Operator]);
pub const REGISTRAR: AccountSpec = ANY.signed_by(&[Role::Registrar]);
pub const GUARDIAN: AccountSpec = ANY.signed_by(&[Role::Guardian]);
pub const RESUMER: AccountSpec = ANY.signed_by(&[Role::Resumer]);
pub const COMPLIANCE: AccountSpec = ANY.signed_by(&[Role::Compliance]);
/// Compliance alone, or the admin where the resumer signs too.
pub const COMPLIANCE_OR_ADMIN: AccountSpec = ANY.signed_by(&[Role::Compliance, Role::Admin]);
pub const CORPORATE_ACTIONS: AccountSpec = ANY.signed_by(&[Role::CorporateActions]);
pub const ADMIN_OR_GUARDIAN: AccountSpec = ANY.signed_by(&[Role::Admin, Role::Guardian]);
pub const CORPORATE_ACTIONS_OR_GUARDIAN: AccountSpec = ANY.signed_by(&[Role::CorporateActions, Role::Guardian]);
pub const WRITABLE: AccountSpec = ANY.writable();
/// Of a timelocked instruction, as its last account: its proposal, needed once the program is sealed.
pub const PROPOSAL: AccountSpec = ANY.writable().timelock();
pub const CONFIG: AccountSpec = ANY.pda(&[Seed::Const(CONFIG_SEED)]);
pub const CONFIG_WRITABLE: AccountSpec = CONFIG.writable();
pub const SYSTEM: AccountSpec = ANY.program(ids::SYSTEM_PROGRAM);
pub const TOKEN: AccountSpec = ANY.program(ids::TOKEN_2022);
pub const ASSOCIATED: AccountSpec = ANY.program(ids::ASSOCIATED_TOKEN_PROGRAM);
/// The asset of the instruction's `mint` account.
pub const ASSET_OF_MINT: AccountSpec = WRITABLE.pda(&[Seed::Const(ASSET_SEED), Seed::Account("mint")]);
/// The same, only read.
pub const ASSET_OF_MINT_READ: AccountSpec = ANY.pda(&[Seed::Const(ASSET_SEED), Seed::Account("mint")]);
/// The adoption of the instruction's `mint` account.
pub const ADOPTION_OF_MINT: AccountSpec = WRITABLE.pda(&[Seed::Const(ADOPTION_SEED), Seed::Account("mint")]);
/// Owner of the redemption vault of the instruction's `mint` account.
pub const REDEMPTION_AUTHORITY: AccountSpec = ANY.pda(&[Seed::Const(REDEEM_SEED), Seed::Account("mint")]);
/// The recovery from the instruction's `source` account.
pub const RECOVERY: AccountSpec = WRITABLE.pda(&[Seed::Const(RECOVERY_SEED), Seed::Account("source")]);
/// The recovery of the tokens of the instruction's `redemption` account; only read.
pub const RECOVERY_OF_REDEMPTION: AccountSpec = ANY.pda(&[Seed::Const(RECOVERY_SEED), Seed::Account("redemption")]);

/// Most custodians whose statements may count in one batch.
pub const MAX_BATCH_CUSTODIANS: u8 = 5;
/// Most accounts of a proposed instruction; more than any timelocked one has.
pub const MAX_PROPOSED_ACCOUNTS: u8 = 10;

const fn repeated_account(name: &'static str, spec: AccountSpec) -> Account {
    Account { name, docs: &[], optional: false, spec }
}
pub const CUSTODIANS: Repeated = Repeated {
    accounts: &[repeated_account("custodian", ANY)],
    repeat: Repeat::Between(0, MAX_BATCH_CUSTODIANS),
    ascending_by: Some("address"),
};
pub const TARGETS: Repeated = Repeated {
    accounts: &[
        repeated_account("asset", WRITABLE),
        repeated_account("mint", WRITABLE),
        repeated_account("vault", WRITABLE),
    ],
    repeat: Repeat::PerItemOf("entries"),
    ascending_by: None,
};
/// What follows the named accounts of mint and burn.
pub const BATCH: &[Repeated] = &[CUSTODIANS, TARGETS];
/// What follows those of submit_attestation.
pub const STATEMENT: &[Repeated] = &[Repeated {
    accounts: &[repeated_account("asset", WRITABLE)],
    repeat: Repeat::PerItemOf("entries"),
    ascending_by: Some("mint"),
}];
/// What follows those of propose.
pub const PROPOSED: &[Repeated] = &[Repeated {
    accounts: &[repeated_account("proposed", ANY)],
    repeat: Repeat::Between(0, MAX_PROPOSED_ACCOUNTS),
    ascending_by: None,
}];
