//! The one table of instructions. Dispatch, account checks (number, signer, writable, fixed address), argument
//! decoding and the IDL all come from it. The hot instructions stand first: dispatch compares in this order.

use crate::{
    account::same,
    args::{Arg, AttesterKeyArg, Bytes, IntentArg, List, MetadataFields, PolicyArg, StatementEntryArg, Text},
    error::{refusal, require, Error, Result},
    ids,
    schema::{Account, AccountSpec, Field, Instruction, Repeat, Repeated, Role, Seed, ANY},
};
use pinocchio::{AccountView, Address};

const SIGNER: AccountSpec = ANY.signer();
const PAYER: AccountSpec = ANY.signer().writable();
const ADMIN: AccountSpec = ANY.signed_by(&[Role::Admin]);
const PENDING_ADMIN: AccountSpec = ANY.signed_by(&[Role::PendingAdmin]);
const OPERATOR: AccountSpec = ANY.signed_by(&[Role::Operator]);
const REGISTRAR: AccountSpec = ANY.signed_by(&[Role::Registrar]);
const GUARDIAN: AccountSpec = ANY.signed_by(&[Role::Guardian]);
const RESUMER: AccountSpec = ANY.signed_by(&[Role::Resumer]);
const COMPLIANCE: AccountSpec = ANY.signed_by(&[Role::Compliance]);
const CORPORATE_ACTIONS: AccountSpec = ANY.signed_by(&[Role::CorporateActions]);
const ADMIN_OR_GUARDIAN: AccountSpec = ANY.signed_by(&[Role::Admin, Role::Guardian]);
const CORPORATE_ACTIONS_OR_GUARDIAN: AccountSpec = ANY.signed_by(&[Role::CorporateActions, Role::Guardian]);
const WRITABLE: AccountSpec = ANY.writable();
/// Of a timelocked instruction, as its last account: its proposal, needed once the program is sealed.
const PROPOSAL: AccountSpec = ANY.writable().timelock();
const CONFIG: AccountSpec = ANY.pda(&[Seed::Const(b"config")]);
const SYSTEM: AccountSpec = ANY.program(ids::SYSTEM_PROGRAM);
const TOKEN: AccountSpec = ANY.program(ids::TOKEN_2022);
const ASSOCIATED: AccountSpec = ANY.program(ids::ASSOCIATED_TOKEN_PROGRAM);
/// The asset of the instruction's `mint` account.
const ASSET_OF_MINT: AccountSpec = WRITABLE.pda(&[Seed::Const(b"asset"), Seed::Account("mint")]);
/// The same, only read.
const ASSET_OF_MINT_READ: AccountSpec = ANY.pda(&[Seed::Const(b"asset"), Seed::Account("mint")]);
/// The adoption of the instruction's `mint` account.
const ADOPTION_OF_MINT: AccountSpec = WRITABLE.pda(&[Seed::Const(b"adoption"), Seed::Account("mint")]);
/// Owner of the redemption vault of the instruction's `mint` account.
const REDEMPTION_AUTHORITY: AccountSpec = ANY.pda(&[Seed::Const(b"redeem"), Seed::Account("mint")]);
/// The recovery from the instruction's `source` account.
const RECOVERY: AccountSpec = WRITABLE.pda(&[Seed::Const(b"recovery"), Seed::Account("source")]);

/// Most custodians whose statements may count in one batch.
pub const MAX_BATCH_CUSTODIANS: u8 = 5;
/// Most accounts of a proposed instruction; more than any timelocked one has.
pub const MAX_PROPOSED_ACCOUNTS: u8 = 8;

const fn repeated_account(name: &'static str, spec: AccountSpec) -> Account {
    Account { name, docs: &[], optional: false, spec }
}
const CUSTODIANS: Repeated = Repeated {
    accounts: &[repeated_account("custodian", ANY)],
    repeat: Repeat::Between(0, MAX_BATCH_CUSTODIANS),
    ascending_by: Some("address"),
};
const TARGETS: Repeated = Repeated {
    accounts: &[
        repeated_account("asset", WRITABLE),
        repeated_account("mint", WRITABLE),
        repeated_account("vault", WRITABLE),
    ],
    repeat: Repeat::PerItemOf("entries"),
    ascending_by: None,
};
/// What follows the named accounts of mint and burn.
const BATCH: &[Repeated] = &[CUSTODIANS, TARGETS];
/// What follows those of submit_attestation.
const STATEMENT: &[Repeated] = &[Repeated {
    accounts: &[repeated_account("asset", WRITABLE)],
    repeat: Repeat::PerItemOf("entries"),
    ascending_by: Some("mint"),
}];
/// What follows those of propose.
const PROPOSED: &[Repeated] = &[Repeated {
    accounts: &[repeated_account("proposed", ANY)],
    repeat: Repeat::Between(0, MAX_PROPOSED_ACCOUNTS),
    ascending_by: None,
}];

