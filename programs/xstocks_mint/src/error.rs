//! Every error by number and name: Anchor's where Anchor would raise it, own ones from 6000.
//!
//! Own numbers stand in ranges by area, each range is append-only: a published number never changes its meaning.

/// The result of everything that can be refused.
pub type Result<T = ()> = core::result::Result<T, Error>;

/// Refuses with `error` where `holds` is false.
///
/// # Errors
/// `error`.
#[inline(always)]
pub fn require(holds: bool, error: Error) -> Result {
    if holds {
        Ok(())
    } else {
        Err(cold_error(error))
    }
}

/// The error itself, from a cold place: what passes a check does not pay for loading its number, and the compiler keeps
/// more in registers. A mint passes fifty checks.
#[cold]
#[inline(never)]
pub fn cold_error(error: Error) -> Error {
    core::hint::black_box(error)
}

macro_rules! errors {
    ($($number:literal $name:ident $message:literal)*) => {
        /// An error as the runtime sees it: `Custom(number)`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u64)] // a register: u32 would be widened again after each call
        pub enum Error { $(#[doc = $message] $name = $number),* }

        /// Number, name and message of every error, ascending.
        pub const ERRORS: &[(u32, &str, &str)] = &[$(($number, stringify!($name), $message)),*];

        impl Error {
            /// Logs the line Anchor's clients parse.
            #[cold]
            #[inline(never)]
            pub fn log(self) {
                match self {
                    $(Error::$name => $crate::log::line(concat!(
                        "AnchorError occurred. Error Code: ", stringify!($name),
                        ". Error Number: ", stringify!($number),
                        ". Error Message: ", $message, "."
                    ))),*
                }
            }
        }
    };
}

errors! {
    // Anchor framework numbers.
    100 InstructionMissing "8 byte instruction identifier not provided"
    101 InstructionFallbackNotFound "Fallback functions are not supported"
    102 InstructionDidNotDeserialize "The program could not deserialize the given instruction"
    2000 ConstraintMut "A mut constraint was violated"
    2006 ConstraintSeeds "A seeds constraint was violated"
    2012 ConstraintAddress "An address constraint was violated"
    3001 AccountDiscriminatorNotFound "No discriminator was found on the account"
    3002 AccountDiscriminatorMismatch "Account discriminator did not match what was expected"
    3003 AccountDidNotDeserialize "Failed to deserialize the account"
    3005 AccountNotEnoughKeys "Not enough account keys given to the instruction"
    3007 AccountOwnedByWrongProgram "The given account is owned by a different program than expected"
    3008 InvalidProgramId "Program ID was not as expected"
    3010 AccountNotSigner "The given account did not sign"
    3012 AccountNotInitialized "The program expected this account to be already initialized"

    // 6000 to 6029: configuration, roles, arithmetic, invariants.
    6000 NotAdmin "Only the admin may do this"
    6001 NotOperator "Only the operator may do this"
    6002 NotRegistrar "Only the registrar may do this"
    6003 NotGuardian "Only the guardian may do this"
    6004 NotResumer "Only the resumer may do this"
    6005 NotAdminOrGuardian "Only the admin or the guardian may do this"
    6006 NotUpgradeAuthority "Only the upgrade authority of the program may initialize it"
    6007 AlreadyInitialized "The account exists already"
    6008 AlreadySealed "The program is sealed already"
    6009 TimelockZero "The timelock must be at least one second"
    6010 SkewOutOfRange "max_skew_secs must be from 1 to 3600"
    6011 UnknownRole "There is no role of this number"
    6012 KeyMissing "The key must not be all zeros"
    6013 Overflow "The numbers of this instruction overflow"
    6014 UnsupportedVersion "The account has a version that this program does not know"
    6015 InvariantViolated "A rule of the account would be broken; this is a defect of the program"
    6016 TooManyAccounts "More accounts were given than the instruction takes"
    6017 BadProgramData "The program data account does not name an upgrade authority"
    6018 WrongClock "A sysvar could not be read, or the clock stands before 1970"
    6019 TimelockTooLong "The timelock must be at most a year"
    6020 GuardianIsResumer "Guardian and resumer must be different keys"
    6021 OfferExpiryInvalid "The offer must end after its timelock, and at most a year after it"
    6022 NoPendingAdmin "Nobody is offered to become admin"
    6023 NotPendingAdmin "Only the key that is offered to become admin may accept"
    6024 OfferNotReady "The timelock of the offer has not passed"
    6025 OfferExpired "The offer has ended"
    6026 TimelockNotZero "Before the program is sealed the timelock is zero; seal sets it"
    6027 NotCompliance "Only the compliance key may do this"
    6028 RolesNotDifferent "Once sealed admin, guardian, resumer, operator, compliance and corporate actions are different keys"
    6029 RoleMissing "Once sealed there are a guardian and a resumer"

    // 6030 to 6049: the timelock.
    6030 ProposalRequired "The program is sealed: this instruction needs its proposal"
    6031 ProposalMismatch "The proposal is of another instruction, arguments or accounts"
    6032 ProposalNotReady "The timelock of the proposal has not passed"
    6033 ProposalNotPending "The proposal was executed or cancelled"
    6034 ProposalStale "The proposal was made under an earlier admin"
    6035 ProposalPending "The proposal is pending already"
    6036 NotTimelocked "Only an instruction under the timelock can be proposed"
    6037 GuardianCannotCancel "The guardian cancels its own replacement only together with the resumer"
    6038 NotSealed "Before the program is sealed nothing needs a proposal"
    6039 GuardianNotClearable "Once sealed the guardian is only replaced, under the timelock, never cleared"
    6040 ProposalExpired "The proposal was not executed within 14 days of being ready; propose it again"
    6041 ResumerNotClearable "Once sealed the resumer is only replaced, under the timelock, never cleared"
    6042 NotProposedKey "Only the key that the proposal gives a role to may accept it"
    6043 RoleNotAccepted "The new key of the role has not accepted the proposal"
    6044 TimelockTooShort "The timelock must be at least the minimum that initialize fixed"

    // 6050 to 6079: custodians and their keys.
    6050 TooManyKeys "A custodian has at most 8 keys"
    6051 KeysNotAscending "Attester keys must be strictly ascending"
    6052 ThresholdTooLow "The threshold must be at least 2"
    6053 NotEnoughParties "There are fewer distinct parties than the threshold"
    6054 CustodianPartyMissing "Party 0, the custodian itself, must have a key"
    6055 KeyNotFound "The custodian has no such key"
    6056 CustodianRetired "The custodian is retired"
    6057 EntriesFull "An asset has at most 4 custodians"
    6058 AlreadyAttached "The custodian is attached to the asset already"
    6059 NotAttached "The custodian is not attached to the asset"
    6060 NotAttester "The signer is not a present attester key of the custodian"
    6061 BadName "The name must be UTF-8 of 1 to 32 bytes, padded with zeros"
    6062 KeyExpired "An attester key has expired"
    6063 EpochExhausted "The custodian has had all its key epochs"
    6064 PartyOutOfRange "Party numbers are from 0 to 63"
    6065 NotOwnParty "The signer is not a present key of the custodian's own party"
    6066 CustodianInUse "The custodian is attached to an asset, or redemptions at it are not counted yet"
    6067 CustodianNotRetired "Only a retired custodian's slot is taken so"

    // 6080 to 6129: registration and adoption of a mint.
    6080 ProfileNotSupported "There is no such mint profile in this version"
    6081 MintOwnerInvalid "The mint is not owned by Token-2022"
    6082 MintNotInitialized "The mint is not initialized"
    6083 MintMalformed "The extensions of the mint are malformed"
    6084 WrongDecimals "The mint must have at most 9 decimals"
    6085 SupplyNotZero "The mint has a supply already"
    6086 MintAuthorityInvalid "The mint authority must be the asset"
    6087 FreezeAuthorityInvalid "The freeze authority must be what the profile says"
    6088 ForbiddenExtension "The mint has an extension that the profile does not allow"
    6089 DuplicateExtension "The mint has an extension twice"
    6090 MissingExtension "The mint lacks an extension of the profile"
    6091 MetadataPointerInvalid "The metadata pointer must point to the mint, its authority be the asset or nobody"
    6092 PermanentDelegateInvalid "The permanent delegate must be the asset"
    6093 DefaultAccountStateInvalid "The default account state must be what the profile says"
    6094 ScaledUiAuthorityInvalid "The authority of the scaled UI amount must be the asset"
    6095 PausableAuthorityInvalid "The pause authority must be the asset"
    6096 MintPaused "The mint is paused"
    6097 ConfidentialTransferInvalid "Confidential transfers: authority the asset or nobody, no auto-approval, no auditor"
    6098 TransferHookInvalid "Transfer hook: authority the asset or nobody, no program"
    6099 MultiplierInvalid "The multiplier must be a normal positive finite number"
    6100 MultiplierPending "The mint has a multiplier change pending"
    6101 MetadataAlreadyInitialized "The mint has metadata already; register_asset writes it"
    6102 CloseAuthorityForbidden "The mint must not have a close authority"
    6103 VaultInvalid "The vault is not the associated token account it must be"
    6104 MetadataInvalid "Name and symbol must not be empty"
    6105 PolicyInvalid "The policy is out of its bounds"
    6106 NotTightening "Each value of the policy must be the same or stricter"
    6107 MultiplierOffsetInvalid "The multiplier of the mint is not where the asset says"
    6108 InitialMintTooLarge "initial_mint_raw is above the supply limit"
    6109 MetadataMalformed "The metadata in the mint are malformed or of another mint"
    6110 MetadataAuthorityInvalid "The update authority of the metadata must be the asset or nobody"
    6111 AdoptionBegun "An adoption of this mint has begun; finish or abort it"
    6112 AdoptionNotBegun "No adoption of this mint has begun, or it has ended"
    6113 MetadataBlank "Name and symbol must not be blank"
    6114 MetadataControl "Metadata must have no control characters"

    // 6130 to 6169: the ed25519 instruction in front of submit_attestation (S1 to S11).
    6130 SignatureInstructionMissing "An ed25519 instruction must stand directly before this one"
    6131 SignatureProgramInvalid "The instruction before this one is not of the ed25519 program"
    6132 SignatureAccountsInvalid "The ed25519 instruction must have no accounts"
    6133 SignatureCountInvalid "The ed25519 instruction must hold from 2 to 8 signatures"
    6134 SignaturePaddingInvalid "The padding byte of the ed25519 instruction must be zero"
    6135 SignatureLengthInvalid "The data of the ed25519 instruction must be 2 + 110n + 32 bytes long"
    6136 SignatureOffsetInvalid "A signature offset is not at its canonical place"
    6137 KeyOffsetInvalid "A public key offset is not at its canonical place"
    6138 MessageOffsetInvalid "The message offset is not at its canonical place"
    6139 MessageSizeInvalid "The message must be 32 bytes long"
    6140 SignatureIndexInvalid "Signature, key and message must be of the ed25519 instruction itself (0xFFFF)"
    6141 InstructionsSysvarMalformed "The instructions sysvar could not be read"

    // 6170 to 6199: statements and their quorum.
    6170 DigestMismatch "The signed message is not the digest of this statement"
    6171 SignersNotAscending "The signing keys must be strictly ascending"
    6172 SignerUnknown "A signing key is not of this custodian"
    6173 SignerExpired "A signing key has expired"
    6174 QuorumNotMet "Fewer distinct parties signed than the threshold"
    6175 CustodianDidNotSign "The custodian's own party did not sign"
    6176 WrongEpoch "The statement is of another key epoch"
    6177 EntryCountInvalid "A statement holds from 1 to 24 entries"
    6178 MintsNotAscending "The assets must be strictly ascending by mint"
    6179 ObservedInFuture "The time of observation is ahead of the clock by more than the allowed skew"
    6180 StatementExpired "The statement has expired"
    6181 CapacityMismatch "capacity_raw is not what shares_nano and the multiplier give"
    6182 SeenAboveTotal "redeemed_seen_raw is above what was redeemed in total"
    6183 StatementNotNewer "No entry of the statement is newer than what the asset holds"

    // 6200 to 6239: mint, burn, distribute.
    6200 Paused "This is paused"
    6201 OnHold "The asset is on hold"
    6202 AssetNotActive "The asset is not active"
    6203 WrongSequence "The sequence number is not the next of the asset"
    6204 AmountZero "The amount must not be zero"
    6205 BucketEmpty "The rate limit does not allow this amount now"
    6206 SupplyLimitExceeded "The supply would exceed the supply limit of the policy"
    6207 MultiplierMismatch "The effective multiplier of the mint is not the asset's"
    6208 CeilingExceeded "The supply would exceed the ceiling of the fresh statements"
    6209 SupplyMismatch "The supply after the call is not what it must be"
    6210 CustodiansNotAscending "The custodian accounts must be strictly ascending"
    6211 EntriesAccountsMismatch "The accounts do not fit the number of entries"
    6212 WrongMint "The mint is not the asset's"
    6213 WrongVault "The vault is not the asset's"
    6214 NoEntries "At least one entry is needed"
    6215 OrderIdZero "The order id must not be all zeros"
    6216 DestinationInvalid "The destination is not an initialized token account of this mint"
    6217 DestinationIsVault "The destination must not be a vault of the program"
    6218 DestinationOwnerMismatch "The destination is not owned by the participant's wallet"
    6219 InventoryTooLow "The vault holds less than the amount"
    6220 BalanceMismatch "A token account does not hold what it must after the call"
    6221 TooManyEntries "A batch holds at most 20 entries"
    6222 SequenceExhausted "The asset has used all its sequence numbers"
    6223 VaultProtected "A vault of the program is neither frozen nor recovered from or to"

    // 6240 to 6259: pauses and holds.
    6240 UnknownScope "There is no such pause scope"
    6241 NothingToChange "Nothing would change"
    6242 TransfersNeedAsset "The transfers scope needs the asset, its mint and the token program"
    6243 UnknownHold "There is no such hold"
    6244 TransfersNotPausable "The profile of this mint has no pause of transfers"
    // No instruction answers it any more.
    6245 EntriesChanged "An entry has another statement than the one that was looked at"
    6246 HeldAgain "The asset was held again since the hold that was looked at"

    // 6260 to 6279: participants.
    6260 ParticipantInactive "The participant is not active"
    6261 ParticipantExpired "The participant has expired"
    6262 UnknownState "There is no such state"
    6263 ExpiryInvalid "The expiry must lie in the future"
    6264 CountryInvalid "The country must be two capital letters (ISO 3166-1 alpha-2)"

    // 6280 to 6299: redemptions.
    6280 ParticipantMismatch "The participant is another wallet than the signer"
    6281 SourceIsVault "The source must not be a vault of the program"
    6282 SourceInvalid "The source is not an initialized, unfrozen token account of this mint"
    6283 SourceOwnerMismatch "The source is not owned by the signer"
    6284 SourceTooLow "The source holds less than the amount"
    6285 WrongRedemptionVault "The redemption vault is not the asset's"
    6286 RedemptionMismatch "The redemption is of another mint"
    6287 RedemptionClosed "The redemption was settled, rejected or cancelled"
    6288 NotRedeemer "Only the wallet that requested the redemption may cancel it"
    6289 EntryNotFresh "The custodian's entry is not fresh: a redemption is settled by one that speaks"
    6290 RedemptionNotCovered "The custodian's capacity less its unseen redemptions does not cover the amount"
    6291 RedemptionOnHold "The redemption is on hold by compliance"
    6292 RedemptionNotOnHold "The redemption is not on hold"
    6293 RefundNeedsParticipant "Tokens go to another account than the one they came from only for an active participant"
    6294 RedemptionsOpen "Redemptions of the asset are open: settle or reject each before its release"
    6295 RedemptionNotAccepted "The named custodian has not accepted the redemption in its present key epoch"
    6296 RedemptionAlreadyAccepted "A custodian has accepted the redemption already"
    6297 RedemptionLocked "A custodian has accepted the redemption: its wallet may take it back after the policy's time"

    // 6300 to 6319: freeze, thaw, recovery.
    6300 NotFreezable "The profile of this mint has no freeze authority"
    6301 TokenAccountInvalid "The account is not an initialized token account of this mint"
    6302 AccountFrozen "The token account is frozen"
    6303 AccountNotFrozen "The token account is not frozen"
    6304 ParticipantMissing "To thaw in this profile the participant that owns the token account is needed"
    6305 OwnerMismatch "The participant does not own the token account"
    6306 RecoveryOpen "A recovery of this token account is announced"
    6307 RecoveryNotOpen "No recovery of this token account is announced"
    6308 RecoveryNotReady "The delay of the recovery has not passed"
    6309 RecoveryDelayInvalid "The delay must be at least the timelock and at most a year"
    6310 RecoveryTooLarge "The source holds less than the amount"
    6311 RecoveryMismatch "The accounts are not those of the announced recovery"
    6312 RecoveryToItself "Source and destination must be different"
    6313 OwnerNotImmutable "In this profile only a token account with ImmutableOwner is thawed, as associated ones have"
    6314 FreezeLimitReached "The policy allows no more freezes now"

    // 6320 to 6339: changes of the multiplier.
    6320 NotCorporateActions "Only the corporate actions key may do this"
    6321 NotCorporateActionsOrGuardian "Only the corporate actions key or the guardian may do this"
    6322 MultiplierChangePending "A change of the multiplier is announced and no statement has the new one yet"
    6323 MultiplierChanged "The multiplier is not the one that this was made for"
    6324 NoticeTooShort "The change must take effect at least the policy's notice ahead"
    6325 NoticeTooLong "The change must take effect within 90 days"
    6326 MultiplierNeedsAdmin "A change beyond the policy's bound, or before a quorum states the multiplier in force, needs the admin's signature too"
    6327 NoMultiplierPending "No change of the multiplier is announced"
    6328 MultiplierTookEffect "The change has taken effect"
    6329 MultiplierNotSet "The mint does not apply the multipliers that it must"

    // 6340 to 6359: retirement, release, metadata.
    6340 AlreadyRetired "The asset is retired"
    6341 AssetReleased "The asset is released: it is no authority of its mint any more"
    6342 InventoryNotEmpty "The vault must be empty: burn what it holds in the same transaction"
    6343 NewAuthorityInvalid "The new authority must be another account than the asset"
    6344 AuthorityNotReleased "The mint does not name the new authority"
    6345 MetadataImmutable "Nobody may change the metadata of this mint"
}

impl From<Error> for pinocchio::error::ProgramError {
    #[inline(always)]
    fn from(error: Error) -> Self {
        #[allow(clippy::cast_possible_truncation)] // all numbers are below 7000
        Self::Custom(error as u64 as u32)
    }
}
