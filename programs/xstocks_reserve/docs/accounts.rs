// What the examples of the documentation read: an asset with 1,000 tokens of 8 decimals and one custodian, who stated
// 1,000 shares ten seconds ago. The timelock is two days.
#[allow(unused_imports)]
use xstocks_reserve::*;

#[allow(dead_code)]
mod example {
    use xstocks_reserve::{layout, Account, Address};

    pub const PROGRAM_ID: Address = [9; 32];
    pub const MINT: Address = [7; 32];
    pub const PROGRAM_DATA: Address = [8; 32];
    pub const UPGRADER: Address = [6; 32];
    pub const CUSTODIAN: Address = [5; 32];
    pub const NOW_TS: i64 = 1_800_000_000;
    pub const ONE_TOKEN_RAW: u64 = 100_000_000;
    const SCALED_UI_OFFSET: usize = 170;

    fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
        data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn account(len: usize, discriminator: [u8; 8]) -> Vec<u8> {
        let mut data = vec![0; len];
        put(&mut data, 0, &discriminator);
        data[layout::version::AT] = layout::version::SUPPORTED;
        data
    }

    pub fn config() -> Vec<u8> {
        let mut data = account(layout::config::LEN, layout::config::DISCRIMINATOR);
        data[layout::config::SEALED] = 1;
        put(&mut data, layout::config::TIMELOCK_SECS, &172_800u64.to_le_bytes());
        put(&mut data, layout::config::MIN_TIMELOCK_SECS, &86_400u64.to_le_bytes());
        put(&mut data, layout::config::GENESIS_HASH, &[3; 32]);
        data
    }

    pub fn program() -> Vec<u8> {
        let mut data = vec![0; layout::loader::PROGRAM_LEN];
        put(&mut data, 0, &layout::loader::PROGRAM_TAG.to_le_bytes());
        put(&mut data, layout::loader::PROGRAM_DATA, &PROGRAM_DATA);
        data
    }

    pub fn program_data() -> Vec<u8> {
        let mut data = vec![0; layout::loader::HEAD_LEN];
        put(&mut data, 0, &layout::loader::PROGRAM_DATA_TAG.to_le_bytes());
        data[layout::loader::HAS_AUTHORITY] = 1;
        put(&mut data, layout::loader::AUTHORITY, &UPGRADER);
        data
    }

    pub fn custodian() -> Vec<u8> {
        let mut data = account(layout::custodian::LEN, layout::custodian::DISCRIMINATOR);
        put(&mut data, layout::custodian::EPOCH, &1u32.to_le_bytes());
        data
    }

    pub fn asset() -> Vec<u8> {
        let mut data = account(layout::asset::LEN, layout::asset::DISCRIMINATOR);
        data[layout::asset::DECIMALS] = 8;
        data[layout::asset::STATE] = 1;
        put(&mut data, layout::asset::MINT, &MINT);
        put(&mut data, layout::asset::MULTIPLIER_BITS, &1.0f64.to_bits().to_le_bytes());
        put(&mut data, layout::asset::SCALED_UI_OFFSET, &(SCALED_UI_OFFSET as u16).to_le_bytes());
        put(&mut data, layout::asset::MAX_AGE_SECS, &3_600u32.to_le_bytes());
        let entry = &mut data[layout::asset::ENTRIES..];
        put(entry, layout::entry::CUSTODIAN, &CUSTODIAN);
        put(entry, layout::entry::EPOCH, &1u32.to_le_bytes());
        entry[layout::entry::STATE] = layout::entry::ATTACHED;
        put(entry, layout::entry::OBSERVED_MS, &((NOW_TS as u64 - 10) * 1_000).to_le_bytes());
        put(entry, layout::entry::EXPIRES_TS, &(NOW_TS + 1_800).to_le_bytes());
        put(entry, layout::entry::SHARES_NANO, &1_000_000_000_000u64.to_le_bytes());
        put(entry, layout::entry::CAPACITY_RAW, &(1_000 * ONE_TOKEN_RAW).to_le_bytes());
        put(entry, layout::entry::MULTIPLIER_BITS, &1.0f64.to_bits().to_le_bytes());
        data
    }

    pub fn mint(supply_raw: u64) -> Vec<u8> {
        let mut data = vec![0; SCALED_UI_OFFSET + layout::mint::SCALED_UI_LEN];
        put(&mut data, layout::mint::SUPPLY, &supply_raw.to_le_bytes());
        let scaled_ui = &mut data[SCALED_UI_OFFSET..];
        put(scaled_ui, 0, &layout::mint::SCALED_UI_HEADER);
        put(scaled_ui, layout::mint::SCALED_UI_NEW_MULTIPLIER, &1.0f64.to_bits().to_le_bytes());
        data
    }

    /// An account as the runtime or an RPC node gives it.
    pub fn owned<'a>(address: &'a Address, owner: &'a Address, data: &'a [u8]) -> Account<'a> {
        Account { address, owner, data }
    }
}
