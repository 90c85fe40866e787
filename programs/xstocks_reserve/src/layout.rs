//! Where the fields that this crate reads stand in the accounts: byte offsets from the account's first byte, the eight
//! bytes of the discriminator included. All numbers are little-endian. `tests/layout.rs` compares every constant with
//! the program's own structs; docs/reserve-account.md has all fields.

/// The layout version, at the same place in every account.
pub mod version {
    pub const AT: usize = 8;
    /// The one that this crate reads.
    pub const SUPPORTED: u8 = 1;
}

/// The Asset account, PDA ["asset", mint].
pub mod asset {
    pub const DISCRIMINATOR: [u8; 8] = [234, 180, 241, 252, 139, 224, 160, 8];
    pub const LEN: usize = 800;
    pub const DECIMALS: usize = 10;
    pub const STATE: usize = 12;
    pub const PAUSED: usize = 13;
    pub const HOLDS: usize = 14;
    pub const MINT: usize = 16;
    pub const MULTIPLIER_BITS: usize = 136;
    pub const PENDING_MULTIPLIER_BITS: usize = 144;
    pub const MULTIPLIER_EFFECTIVE_TS: usize = 152;
    pub const SCALED_UI_OFFSET: usize = 168;
    pub const MAX_AGE_SECS: usize = 232;
    pub const ENTRIES: usize = 336;
    pub const ENTRIES_LEN: usize = 4 * super::entry::LEN;
    pub const HOLD_NUMBER: usize = 720;
    pub const OPEN_REDEMPTIONS: usize = 728;
}

/// One of the four entries of an Asset; offsets from the entry's first byte.
pub mod entry {
    pub const LEN: usize = 96;
    pub const CUSTODIAN: usize = 0;
    pub const EPOCH: usize = 32;
    pub const STATE: usize = 36;
    pub const WITHDRAWN: usize = 37;
    pub const OBSERVED_MS: usize = 40;
    pub const EXPIRES_TS: usize = 48;
    pub const SHARES_NANO: usize = 56;
    pub const CAPACITY_RAW: usize = 64;
    pub const REDEEMED_TOTAL_RAW: usize = 72;
    pub const REDEEMED_SEEN_RAW: usize = 80;
    pub const MULTIPLIER_BITS: usize = 88;
    /// Values of STATE.
    pub const EMPTY: u8 = 0;
    pub const ATTACHED: u8 = 1;
}

/// A Custodian account, PDA ["custodian", id].
pub mod custodian {
    pub const DISCRIMINATOR: [u8; 8] = [132, 228, 139, 184, 112, 228, 108, 240];
    pub const LEN: usize = 504;
    pub const STATE: usize = 14;
    pub const EPOCH: usize = 16;
    /// Value of STATE.
    pub const ACTIVE: u8 = 0;
}

/// The Config account, PDA ["config"].
pub mod config {
    pub const DISCRIMINATOR: [u8; 8] = [155, 12, 170, 224, 30, 250, 204, 130];
    pub const LEN: usize = 392;
    pub const SEALED: usize = 10;
    pub const PAUSED: usize = 11;
    pub const TIMELOCK_SECS: usize = 16;
    pub const GENESIS_HASH: usize = 296;
    pub const MIN_TIMELOCK_SECS: usize = 336;
}

/// A program and its code, as the upgradeable loader lays them out.
pub mod loader {
    /// BPFLoaderUpgradeab1e11111111111111111111111
    pub const OWNER: [u8; 32] = [
        2, 168, 246, 145, 78, 136, 161, 176, 226, 16, 21, 62, 247, 99, 174, 43, 0, 194, 185, 61, 22, 193, 36, 210, 192,
        83, 122, 16, 4, 128, 0, 0,
    ];
    /// The Program account: this tag (u32), then the address of its ProgramData account.
    pub const PROGRAM_TAG: u32 = 2;
    pub const PROGRAM_LEN: usize = 36;
    pub const PROGRAM_DATA: usize = 4;
    /// The ProgramData account: this tag (u32), a slot, whether there is an upgrade authority and which; then the code.
    pub const PROGRAM_DATA_TAG: u32 = 3;
    pub const HEAD_LEN: usize = 45;
    pub const HAS_AUTHORITY: usize = 12;
    pub const AUTHORITY: usize = 13;
}

/// A Token-2022 mint, as the spl-token-2022 interface lays it out.
pub mod mint {
    /// TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb
    pub const OWNER: [u8; 32] = [
        6, 221, 246, 225, 238, 117, 143, 222, 24, 66, 93, 188, 228, 108, 205, 218, 182, 26, 252, 77, 131, 185, 13, 39,
        254, 189, 249, 40, 216, 161, 139, 252,
    ];
    pub const SUPPLY: usize = 36;
    /// Header of the ScaledUiAmount extension: type 25 and length 56, two bytes each.
    pub const SCALED_UI_HEADER: [u8; 4] = [25, 0, 56, 0];
    /// From the header's first byte: behind it the authority, then these.
    pub const SCALED_UI_MULTIPLIER: usize = 36;
    pub const SCALED_UI_EFFECTIVE_TS: usize = 44;
    pub const SCALED_UI_NEW_MULTIPLIER: usize = 52;
    pub const SCALED_UI_LEN: usize = 60;
}
