"""Every number that the program refuses with, as published: an independent copy that never changes (append only).

Numbers below 6000 are Anchor's. `tests/program/test_errors.py` compares it with the IDL.
"""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """The program's errors by the names of the IDL."""

    # Anchor framework numbers.
    InstructionMissing = 100
    InstructionFallbackNotFound = 101
    InstructionDidNotDeserialize = 102
    ConstraintMut = 2000
    ConstraintHasOne = 2001
    ConstraintSeeds = 2006
    ConstraintAddress = 2012
    AccountDiscriminatorNotFound = 3001
    AccountDiscriminatorMismatch = 3002
    AccountDidNotDeserialize = 3003
    AccountNotEnoughKeys = 3005
    AccountOwnedByWrongProgram = 3007
    InvalidProgramId = 3008
    AccountNotSigner = 3010
    AccountNotInitialized = 3012
    # 6000 to 6029: configuration, roles, arithmetic, invariants.
    NotAdmin = 6000
    NotOperator = 6001
    NotRegistrar = 6002
    NotGuardian = 6003
    NotResumer = 6004
    NotAdminOrGuardian = 6005
    NotUpgradeAuthority = 6006
    AlreadyInitialized = 6007
    AlreadySealed = 6008
    TimelockZero = 6009
    SkewOutOfRange = 6010
    UnknownRole = 6011
    KeyMissing = 6012
    Overflow = 6013
    UnsupportedVersion = 6014
    InvariantViolated = 6015
    TooManyAccounts = 6016
    BadProgramData = 6017
    WrongClock = 6018
    TimelockTooLong = 6019
    GuardianIsResumer = 6020
    OfferExpiryInvalid = 6021
    NoPendingAdmin = 6022
    NotPendingAdmin = 6023
    OfferNotReady = 6024
    OfferExpired = 6025
    TimelockNotZero = 6026
    NotCompliance = 6027
    RolesNotDifferent = 6028
    RoleMissing = 6029
    # 6030 to 6049: the timelock.
    ProposalRequired = 6030
    ProposalMismatch = 6031
    ProposalNotReady = 6032
    ProposalNotPending = 6033
    ProposalStale = 6034
    ProposalPending = 6035
    NotTimelocked = 6036
    GuardianCannotCancel = 6037
    NotSealed = 6038
    GuardianNotClearable = 6039
    ProposalExpired = 6040
    ResumerNotClearable = 6041
    NotProposedKey = 6042
    RoleNotAccepted = 6043
    TimelockTooShort = 6044
    # 6050 to 6079: custodians and their keys.
    TooManyKeys = 6050
    KeysNotAscending = 6051
    ThresholdTooLow = 6052
    NotEnoughParties = 6053
    CustodianPartyMissing = 6054
    KeyNotFound = 6055
    CustodianRetired = 6056
    EntriesFull = 6057
    AlreadyAttached = 6058
    NotAttached = 6059
    NotAttester = 6060
    BadName = 6061
    KeyExpired = 6062
    EpochExhausted = 6063
    PartyOutOfRange = 6064
    NotOwnParty = 6065
    CustodianInUse = 6066
    CustodianNotRetired = 6067
    # 6080 to 6129: registration and adoption of a mint.
    ProfileNotSupported = 6080
    MintOwnerInvalid = 6081
    MintNotInitialized = 6082
    MintMalformed = 6083
    WrongDecimals = 6084
    SupplyNotZero = 6085
    MintAuthorityInvalid = 6086
    FreezeAuthorityInvalid = 6087
    ForbiddenExtension = 6088
    DuplicateExtension = 6089
    MissingExtension = 6090
    MetadataPointerInvalid = 6091
    PermanentDelegateInvalid = 6092
    DefaultAccountStateInvalid = 6093
    ScaledUiAuthorityInvalid = 6094
    PausableAuthorityInvalid = 6095
    MintPaused = 6096
    ConfidentialTransferInvalid = 6097
    TransferHookInvalid = 6098
    MultiplierInvalid = 6099
    MultiplierPending = 6100
    MetadataAlreadyInitialized = 6101
    CloseAuthorityForbidden = 6102
    VaultInvalid = 6103
    MetadataInvalid = 6104
    PolicyInvalid = 6105
    NotTightening = 6106
    MultiplierOffsetInvalid = 6107
    InitialMintTooLarge = 6108
    MetadataMalformed = 6109
    MetadataAuthorityInvalid = 6110
    AdoptionBegun = 6111
    AdoptionNotBegun = 6112
    MetadataBlank = 6113
    MetadataControl = 6114
    # 6130 to 6169: the ed25519 instruction in front of submit_attestation (S1 to S11).
    SignatureInstructionMissing = 6130
    SignatureProgramInvalid = 6131
    SignatureAccountsInvalid = 6132
    SignatureCountInvalid = 6133
    SignaturePaddingInvalid = 6134
    SignatureLengthInvalid = 6135
    SignatureOffsetInvalid = 6136
    KeyOffsetInvalid = 6137
    MessageOffsetInvalid = 6138
    MessageSizeInvalid = 6139
    SignatureIndexInvalid = 6140
    InstructionsSysvarMalformed = 6141
    # 6170 to 6199: statements and their quorum.
    DigestMismatch = 6170
    SignersNotAscending = 6171
    SignerUnknown = 6172
    SignerExpired = 6173
    QuorumNotMet = 6174
    CustodianDidNotSign = 6175
    WrongEpoch = 6176
    EntryCountInvalid = 6177
    MintsNotAscending = 6178
    ObservedInFuture = 6179
    StatementExpired = 6180
    CapacityMismatch = 6181
    SeenAboveTotal = 6182
    StatementNotNewer = 6183
    # 6200 to 6239: mint, burn, distribute.
    Paused = 6200
    OnHold = 6201
    AssetNotActive = 6202
    WrongSequence = 6203
    AmountZero = 6204
    BucketEmpty = 6205
    SupplyLimitExceeded = 6206
    MultiplierMismatch = 6207
    CeilingExceeded = 6208
    SupplyMismatch = 6209
    CustodiansNotAscending = 6210
    EntriesAccountsMismatch = 6211
    WrongMint = 6212
    WrongVault = 6213
    NoEntries = 6214
    OrderIdZero = 6215
    DestinationInvalid = 6216
    DestinationIsVault = 6217
    DestinationOwnerMismatch = 6218
    InventoryTooLow = 6219
    BalanceMismatch = 6220
    TooManyEntries = 6221
    SequenceExhausted = 6222
    VaultProtected = 6223
    # 6240 to 6259: pauses and holds.
    UnknownScope = 6240
    NothingToChange = 6241
    TransfersNeedAsset = 6242
    UnknownHold = 6243
    TransfersNotPausable = 6244
    EntriesChanged = 6245
    HeldAgain = 6246
    # 6260 to 6279: participants.
    ParticipantInactive = 6260
    ParticipantExpired = 6261
    UnknownState = 6262
    ExpiryInvalid = 6263
    CountryInvalid = 6264
    # 6280 to 6299: redemptions.
    ParticipantMismatch = 6280
    SourceIsVault = 6281
    SourceInvalid = 6282
    SourceOwnerMismatch = 6283
    SourceTooLow = 6284
    WrongRedemptionVault = 6285
    RedemptionMismatch = 6286
    RedemptionClosed = 6287
    NotRedeemer = 6288
    EntryNotFresh = 6289
    RedemptionNotCovered = 6290
    RedemptionOnHold = 6291
    RedemptionNotOnHold = 6292
    RefundNeedsParticipant = 6293
    RedemptionsOpen = 6294
    RedemptionNotAccepted = 6295
    RedemptionAlreadyAccepted = 6296
    RedemptionLocked = 6297
    # 6300 to 6319: freeze, thaw, recovery.
    NotFreezable = 6300
    TokenAccountInvalid = 6301
    AccountFrozen = 6302
    AccountNotFrozen = 6303
    ParticipantMissing = 6304
    OwnerMismatch = 6305
    RecoveryOpen = 6306
    RecoveryNotOpen = 6307
    RecoveryNotReady = 6308
    RecoveryDelayInvalid = 6309
    RecoveryTooLarge = 6310
    RecoveryMismatch = 6311
    RecoveryToItself = 6312
    OwnerNotImmutable = 6313
    FreezeLimitReached = 6314
    # 6320 to 6339: changes of the multiplier.
    NotCorporateActions = 6320
    NotCorporateActionsOrGuardian = 6321
    MultiplierChangePending = 6322
    MultiplierChanged = 6323
    NoticeTooShort = 6324
    NoticeTooLong = 6325
    MultiplierNeedsAdmin = 6326
    NoMultiplierPending = 6327
    MultiplierTookEffect = 6328
    MultiplierNotSet = 6329
    # 6340 to 6359: retirement, release, metadata.
    AlreadyRetired = 6340
    AssetReleased = 6341
    InventoryNotEmpty = 6342
    NewAuthorityInvalid = 6343
    AuthorityNotReleased = 6344
    MetadataImmutable = 6345
