//! The same answers as the program itself, on random accounts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use core::mem::{size_of, MaybeUninit};

use proptest::prelude::*;
use xstocks_mint::{
    schema::Layout,
    state::{self, State, CUSTODIAN_ACTIVE, VERSION},
    sysvar::Now,
};
use xstocks_reserve::{Account, Asset, AssetState, Config, Custodian, Error, Mint};

const PROGRAM: [u8; 32] = [9; 32];
const OTHER_PROGRAM: [u8; 32] = [8; 32];
const MINT: [u8; 32] = [7; 32];
const NOW_TS: i64 = 1_000_000;
const SCALED_UI_OFFSET: u16 = 170;

/// A struct of the program made of these bytes (as many as it has; the rest is zero).
fn made<S: Layout>(bytes: &[u8]) -> S {
    let mut made = MaybeUninit::<S>::zeroed();
    let count = bytes.len().min(size_of::<S>());
    // SAFETY: at most as many bytes as S has; a Layout type takes every bit pattern, zeros included.
    unsafe {
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), made.as_mut_ptr().cast::<u8>(), count);
        made.assume_init()
    }
}

/// The account that holds a struct of the program.
fn account_data<S: State>(state: &S) -> Vec<u8> {
    // SAFETY: a Layout type has no padding, so each of its bytes is initialized.
    let bytes = unsafe { core::slice::from_raw_parts(core::ptr::from_ref(state).cast::<u8>(), size_of::<S>()) };
    [&S::DISCRIMINATOR[..], bytes].concat()
}

fn mint_data(supply_raw: u64, multiplier_bits: u64, effective_ts: i64, new_multiplier_bits: u64) -> Vec<u8> {
    let mut data = vec![0; usize::from(SCALED_UI_OFFSET) + 60];
    data[36..44].copy_from_slice(&supply_raw.to_le_bytes());
    let scaled_ui = &mut data[usize::from(SCALED_UI_OFFSET)..];
    scaled_ui[..4].copy_from_slice(&[25, 0, 56, 0]);
    scaled_ui[36..44].copy_from_slice(&multiplier_bits.to_le_bytes());
    scaled_ui[44..52].copy_from_slice(&effective_ts.to_le_bytes());
    scaled_ui[52..60].copy_from_slice(&new_multiplier_bits.to_le_bytes());
    data
}

fn mint(data: &[u8]) -> Mint<'_> {
    mint_at(&MINT, data)
}

fn mint_at<'a>(address: &'a [u8; 32], data: &'a [u8]) -> Mint<'a> {
    Mint::read(Account { address, owner: &xstocks_reserve::layout::mint::OWNER, data }).unwrap()
}

/// What a random entry is made of.
#[derive(Clone, Debug)]
struct Made {
    state: u8,
    withdrawn: bool,
    epoch: u32,
    observed_ms: u64,
    expires_ts: i64,
    capacity_raw: u64,
    redeemed: (u64, u64),
    multiplier_bits: u64,
}

impl Made {
    fn entry(&self) -> state::Entry {
        let mut entry: state::Entry = made(&[]);
        (entry.state, entry.withdrawn, entry.epoch) = (self.state, u8::from(self.withdrawn), self.epoch);
        (entry.observed_ms, entry.expires_ts) = (self.observed_ms, self.expires_ts);
        (entry.capacity_raw, entry.multiplier_bits) = (self.capacity_raw, self.multiplier_bits);
        (entry.redeemed_total_raw, entry.redeemed_seen_raw) = self.redeemed;
        entry
    }
}

