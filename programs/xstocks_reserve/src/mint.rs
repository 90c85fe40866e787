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
    /// Where it is.
    pub address: &'a Address,
    /// All tokens there are, in base units.
    pub supply_raw: u64,
    data: &'a [u8],
}

impl<'a> Mint<'a> {
    /// Reads a mint. That it is the mint of an asset is checked where the two come together (`Asset::backing`).
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::mint(1_000 * example::ONE_TOKEN_RAW);
    /// let mint = Mint::read(example::owned(&example::MINT, &layout::mint::OWNER, &data))?;
    /// assert_eq!(mint.supply_raw, 1_000 * example::ONE_TOKEN_RAW);
    /// # Ok(())
    /// # }
    /// ```
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
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::mint(1_000 * example::ONE_TOKEN_RAW);
    /// let mint = Mint::read(example::owned(&example::MINT, &layout::mint::OWNER, &data))?;
    /// assert_eq!(f64::from_bits(mint.multiplier_bits_at(example::NOW_TS, 170)?), 1.0);
    /// assert_eq!(mint.multiplier_bits_at(example::NOW_TS, 171), Err(Error::MultiplierOffsetInvalid));
    /// # Ok(())
    /// # }
    /// ```
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
