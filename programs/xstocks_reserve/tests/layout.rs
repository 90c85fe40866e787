//! Every constant of the layout is the program's own: checked when this file is compiled.

use core::mem::{offset_of, size_of};

use xstocks_mint::{
    ids,
    state::{self, State, CUSTODIAN_ACTIVE, ENTRY_ATTACHED, ENTRY_EMPTY, MAX_ENTRIES},
    token_2022::layout as token,
};
use xstocks_reserve::{hold, layout, scope};

/// Bytes of the discriminator in front of every account's struct.
const HEADER: usize = 8;

macro_rules! same {
    ($($mine:expr => $theirs:expr),* $(,)?) => { $(const _: () = assert!($mine == $theirs, stringify!($mine));)* };
}

macro_rules! offsets {
    ($struct:ty, $header:expr, $module:ident { $($constant:ident => $field:ident $(. $inner:ident)?),* $(,)? }) => {
        $(same!(layout::$module::$constant => $header + offset_of!($struct, $field $(. $inner)?));)*
    };
}

offsets!(state::Asset, HEADER, asset {
    DECIMALS => decimals,
    STATE => state,
    PAUSED => paused,
    HOLDS => holds,
    MINT => mint,
    MULTIPLIER_BITS => multiplier_bits,
    PENDING_MULTIPLIER_BITS => pending_multiplier_bits,
    MULTIPLIER_EFFECTIVE_TS => multiplier_effective_ts,
    SCALED_UI_OFFSET => scaled_ui_offset,
    MAX_AGE_SECS => policy.max_age_secs,
    ENTRIES => entries,
    HOLD_NUMBER => hold_number,
    OPEN_REDEMPTIONS => open_redemptions,
});
offsets!(state::Entry, 0, entry {
    CUSTODIAN => custodian,
    EPOCH => epoch,
    STATE => state,
    WITHDRAWN => withdrawn,
    OBSERVED_MS => observed_ms,
    EXPIRES_TS => expires_ts,
    SHARES_NANO => shares_nano,
    CAPACITY_RAW => capacity_raw,
    REDEEMED_TOTAL_RAW => redeemed_total_raw,
    REDEEMED_SEEN_RAW => redeemed_seen_raw,
    MULTIPLIER_BITS => multiplier_bits,
});
offsets!(state::Custodian, HEADER, custodian { STATE => state, EPOCH => epoch });
offsets!(state::Config, HEADER, config {
    SEALED => sealed,
    PAUSED => paused,
    TIMELOCK_SECS => timelock_secs,
    GENESIS_HASH => genesis_hash,
    MIN_TIMELOCK_SECS => min_timelock_secs,
});
offsets!(state::Asset, HEADER, version { AT => version });
offsets!(state::Custodian, HEADER, version { AT => version });
offsets!(state::Config, HEADER, version { AT => version });

same! {
    layout::version::SUPPORTED => state::VERSION,
    layout::asset::LEN => state::Asset::SPACE,
    layout::asset::ENTRIES_LEN => MAX_ENTRIES * size_of::<state::Entry>(),
    layout::entry::LEN => size_of::<state::Entry>(),
    layout::entry::EMPTY => ENTRY_EMPTY,
    layout::entry::ATTACHED => ENTRY_ATTACHED,
    layout::custodian::LEN => state::Custodian::SPACE,
    layout::custodian::ACTIVE => CUSTODIAN_ACTIVE,
    layout::config::LEN => state::Config::SPACE,
    u16::from_le_bytes([layout::mint::SCALED_UI_HEADER[0], layout::mint::SCALED_UI_HEADER[1]]) => token::SCALED_UI,
    u16::from_le_bytes([layout::mint::SCALED_UI_HEADER[2], layout::mint::SCALED_UI_HEADER[3]]) => token::SCALED_UI_LEN,
    layout::mint::SCALED_UI_LEN => 4 + token::SCALED_UI_LEN as usize,
    scope::MINT => state::scope::MINT,
    scope::BURN => state::scope::BURN,
    scope::DISTRIBUTE => state::scope::DISTRIBUTE,
    scope::REDEEM => state::scope::REDEEM,
    scope::TRANSFERS => state::scope::TRANSFERS,
    hold::RISE => state::hold::RISE,
    hold::MULTIPLIER => state::hold::MULTIPLIER,
    hold::CA_WINDOW => state::hold::CA_WINDOW,
}

#[test]
fn discriminators_and_the_owner_of_mints_are_the_programs_own() {
    assert_eq!(layout::asset::DISCRIMINATOR, state::Asset::DISCRIMINATOR);
    assert_eq!(layout::custodian::DISCRIMINATOR, state::Custodian::DISCRIMINATOR);
    assert_eq!(layout::config::DISCRIMINATOR, state::Config::DISCRIMINATOR);
    assert_eq!(&layout::mint::OWNER, ids::TOKEN_2022.as_array());
    assert_eq!(&layout::loader::OWNER, ids::UPGRADEABLE_LOADER.as_array());
}