/// Mostly entries that count, with values at and around the bounds of freshness; now and then any at all.
fn entry() -> impl Strategy<Value = Made> {
    let recent_ms = NOW_TS.unsigned_abs() * 1_000 + 5_000;
    let observed_ms = prop_oneof![
        4 => (0u64..200_000).prop_map(move |ago_ms| recent_ms - ago_ms),
        4 => (0u64..20).prop_map(move |ago_secs| recent_ms - 1_000 * ago_secs),
        1 => any::<u64>()
    ];
    let expires_ts = prop_oneof![8 => (-2i64..9).prop_map(|ahead| NOW_TS + ahead), 1 => any::<i64>()];
    let state = prop_oneof![6 => Just(state::ENTRY_ATTACHED), 1 => Just(state::ENTRY_EMPTY), 1 => 0u8..4];
    let amount = || prop_oneof![0u64..1_000, any::<u64>()];
    (state, prop::bool::weighted(0.1), 1u32..3, observed_ms, expires_ts, (amount(), amount(), amount()), 0u64..3)
        .prop_map(|(state, withdrawn, epoch, observed_ms, expires_ts, amounts, multiplier_bits)| {
            let (capacity_raw, total, seen) = amounts;
            let redeemed = (total, seen);
            Made { state, withdrawn, epoch, observed_ms, expires_ts, capacity_raw, redeemed, multiplier_bits }
        })
}

fn asset(entries: &[state::Entry], max_age_secs: u32) -> state::Asset {
    let mut asset: state::Asset = made(&[]);
    asset.version = VERSION;
    asset.state = state::ASSET_ACTIVE;
    asset.mint = MINT.into();
    asset.scaled_ui_offset = SCALED_UI_OFFSET;
    asset.multiplier_bits = 1;
    asset.policy.max_age_secs = max_age_secs;
    for (number, (slot, entry)) in asset.entries.iter_mut().zip(entries).enumerate() {
        *slot = *entry;
        slot.custodian = address(number).into();
    }
    asset
}

fn address(number: usize) -> [u8; 32] {
    [u8::try_from(number).unwrap() + 1; 32]
}

fn custodian(epoch: u32, state: u8) -> Vec<u8> {
    let mut custodian: state::Custodian = made(&[]);
    (custodian.version, custodian.epoch, custodian.state) = (VERSION, epoch, state);
    account_data(&custodian)
}

