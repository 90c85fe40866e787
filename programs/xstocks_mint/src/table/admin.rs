//! What the admin calls, at once or under the timelock (and the deployer: initialize).

use crate::{
    args::{AttesterKeyArg, Bytes, List, MetadataFields, PolicyArg, Text},
    pda::{ASSET_SEED, CUSTODIAN_SEED},
    schema::{Seed, ANY},
    table::{
        row::instructions,
        specs::{
            ADMIN, ADOPTION_OF_MINT, ASSET_OF_MINT, ASSET_OF_MINT_READ, ASSOCIATED, CONFIG, CONFIG_WRITABLE, PAYER,
            PROPOSAL, PROPOSED, REDEMPTION_AUTHORITY, SYSTEM, TOKEN, WRITABLE,
        },
    },
};

instructions! {
    /// Makes the configuration. Only the upgrade authority of the program may. min_timelock_secs, from 1 second to a
    /// year, is the least timelock for ever.
    initialize ("Initialize (xstocks_mint ", env!("CARGO_PKG_VERSION"), ")") (
        admin: Address, operator: Address, registrar: Address, guardian: Address, resumer: Address,
        compliance: Address, corporate_actions: Address, genesis_hash: [u8; 32], max_skew_secs: u32,
        min_timelock_secs: u64,
    ) {
        /// The upgrade authority; pays.
        authority: PAYER,
        config: CONFIG_WRITABLE,
        /// This program.
        program: ANY,
        /// Its program data account.
        program_data: ANY,
        system_program: SYSTEM,
    }

    /// Enforces the timelock from now on; cannot be undone. There must be a guardian and a resumer, and from now on admin,
    /// guardian, resumer, operator, compliance and corporate actions are different keys.
    seal "Seal" (timelock_secs: u64) {
        admin: ADMIN,
        config: CONFIG_WRITABLE,
    }

    /// Starts the timelock of one instruction with its arguments and accounts. When it has passed the instruction may be
    /// executed for 14 days.
    /// Remaining accounts: those of the proposed instruction in its order, without its proposal account.
    propose "Propose" (instruction_data: Bytes) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        /// PDA ["proposal", sha256("xstocks:proposal:v1" | instruction_data | keys of the remaining accounts)].
        proposal: WRITABLE,
        system_program: SYSTEM;
        remaining PROPOSED
    }

    /// Gives a role to a key, which once sealed has accepted the proposal (accept_role). Roles: 0 operator, 1 registrar, 2 guardian, 3 resumer, 4 compliance, 5 corporate actions.
    set_role "SetRole" (role: u8, key: Address) {
        admin: ADMIN,
        config: CONFIG_WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Takes a role from its key at once: nobody has it then. Once sealed not the guardian's and the resumer's.
    clear_role "ClearRole" (role: u8) {
        admin: ADMIN,
        config: CONFIG_WRITABLE,
    }

    /// Offers the admin role to a key; an older offer ends. It may accept once the timelock has passed (at once
    /// before the seal) and before expires_ts, which is at most a year later.
    propose_admin "ProposeAdmin" (pending_admin: Address, expires_ts: i64) {
        admin: ADMIN,
        config: CONFIG_WRITABLE,
    }

    /// Sets the timelock (once sealed from Config.min_timelock_secs to a year, before that zero) and the allowed skew.
    set_timing "SetTiming" (timelock_secs: u64, max_skew_secs: u32) {
        admin: ADMIN,
        config: CONFIG_WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Registers a custodian with its attester keys (strictly ascending, at least two parties, party 0 among them).
    register_custodian "RegisterCustodian" (id: u16, name: [u8; 32], threshold: u8, keys: List<AttesterKeyArg>) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        custodian: WRITABLE.pda(&[Seed::Const(CUSTODIAN_SEED), Seed::Arg("id")]),
        system_program: SYSTEM;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Replaces the attester keys of a custodian; its epoch rises.
    set_custodian_keys "SetCustodianKeys" (threshold: u8, keys: List<AttesterKeyArg>) {
        admin: ADMIN,
        config: CONFIG,
        custodian: WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Lets a custodian's statements count for an asset. Nothing observed before now + max_skew_secs is taken. A new one
    /// takes the slot of one that is detached and never had a redemption, or is retired, else an empty one.
    attach_custodian "AttachCustodian" () {
        admin: ADMIN,
        config: CONFIG,
        custodian: WRITABLE,
        asset: WRITABLE;
        optional
        /// The retired custodian whose slot is taken.
        retired: ANY,
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Ends it at once; the entry's unseen redemptions keep counting.
    detach_custodian "DetachCustodian" () {
        admin: ADMIN,
        config: CONFIG,
        custodian: WRITABLE,
        asset: WRITABLE,
    }

    /// Retires a custodian for ever: no asset attaches it again. Only where it is detached everywhere and all its
    /// redemptions are counted.
    retire_custodian "RetireCustodian" () {
        admin: ADMIN,
        config: CONFIG,
        custodian: WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Takes a new mint under the program. The client made it: all extensions of the profile save TokenMetadata,
    /// every authority the asset (those of the metadata pointer, the hook and confidential transfers the asset or
    /// nobody), no supply, lamports for the full size. This writes the metadata and makes the vaults.
    register_asset "RegisterAsset" (
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
    begin_adopt "BeginAdopt" (profile: u8) {
        /// Pays.
        admin: ADMIN.writable(),
        config: CONFIG,
        adoption: ADOPTION_OF_MINT,
        /// Must not exist.
        asset: ANY.pda(&[Seed::Const(ASSET_SEED), Seed::Account("mint")]),
        mint: ANY,
        system_program: SYSTEM,
    }

    /// Takes the mint under the program once everything is handed over, whatever supply it has. The asset is halted
    /// until a statement of it is taken.
    finish_adopt "FinishAdopt" (policy: PolicyArg) {
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
    abort_adopt "AbortAdopt" () {
        admin: ADMIN,
        config: CONFIG,
        adoption: ADOPTION_OF_MINT,
        /// Must not exist.
        asset: ANY.pda(&[Seed::Const(ASSET_SEED), Seed::Account("mint")]),
        mint: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
    }

    /// Makes limits stricter at once; every value the same or stricter.
    tighten_policy "TightenPolicy" (policy: PolicyArg) {
        admin: ADMIN,
        config: CONFIG,
        asset: WRITABLE,
    }

    /// Sets the limits of an asset.
    loosen_policy "LoosenPolicy" (policy: PolicyArg) {
        admin: ADMIN,
        config: CONFIG,
        asset: WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Retires an asset for ever: nothing is minted or distributed, the rest goes on. (To stop at once there is pause.)
    retire_asset "RetireAsset" () {
        admin: ADMIN,
        config: CONFIG,
        asset: WRITABLE;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Hands every authority of the mint from the asset to another account, for ever: nothing is enforced any more. Not
    /// while redemptions are open; what the two vaults still hold is burnt.
    release_authority "ReleaseAuthority" () {
        admin: ADMIN,
        config: CONFIG,
        asset: ASSET_OF_MINT,
        mint: WRITABLE,
        vault: WRITABLE,
        redemption_authority: REDEMPTION_AUTHORITY,
        redemption_vault: WRITABLE,
        /// Who gets the authorities.
        new_authority: ANY,
        /// Token-2022.
        token_program: TOKEN;
        optional
        /// Needed once sealed.
        proposal: PROPOSAL,
    }

    /// Writes fields of the mint's metadata: "name", "symbol" and "uri" are the base fields, other keys additional ones.
    set_metadata "SetMetadata" (updates: MetadataFields) {
        /// Pays for the mint's growth.
        admin: ADMIN.writable(),
        config: CONFIG,
        asset: ASSET_OF_MINT_READ,
        mint: WRITABLE,
        /// Token-2022.
        token_program: TOKEN,
        system_program: SYSTEM,
    }
}
