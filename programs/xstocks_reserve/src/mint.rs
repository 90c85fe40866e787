//! The Token-2022 mint: how much there is, and the multiplier that wallets apply.

use crate::{
    account::{Account, Address},
    bytes::{i64_at, owned, u64_at},
    error::Error,
    layout::mint as layout,
};

/// A Token-2022 mint.
#[derive(Clone, Copy, Debug)]
pub struct Mint<'a> {
    pub address: &'a Address,
    pub supply_raw: u64,
    data: &'a [u8],
}

impl<'a> Mint<'a> {
    /// Reads a mint. That it is the mint of an asset is checked where the two come together (`Asset::backing`).
    ///
    /// # Errors
    /// WrongOwner where Token-2022 does not own it, WrongLength where it is too short for a mint.
    #[inline(always)]
    pub fn read(account: Account<'a>) -> Result<Self, Error> {
        let data = owned(&layout::OWNER, account)?;
        let supply = data.get(layout::SUPPLY..).and_then(|rest| rest.first_chunk()).ok_or(Error::WrongLength)?;
        Ok(Self { address: account.address, supply_raw: u64::from_le_bytes(*supply), data })
    }

    /// The bits of the multiplier (f64) that the mint applies at `now_ts`; `scaled_ui_offset` is the asset's.
    ///
    /// # Errors
    /// MultiplierOffsetInvalid.
    #[inline(always)]
    pub fn multiplier_bits_at(&self, now_ts: i64, scaled_ui_offset: u16) -> Result<u64, Error> {
        let scaled_ui: &[u8; layout::SCALED_UI_LEN] = self
            .data
            .get(usize::from(scaled_ui_offset)..)
            .and_then(|rest| rest.first_chunk())
            .ok_or(Error::MultiplierOffsetInvalid)?;
        if !scaled_ui.starts_with(&layout::SCALED_UI_HEADER) {
            return Err(Error::MultiplierOffsetInvalid);
        }
        Ok(if now_ts >= i64_at::<{ layout::SCALED_UI_EFFECTIVE_TS }, _>(scaled_ui) {
            u64_at::<{ layout::SCALED_UI_NEW_MULTIPLIER }, _>(scaled_ui)
        } else {
            u64_at::<{ layout::SCALED_UI_MULTIPLIER }, _>(scaled_ui)
        })
    }
}