proptest! {
    /// The ceiling is the one that the program mints up to, whichever custodians are passed, and a pending multiplier
    /// is in force from its time on.
    #[test]
    fn the_ceiling_is_the_programs(
        entries in proptest::collection::vec(entry(), 0..=4),
        passed in proptest::collection::vec((any::<bool>(), 1u32..3, 0u8..2), 4),
        max_age_secs in prop_oneof![0u32..16, 0u32..200, Just(u32::MAX)],
        multiplier_bits in 0u64..3,
        pending in proptest::option::of((-1i64..2, 0u64..3)),
        supply_raw: u64,
    ) {
        let entries: Vec<state::Entry> = entries.iter().map(Made::entry).collect();
        let mut theirs = asset(&entries, max_age_secs);
        theirs.multiplier_bits = multiplier_bits;
        let used = theirs.active_entries().count();
        if let Some((ahead, bits)) = pending {
            (theirs.multiplier_effective_ts, theirs.pending_multiplier_bits) = (NOW_TS + ahead, bits);
        }
        let data = account_data(&theirs);
        theirs.multiplier_bits = *theirs.multiplier_in_force(Now { ts: NOW_TS }); // as `activate_pending_multiplier` does
        let expected = theirs.ceiling_raw(Now { ts: NOW_TS }, |wanted| {
            let number = (0..4).find(|number| &address(*number) == wanted.as_array())?;
            let (is_passed, epoch, state) = passed[number];
            (is_passed && state == CUSTODIAN_ACTIVE).then_some(epoch)
        });

        let mine = Asset::from_data(&data).unwrap();
        let accounts: Vec<([u8; 32], Vec<u8>)> = passed.iter().enumerate().take(used)
            .filter(|(_, (is_passed, ..))| *is_passed)
            .map(|(number, (_, epoch, state))| (address(number), custodian(*epoch, *state)))
            .collect();
        let read: Vec<Option<Custodian>> = accounts.iter()
            .map(|(address, data)| Some(Custodian::from_data(address, data).unwrap()))
            .collect();
        let statements = mine.statements(NOW_TS, &read).unwrap();
        prop_assert_eq!(statements.ceiling_raw, expected);
        prop_assert_eq!(mine.multiplier_bits_at(NOW_TS), theirs.multiplier_bits);
        let unseen_raw = theirs.active_entries().fold(0u64, |sum, entry| sum.saturating_add(entry.unseen_raw()));
        prop_assert_eq!(statements.unseen_raw, unseen_raw);
        let ages_secs: Vec<u64> = theirs.active_entries().zip(&passed)
            .filter(|(entry, (is_passed, epoch, state))| {
                let counts = *is_passed && *state == CUSTODIAN_ACTIVE;
                counts && entry.is_fresh(Now { ts: NOW_TS }, *epoch, max_age_secs, theirs.multiplier_bits)
            })
            .map(|(entry, _)| (NOW_TS.unsigned_abs() * 1_000).saturating_sub(entry.observed_ms).div_ceil(1_000))
            .collect();
        prop_assert_eq!(statements.newest_age_secs, ages_secs.iter().min().copied());
        prop_assert_eq!(statements.oldest_age_secs, ages_secs.iter().max().copied());

        // With its mint: the same where the mint applies the same multiplier, nothing where it applies another.
        let agreeing = mint_data(supply_raw, u64::MAX, NOW_TS, theirs.multiplier_bits);
        let backing = mine.backing(NOW_TS, &mint(&agreeing), &read).unwrap();
        prop_assert_eq!(backing.statements, statements);
        prop_assert_eq!(backing.is_full(), supply_raw <= expected);
        prop_assert_eq!(backing.shortfall_raw(), supply_raw.saturating_sub(expected));
        let differing = mint_data(supply_raw, theirs.multiplier_bits, NOW_TS, theirs.multiplier_bits + 1);
        let backing = mine.backing(NOW_TS, &mint(&differing), &read).unwrap();
        prop_assert_eq!(backing.statements.ceiling_raw, 0);
        prop_assert_eq!(backing.statements.unseen_raw, statements.unseen_raw);
        prop_assert_eq!(backing.statements.newest_age_secs, None);
    }

    /// An entry alone is counted exactly when the program calls it fresh, and its age is its own, rounded up.
    #[test]
    fn freshness_is_the_programs(entry in entry(), epoch in 1u32..3, max_age_secs in 0u32..16) {
        let entry = entry.entry();
        let theirs = asset(&[entry], max_age_secs);
        prop_assume!(theirs.active_entries().count() == 1);
        let (data, custodian_data) = (account_data(&theirs), custodian(epoch, CUSTODIAN_ACTIVE));
        let custodian_address = address(0);
        let read = [Some(Custodian::from_data(&custodian_address, &custodian_data).unwrap())];
        let statements = Asset::from_data(&data).unwrap().statements(NOW_TS, &read).unwrap();
        let fresh = entry.is_fresh(Now { ts: NOW_TS }, epoch, max_age_secs, 1);
        let age_secs = fresh.then(|| (NOW_TS.unsigned_abs() * 1_000).saturating_sub(entry.observed_ms).div_ceil(1_000));
        prop_assert_eq!(statements.newest_age_secs, age_secs);
        prop_assert_eq!(statements.oldest_age_secs, age_secs);
        prop_assert_eq!(statements.fresh_raw, if fresh { entry.capacity_raw } else { 0 });
    }

    /// No bytes make it panic, and none pass that the program's own check would refuse.
    #[test]
    fn any_bytes_are_read_or_refused_by_name(
        bytes in proptest::collection::vec(any::<u8>(), 0..800), right_kind: bool, now_ts: i64,
    ) {
        let mut data = bytes.clone();
        if right_kind {
            data = account_data(&made::<state::Asset>(&bytes));
            data[8] = VERSION;
        }
        let address = [3; 32];
        let account = Account { address: &address, owner: &PROGRAM, data: &data };
        prop_assert!(Config::read(&PROGRAM, account).is_err());
        prop_assert!(Custodian::read(&PROGRAM, account).is_err());
        match Asset::read(&PROGRAM, account) {
            Err(error) => prop_assert!(!right_kind || (error == Error::UnknownState && data[12] > 3)),
            Ok(asset) => {
                prop_assert!(right_kind);
                let statements = asset.statements(now_ts, &[]);
                let in_range = (0..1i64 << 40).contains(&now_ts);
                prop_assert_eq!(statements.map(|read| read.ceiling_raw), if in_range { Ok(0) } else { Err(Error::WrongClock) });
                let mint_bytes = mint_data(1, 1, 0, 1);
                let other = mint_at(&address, &mint_bytes);
                prop_assert!(asset.mint() == &address || asset.backing(1, &other, &[]) == Err(Error::WrongMint));
            }
        }
    }

    /// The multiplier of a mint is read where the program reads it, or refused.
    #[test]
    fn any_mint_is_read_or_refused_by_name(bytes in proptest::collection::vec(any::<u8>(), 0..300), offset: u16) {
        let owner = &xstocks_reserve::layout::mint::OWNER;
        match Mint::read(Account { address: &MINT, owner, data: &bytes }) {
            Err(error) => {
                prop_assert_eq!(error, Error::WrongLength);
                prop_assert!(bytes.len() < 44);
            }
            Ok(mint) => {
                let there = bytes.get(usize::from(offset)..).is_some_and(|rest| rest.starts_with(&[25, 0, 56, 0]) && rest.len() >= 60);
                prop_assert_eq!(mint.multiplier_bits_at(0, offset).is_ok(), there);
            }
        }
    }
}