/// What every handler gets beside its accounts and arguments.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub program_id: &'a Address,
    /// All accounts of the instruction, for the hash of a proposal.
    pub accounts: &'a [AccountView],
    /// The whole instruction data, discriminator included, for the hash of a proposal.
    pub data: &'a [u8],
}

macro_rules! instructions {
    ($(
        $(#[doc = $doc:literal])*
        $folder:ident :: $name:ident $log:tt ($($arg:ident : $ty:ty),* $(,)?) {
            $($(#[doc = $adoc:literal])* $acc:ident : $spec:expr),* $(,)?
            $(; optional $($(#[doc = $odoc:literal])* $oacc:ident : $ospec:expr),* $(,)?)?
            $(; remaining $remaining:expr)?
        }
    )*) => {
        $(
            $(#[doc = $doc])*
            pub mod $name {
                use super::*;

                /// Anchor's discriminator of the instruction.
                pub const DISCRIMINATOR: [u8; 8] = crate::hash::discriminator("global", stringify!($name));

                /// The instruction as the IDL describes it.
                pub const INSTRUCTION: Instruction = Instruction {
                    name: stringify!($name),
                    docs: &[$($doc),*],
                    discriminator: DISCRIMINATOR,
                    accounts: &[
                        $(Account { name: stringify!($acc), docs: &[$($adoc),*], optional: false, spec: $spec },)*
                        $($(Account { name: stringify!($oacc), docs: &[$($odoc),*], optional: true, spec: $ospec },)*)?
                    ],
                    remaining: instructions!(@remaining $($remaining)?),
                    args: &[$(Field { name: stringify!($arg), docs: &[], ty: <$ty as Arg>::TY }),*],
                };

                /// The named accounts, checked as the table says.
                pub struct Accounts<'a> {
                    $(pub $acc: &'a AccountView,)*
                    $($(pub $oacc: Option<&'a AccountView>,)*)?
                    pub remaining: &'a [AccountView],
                }

                /// The arguments.
                pub struct Args<'a> {
                    $(pub $arg: <$ty as Arg>::View<'a>,)*
                    pub _lifetime: core::marker::PhantomData<&'a ()>,
                }

                #[inline(always)]
                #[allow(unused_mut, unused_variables)]
                fn parse_accounts<'a>(program_id: &Address, mut rest: &'a [AccountView]) -> Result<Accounts<'a>> {
                    $(
                        let $acc = super::next(&mut rest)?;
                        super::check($acc, const { &$spec })?;
                    )*
                    $($(
                        let $oacc = super::next(&mut rest)?;
                        let $oacc = if $oacc.address() == program_id { None } else {
                            super::check($oacc, const { &$ospec })?;
                            Some($oacc)
                        };
                    )*)?
                    let takes_remaining: bool = !INSTRUCTION.remaining.is_empty();
                    if !takes_remaining && !rest.is_empty() {
                        return Err(Error::TooManyAccounts);
                    }
                    Ok(Accounts { $($acc,)* $($($oacc,)*)? remaining: rest })
                }

                #[inline(always)]
                #[allow(unused_mut)]
                fn parse_args<'a>(mut data: &'a [u8]) -> Option<Args<'a>> {
                    let args = Args {
                        $($arg: <$ty as Arg>::read(&mut data)?,)*
                        _lifetime: core::marker::PhantomData,
                    };
                    if data.is_empty() { Some(args) } else { None }
                }

                /// Whether these bytes are its arguments.
                #[cfg(test)]
                pub(super) fn reads(data: &[u8]) -> bool {
                    parse_args(data).is_some()
                }

                #[inline(always)]
                pub(super) fn run(context: &Context) -> Result {
                    instructions!(@log $log);
                    let Some(args) = context.data.get(8..).and_then(parse_args) else {
                        return Err(Error::InstructionDidNotDeserialize);
                    };
                    let accounts = parse_accounts(context.program_id, context.accounts)?;
                    crate::instructions::$folder::$name::run(context, &accounts, &args)
                }

                /// The same in a frame of its own.
                #[inline(never)]
                #[allow(dead_code)] // of mint
                pub(super) fn run_apart(context: &Context) -> Result {
                    run(context)
                }
            }
        )*

        /// Every instruction, for the IDL.
        pub const INSTRUCTIONS: &[Instruction] = &[$($name::INSTRUCTION),*];

        /// How each of them reads its arguments.
        #[cfg(test)]
        const READERS: &[fn(&[u8]) -> bool] = &[$($name::reads),*];

        /// Finds the instruction by its discriminator and runs it.
        #[inline(always)]
        pub fn dispatch(context: &Context) -> Result {
            let Some(discriminator) = context.data.first_chunk::<8>() else {
                return Err(Error::InstructionMissing);
            };
            let discriminator = u64::from_le_bytes(*discriminator);
            // Before the search, and in the entrypoint's own frame: it costs less.
            if discriminator == const { u64::from_le_bytes(mint::DISCRIMINATOR) } {
                return mint::run(context);
            }
            dispatch_others(context, discriminator)
        }

        #[inline(never)]
        fn dispatch_others(context: &Context, discriminator: u64) -> Result {
            $(if discriminator == const { u64::from_le_bytes($name::DISCRIMINATOR) } {
                return $name::run_apart(context);
            })*
            Err(Error::InstructionFallbackNotFound)
        }
    };
    // The hot instructions leave Anchor's line away: it costs about 100 compute units, their event says the same.
    (@log hot) => {};
    (@remaining) => { &[] };
    (@remaining $groups:expr) => { $groups };
    (@log ($($part:expr),+)) => { crate::log::line(concat!("Instruction: " $(, $part)+)) };
    (@log $log:literal) => { crate::log::line(concat!("Instruction: ", $log)) };
}

#[inline(always)]
fn next<'a>(rest: &mut &'a [AccountView]) -> Result<&'a AccountView> {
    let (first, others) = rest.split_first().ok_or_else(|| refusal(Error::AccountNotEnoughKeys))?;
    *rest = others;
    Ok(first)
}

#[inline(always)]
fn check(account: &AccountView, spec: &'static AccountSpec) -> Result {
    require(!spec.signer || account.is_signer(), Error::AccountNotSigner)?;
    require(!spec.writable || account.is_writable(), Error::ConstraintMut)?;
    let Some(address) = &spec.address else { return Ok(()) };
    let other = if spec.is_program { Error::InvalidProgramId } else { Error::ConstraintAddress };
    require(same(account.address(), address), other)
}

instructions! {
    /// Mints into the vaults, up to the ceiling that fresh statements of the passed custodians give (M1).
    /// All or nothing; the same asset may come twice. Logs no "Instruction:" line (compute units).
    /// Remaining accounts: 0 to 5 Custodian accounts, strictly ascending by address (an entry whose custodian is not
    /// passed counts zero), then per entry: its Asset (writable), its mint (writable), its vault (writable).
    operator::mint hot (entries: List<IntentArg>) {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        /// Token-2022.
        token_program: TOKEN,
        /// The Clock sysvar: cheaper to read than to ask for.
        clock: ANY.address(ids::CLOCK_SYSVAR);
        remaining BATCH
    }

    /// Takes a statement that a custodian's quorum signed. The ed25519 instruction stands directly before this one,
    /// in its one canonical layout. Logs no "Instruction:" line (compute units).
    /// Remaining accounts: per entry its Asset (writable), strictly ascending by mint.
    attestation::submit_attestation hot (epoch: u32, observed_ms: u64, expires_ts: i64, entries: List<StatementEntryArg>) {
        config: CONFIG,
        custodian: ANY,
        /// The instructions sysvar.
        instructions_sysvar: ANY.address(ids::INSTRUCTIONS_SYSVAR);
        remaining STATEMENT
    }

    /// Burns from the vaults. All or nothing. Logs no "Instruction:" line (compute units).
    /// Remaining accounts: 0 to 5 Custodian accounts as for mint (they are checked, not needed), then per entry: its
    /// Asset (writable), its mint (writable), its vault (writable).
    operator::burn hot (entries: List<IntentArg>) {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        /// Token-2022.
        token_program: TOKEN;
        remaining BATCH
    }

    /// Sends from the vault to a token account of an active participant: the only way out.
    operator::distribute "Distribute" (sequence: u64, amount_raw: u64, order_id: [u8; 16], intent_hash: [u8; 16]) {
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

    /// Brings tokens of a participant into the redemption vault, for the shares behind them.
    participant::request_redemption "RequestRedemption" (id: [u8; 16], amount_raw: u64) {
        /// The participant; owns the source, pays for the record.
        wallet: PAYER,
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        participant: ANY.pda(&[Seed::Const(b"participant"), Seed::Account("wallet")]),
        /// Token account of the mint that the wallet owns.
        source: WRITABLE,
        redemption_vault: WRITABLE,
        redemption: WRITABLE.pda(&[Seed::Const(b"redemption"), Seed::Account("mint"), Seed::Arg("id")]),
        /// Token-2022.
        token_program: TOKEN,
        system_program: SYSTEM,
    }

    /// Gives the tokens of an open redemption back to the wallet that requested it. Never paused by the program.
    participant::cancel_redemption "CancelRedemption" () {
        /// The wallet that requested it.
        wallet: SIGNER,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        redemption: WRITABLE,
        redemption_authority: REDEMPTION_AUTHORITY,
        redemption_vault: WRITABLE,
        /// Any token account of the mint that the wallet owns.
        destination: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Burns the tokens of an open redemption; the named custodian owes the shares. Its entry must be fresh and cover
    /// the amount beside its unseen redemptions (M6).
    operator::settle_redemption "SettleRedemption" () {
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
    operator::reject_redemption "RejectRedemption" () {
        /// The operator.
        operator: OPERATOR,
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        redemption: WRITABLE,
        redemption_authority: REDEMPTION_AUTHORITY,
        redemption_vault: WRITABLE,
        /// Any token account of the mint that the wallet owns.
        destination: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// One present attester of the custodian sets its entry to zero until a newer quorum statement.
    attestation::withdraw_entry "WithdrawEntry" () {
        attester: SIGNER,
        config: CONFIG,
        custodian: ANY,
        asset: WRITABLE,
    }

    /// Makes the configuration. Only the upgrade authority of the program may.
    admin::initialize ("Initialize (xstocks_mint ", env!("CARGO_PKG_VERSION"), ")") (
        admin: Address, operator: Address, registrar: Address, guardian: Address, resumer: Address,
        compliance: Address, corporate_actions: Address, genesis_hash: [u8; 32], max_skew_secs: u32,
    ) {
        /// The upgrade authority; pays.
        authority: PAYER,
        config: WRITABLE.pda(&[Seed::Const(b"config")]),
        /// This program.
        program: ANY,
        /// Its program data account.
        program_data: ANY,
        system_program: SYSTEM,
    }

    /// Enforces the timelock from now on; cannot be undone.
    admin::seal "Seal" (timelock_secs: u64) {
        admin: ADMIN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]),
    }

    /// Starts the timelock of one instruction with its arguments and accounts. When it has passed the instruction may be
    /// executed for 14 days.
    /// Remaining accounts: those of the proposed instruction in its order, without its proposal account.
    admin::propose "Propose" (instruction_data: Bytes) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        /// PDA ["proposal", sha256("xstocks:proposal:v1" | instruction_data | keys of the remaining accounts)].
        proposal: WRITABLE,
        system_program: SYSTEM;
        remaining PROPOSED
    }

    /// Cancels a pending proposal: admin or guardian (the guardian not one that replaces the guardian).
    guardian::cancel_proposal "CancelProposal" () {
        /// Admin or guardian.
        authority: ADMIN_OR_GUARDIAN,
        config: CONFIG,
        proposal: WRITABLE,
    }

    /// Gives a role to a key. Roles: 0 operator, 1 registrar, 2 guardian, 3 resumer, 4 compliance, 5 corporate actions.
    admin::set_role "SetRole" (role: u8, key: Address) {
        admin: ADMIN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]);
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Takes a role from its key at once: nobody has it then. Not the guardian's once sealed.
    admin::clear_role "ClearRole" (role: u8) {
        admin: ADMIN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]),
    }

    /// Offers the admin's office to a key; an older offer ends. It may accept once the timelock has passed (at once
    /// before the seal) and before expires_ts, which is at most a year later.
    admin::propose_admin "ProposeAdmin" (pending_admin: Address, expires_ts: i64) {
        admin: ADMIN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]),
    }

    /// Takes the offer back: admin or guardian.
    guardian::cancel_admin "CancelAdmin" () {
        /// Admin or guardian.
        authority: ADMIN_OR_GUARDIAN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]),
    }

    /// The offered key becomes admin. Proposals made before are dead.
    pending_admin::accept_admin "AcceptAdmin" () {
        pending_admin: PENDING_ADMIN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]),
    }

    /// Sets the timelock (once sealed from 1 second to a year, before that zero) and the allowed skew.
    admin::set_timing "SetTiming" (timelock_secs: u64, max_skew_secs: u32) {
        admin: ADMIN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]);
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Registers a custodian with its attester keys (strictly ascending, at least two parties, party 0 among them).
    admin::register_custodian "RegisterCustodian" (id: u16, name: [u8; 32], threshold: u8, keys: List<AttesterKeyArg>) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        custodian: WRITABLE.pda(&[Seed::Const(b"custodian"), Seed::Arg("id")]),
        system_program: SYSTEM;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Replaces the attester keys of a custodian; its epoch rises.
    admin::set_custodian_keys "SetCustodianKeys" (threshold: u8, keys: List<AttesterKeyArg>) {
        admin: ADMIN,
        config: CONFIG,
        custodian: WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Removes one attester key at once (admin or guardian); the epoch rises. What remains may be below the
    /// threshold: then nothing can be signed until set_custodian_keys.
    guardian::revoke_custodian_key "RevokeCustodianKey" (key: Address) {
        /// Admin or guardian.
        authority: ADMIN_OR_GUARDIAN,
        config: CONFIG,
        custodian: WRITABLE,
    }

    /// Lets a custodian's statements count for an asset. Nothing observed before now + max_skew_secs is taken.
    admin::attach_custodian "AttachCustodian" () {
        admin: ADMIN,
        config: CONFIG,
        custodian: ANY,
        asset: WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Ends it at once; the entry's unseen redemptions keep counting.
    admin::detach_custodian "DetachCustodian" () {
        admin: ADMIN,
        config: CONFIG,
        custodian: ANY,
        asset: WRITABLE,
    }

    /// Takes a new mint under the program. The client made it: all extensions of the profile save TokenMetadata,
    /// every authority the asset (those of the metadata pointer, the hook and confidential transfers the asset or
    /// nobody), no supply, lamports for the full size. This writes the metadata and makes the vaults.
    admin::register_asset "RegisterAsset" (
        profile: u8, initial_mint_raw: u64, policy: PolicyArg, name: Text, symbol: Text, uri: Text,
        additional_metadata: MetadataFields,
    ) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: WRITABLE,
        /// Associated token account of the asset.
        vault: WRITABLE,
        /// Owner of the redemption vault.
        redemption_authority: REDEMPTION_AUTHORITY,
        /// Associated token account of redemption_authority.
        redemption_vault: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
        associated_token_program: ASSOCIATED,
        system_program: SYSTEM,
    }

    /// Begins the adoption of a live mint: it is all that the profile asks save the authorities, whose holders are
    /// recorded. Each of them then hands over by itself to the asset's address, where no account exists yet.
    admin::begin_adopt "BeginAdopt" (profile: u8) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        adoption: ADOPTION_OF_MINT,
        /// Must not exist.
        asset: ANY.pda(&[Seed::Const(b"asset"), Seed::Account("mint")]),
        mint: ANY,
        system_program: SYSTEM,
    }

    /// Takes the mint under the program once everything is handed over, whatever supply it has. The asset is halted
    /// until a statement of it is taken.
    admin::finish_adopt "FinishAdopt" (policy: PolicyArg) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        adoption: ADOPTION_OF_MINT,
        asset: ASSET_OF_MINT,
        mint: ANY,
        /// Associated token account of the asset.
        vault: WRITABLE,
        /// Owner of the redemption vault.
        redemption_authority: REDEMPTION_AUTHORITY,
        /// Associated token account of redemption_authority.
        redemption_vault: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
        associated_token_program: ASSOCIATED,
        system_program: SYSTEM,
    }

    /// Gives up an adoption that is not finished: every authority that was handed over goes back to who held it at
    /// begin_adopt. It may begin anew.
    admin::abort_adopt "AbortAdopt" () {
        admin: ADMIN,
        config: CONFIG,
        adoption: ADOPTION_OF_MINT,
        /// Must not exist.
        asset: ANY.pda(&[Seed::Const(b"asset"), Seed::Account("mint")]),
        mint: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Makes limits stricter at once; every value the same or stricter.
    admin::tighten_policy "TightenPolicy" (policy: PolicyArg) {
        admin: ADMIN,
        config: CONFIG,
        asset: WRITABLE,
    }

    /// Sets the limits of an asset.
    admin::loosen_policy "LoosenPolicy" (policy: PolicyArg) {
        admin: ADMIN,
        config: CONFIG,
        asset: WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Retires an asset for ever: nothing is minted or distributed, the rest goes on.
    admin::retire_asset "RetireAsset" () {
        admin: ADMIN,
        config: CONFIG,
        asset: WRITABLE,
    }

    /// Hands every authority of the mint from the asset to another account, for ever: nothing is enforced any more.
    admin::release_authority "ReleaseAuthority" () {
        admin: ADMIN,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: WRITABLE,
        /// The inventory; empty.
        vault: ANY,
        /// Who gets them.
        new_authority: ANY,
        /// Token-2022.
        token_program: TOKEN;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Writes fields of the mint's metadata: "name", "symbol" and "uri" are the base fields, other keys additional ones.
    admin::set_metadata "SetMetadata" (updates: MetadataFields) {
        /// Pays for the mint's growth.
        admin: ADMIN.writable(),
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
        system_program: SYSTEM,
    }

    /// Puts a wallet on the list of participants, or changes it. state: 0 Inactive, 1 Active.
    registrar::set_participant "SetParticipant" (state: u8, expires_ts: i64, country: [u8; 2]) {
        /// Pays.
        registrar: REGISTRAR.writable(),
        config: CONFIG,
        participant: WRITABLE.pda(&[Seed::Const(b"participant"), Seed::Account("wallet")]),
        wallet: ANY,
        system_program: SYSTEM,
    }

    /// Pauses scopes at once (M8): of an asset, or globally where no asset is given. The transfers scope needs
    /// asset, mint and token_program: it is Token-2022's pause.
    guardian::pause "Pause" (scopes: u8) {
        guardian: GUARDIAN,
        config: WRITABLE.pda(&[Seed::Const(b"config")]);
        optional
        asset: WRITABLE,
        mint: WRITABLE,
        token_program: TOKEN,
    }

    /// Resumes scopes. Accounts as for pause.
    resumer::resume "Resume" (scopes: u8) {
        resumer: RESUMER,
        config: WRITABLE.pda(&[Seed::Const(b"config")]);
        optional
        asset: WRITABLE,
        mint: WRITABLE,
        token_program: TOKEN,
    }

    /// Announces another multiplier of an asset (M9): a compare-and-set of the one in force, at least the policy's
    /// notice ahead, one at a time. Minting is held from now until a statement with the new one arrives.
    corporate_actions::schedule_multiplier "ScheduleMultiplier" (current_bits: u64, new_bits: u64, effective_ts: i64) {
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
    corporate_actions::cancel_multiplier "CancelMultiplier" (pending_bits: u64) {
        /// Corporate actions or guardian.
        authority: CORPORATE_ACTIONS_OR_GUARDIAN,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Clears holds of an asset: rise 1, multiplier 2, ca_window 4. observed_ms are those of the four entries that the
    /// resumer looked at: with another statement since then the holds stay.
    resumer::clear_hold "ClearHold" (holds: u8, observed_ms: [u64; 4]) {
        resumer: RESUMER,
        config: CONFIG,
        asset: WRITABLE,
    }

    /// Freezes a holder's token account at once.
    compliance::freeze "Freeze" () {
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
    compliance::thaw "Thaw" () {
        compliance: COMPLIANCE,
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: ANY,
        /// A token account of the mint, no vault of the program.
        account: WRITABLE,
        recovery: ANY.pda(&[Seed::Const(b"recovery"), Seed::Account("account")]),
        /// Token-2022.
        token_program: TOKEN;
        optional
        /// The active participant that owns the account; needed in the permissioned profile, where the account needs
        /// ImmutableOwner too.
        participant: ANY,
    }

    /// Freezes the source at once and announces that an amount will be moved out of it, after at least the timelock.
    compliance::announce_recovery "AnnounceRecovery" (amount_raw: u64, delay_secs: u64) {
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
    compliance::execute_recovery "ExecuteRecovery" () {
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

    /// Stops an announced recovery; the source stays frozen until compliance thaws it.
    guardian::cancel_recovery "CancelRecovery" () {
        guardian: GUARDIAN,
        config: CONFIG,
        recovery: WRITABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::ARG_STRUCTS, schema::Ty};
    use proptest::prelude::*;

    /// Random bytes of a type, as Borsh writes it.
    fn encoded(ty: &Ty, random: &mut impl Iterator<Item = u8>) -> Vec<u8> {
        let mut byte = |below: u8| random.next().unwrap_or(0) % below;
        match ty {
            Ty::U8 => vec![byte(255)],
            Ty::U16 => encoded(&Ty::Array(&Ty::U8, 2), random),
            Ty::U32 => encoded(&Ty::Array(&Ty::U8, 4), random),
            Ty::U64 | Ty::I64 => encoded(&Ty::Array(&Ty::U8, 8), random),
            Ty::Pubkey => encoded(&Ty::Array(&Ty::U8, 32), random),
            Ty::Array(of, count) => (0..*count).flat_map(|_| encoded(of, random)).collect(),
            Ty::Vec(of) => listed(byte(5), |random| encoded(of, random), random),
            Ty::Bytes => listed(byte(20), |random| encoded(&Ty::U8, random), random),
            Ty::String => listed(byte(20), |random| vec![b'a' + random.next().unwrap_or(0) % 26], random),
            Ty::Defined(name) => {
                let fields = ARG_STRUCTS.iter().find(|each| each.name == *name).unwrap().fields;
                fields.iter().flat_map(|field| encoded(&field.ty, random)).collect()
            }
        }
    }

    fn listed<R: Iterator<Item = u8>>(count: u8, one: impl Fn(&mut R) -> Vec<u8>, random: &mut R) -> Vec<u8> {
        let mut bytes = u32::from(count).to_le_bytes().to_vec();
        for _ in 0..count {
            bytes.extend(one(random));
        }
        bytes
    }

    proptest! {
        #[test]
        fn arguments_are_read_to_the_last_byte(
            which in 0..INSTRUCTIONS.len(), random in proptest::collection::vec(any::<u8>(), 2_000),
        ) {
            let (instruction, reads, mut random) = (&INSTRUCTIONS[which], READERS[which], random.into_iter());
            let data: Vec<u8> = instruction.args.iter().flat_map(|arg| encoded(&arg.ty, &mut random)).collect();
            prop_assert!(reads(&data), "{}", instruction.name);
            for end in 0..data.len() {
                prop_assert!(!reads(&data[..end]), "{} cut to {end}", instruction.name);
            }
            prop_assert!(!reads(&[&data[..], &[0]].concat()), "{} with a byte more", instruction.name);
        }

        /// Random bytes, the counts among them small or at the ends of what they may be.
        #[test]
        fn any_bytes_are_read_without_a_panic(
            which in 0..INSTRUCTIONS.len(),
            parts in proptest::collection::vec((0u32..4, proptest::collection::vec(any::<u8>(), 0..120)), 0..6),
            huge in prop::sample::select(vec![None, Some(255u32), Some(256), Some(u32::MAX)]),
        ) {
            let mut data: Vec<u8> = huge.map(|count| count.to_le_bytes().to_vec()).unwrap_or_default();
            for (count, bytes) in parts {
                data.extend(count.to_le_bytes());
                data.extend(bytes);
            }
            let reads = READERS[which];
            // What was read ended with its last byte, so no other length is read.
            prop_assert!(!(reads(&data) && reads(&[&data[..], &[0]].concat())));
        }
    }
}