#[test]
fn accounts_of_another_owner_kind_size_or_version_are_refused_by_name() {
    let address = [3; 32];
    let good = [account_data(&asset(&[], 60)), custodian(1, CUSTODIAN_ACTIVE), {
        let mut config: state::Config = made(&[]);
        config.version = VERSION;
        account_data(&config)
    }];
    let read = |kind: usize, owner: &[u8; 32], data: &[u8]| {
        let account = Account { address: &address, owner, data };
        match kind {
            0 => Asset::read(&PROGRAM, account).map(|_| ()),
            1 => Custodian::read(&PROGRAM, account).map(|_| ()),
            _ => Config::read(&PROGRAM, account).map(|_| ()),
        }
    };
    for (kind, data) in good.iter().enumerate() {
        assert_eq!(read(kind, &PROGRAM, data), Ok(()));
        assert_eq!(read(kind, &OTHER_PROGRAM, data), Err(Error::WrongOwner));
        assert_eq!(read(kind, &PROGRAM, &data[..data.len() - 1]), Err(Error::WrongLength));
        assert_eq!(read(kind, &PROGRAM, &[&data[..], &[0]].concat()), Err(Error::WrongLength));
        let mut other = data.clone();
        other[7] ^= 1;
        assert_eq!(read(kind, &PROGRAM, &other), Err(Error::WrongDiscriminator));
        let mut other = data.clone();
        other[8] = 2;
        assert_eq!(read(kind, &PROGRAM, &other), Err(Error::UnsupportedVersion));
        assert_eq!(read(kind, &PROGRAM, &[&other[..], &[0; 64]].concat()), Err(Error::UnsupportedVersion));
        assert_eq!(read((kind + 1) % 3, &PROGRAM, data), Err(Error::WrongLength));
    }
    let mut unknown = good[0].clone();
    unknown[12] = 4;
    assert_eq!(read(0, &PROGRAM, &unknown), Err(Error::UnknownState));
    let token_mint = mint_data(5, 1, 0, 1);
    let foreign = Account { address: &MINT, owner: &PROGRAM, data: &token_mint };
    assert_eq!(Mint::read(foreign).map(|_| ()), Err(Error::WrongOwner));
    assert_eq!(mint(&token_mint).supply_raw, 5);
}

#[test]
fn enforced_means_sealed_and_not_released() {
    for (sealed, state, name, enforced) in [
        (1, state::ASSET_HALTED, AssetState::Halted, true),
        (1, state::ASSET_ACTIVE, AssetState::Active, true),
        (1, state::ASSET_RETIRED, AssetState::Retired, true),
        (1, state::ASSET_RELEASED, AssetState::Released, false),
        (0, state::ASSET_ACTIVE, AssetState::Active, false),
    ] {
        let mut config: state::Config = made(&[]);
        (config.version, config.sealed, config.paused, config.genesis_hash) = (VERSION, sealed, 17, [5; 32]);
        let mut theirs = asset(&[], 60);
        (theirs.state, theirs.paused, theirs.holds, theirs.decimals) = (state, 3, 6, 8);
        (theirs.hold_number, theirs.open_redemptions) = (11, 12);
        let (config_data, asset_data) = (account_data(&config), account_data(&theirs));
        let (config, mine) = (Config::from_data(&config_data).unwrap(), Asset::from_data(&asset_data).unwrap());
        assert_eq!((mine.is_enforced_by_this_code(&config, 0), mine.state()), (enforced, name));
        assert_eq!((config.paused(), config.genesis_hash()), (17, &[5; 32]));
        assert_eq!((mine.hold_number(), mine.open_redemptions()), (11, 12));
        assert_eq!((mine.paused(), mine.holds(), mine.decimals(), mine.mint()), (3, 6, 8, &MINT));
    }
}

#[test]
fn custodians_of_other_assets_and_mints_of_other_assets_are_refused() {
    let mut own = made::<state::Entry>(&[]);
    (own.state, own.epoch, own.multiplier_bits, own.capacity_raw) = (state::ENTRY_ATTACHED, 1, 1, 100);
    (own.observed_ms, own.expires_ts) = (NOW_TS.unsigned_abs() * 1_000, NOW_TS + 1);
    let data = account_data(&asset(&[own], 60));
    let mine = Asset::from_data(&data).unwrap();
    let custodian_data = custodian(1, CUSTODIAN_ACTIVE);
    let (first, second) = (address(0), address(1));
    let mine_and = |address| [None, Some(Custodian::from_data(address, &custodian_data).unwrap())];
    assert_eq!(mine.statements(NOW_TS, &mine_and(&first)).unwrap().ceiling_raw, 100);
    assert_eq!(mine.statements(NOW_TS, &mine_and(&second)), Err(Error::ForeignCustodian));
    // Passed twice it still counts once.
    let twice = [mine_and(&first)[1], mine_and(&first)[1]];
    assert_eq!(mine.statements(NOW_TS, &twice).unwrap().ceiling_raw, 100);
    // A retired custodian's statements count zero.
    let retired = custodian(1, state::CUSTODIAN_RETIRED);
    let retired = [Some(Custodian::from_data(&first, &retired).unwrap())];
    assert_eq!(mine.statements(NOW_TS, &retired).unwrap().ceiling_raw, 0);

    let token_mint = mint_data(100, 1, 0, 1);
    let own_mint = mint(&token_mint);
    assert!(mine.backing(NOW_TS, &own_mint, &mine_and(&first)).unwrap().is_full());
    let other_mint = mint_at(&[6; 32], &token_mint);
    assert_eq!(mine.backing(NOW_TS, &other_mint, &mine_and(&first)), Err(Error::WrongMint));
    let short = mint_data(101, 1, 0, 1);
    assert!(!mine.backing(NOW_TS, &mint(&short), &mine_and(&first)).unwrap().is_full());
    let mut moved = token_mint.clone();
    moved[usize::from(SCALED_UI_OFFSET)] = 24;
    assert_eq!(mine.backing(NOW_TS, &mint(&moved), &[]), Err(Error::MultiplierOffsetInvalid));
}
