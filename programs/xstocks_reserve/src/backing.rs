//! What backs a supply, and how much is lacking.

use crate::nano::whole_nano;

/// What the statements of an asset say at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statements {
    /// Sum of the shares of the statements that count, in billionths.
    pub shares_nano: u64,
    /// Sum of the fresh capacities.
    pub fresh_raw: u64,
    /// Burnt for redemptions and not counted by their custodians yet, of all entries, fresh or not.
    pub unseen_raw: u64,
    /// The most supply that is backed: max(0, fresh_raw - unseen_raw).
    pub ceiling_raw: u64,
    /// Age of the youngest statement that counts, rounded up; None where none counts.
    pub newest_age_secs: Option<u64>,
    /// Age of the oldest statement that counts, rounded up; None where none counts.
    pub oldest_age_secs: Option<u64>,
}

/// What backs the supply of an asset at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Supply of the mint.
    pub supply_raw: u64,
    /// What the statements say, none of them where mint and asset have different multipliers.
    pub statements: Statements,
    /// The bits of the multiplier (f64) in force.
    pub multiplier_bits: u64,
    /// Decimals of the mint.
    pub decimals: u8,
}

impl Backing {
    /// Whether every token is backed by a share that a quorum has signed.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// # let (asset_data, custodian_data) = (example::asset(), example::custodian());
    /// # let asset = Asset::from_data(&asset_data)?;
    /// # let custodians = [Some(Custodian::from_data(&example::CUSTODIAN, &custodian_data)?)];
    /// let data = example::mint(1_000 * example::ONE_TOKEN_RAW + 1);
    /// let mint = Mint::read(example::owned(&example::MINT, &layout::mint::OWNER, &data))?;
    /// let backing = asset.backing(example::NOW_TS, &mint, &custodians)?;
    /// assert!(!backing.is_full(), "one base unit too many");
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.supply_raw <= self.statements.ceiling_raw
    }

    /// Tokens without backing.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// # let (asset_data, custodian_data) = (example::asset(), example::custodian());
    /// # let asset = Asset::from_data(&asset_data)?;
    /// # let custodians = [Some(Custodian::from_data(&example::CUSTODIAN, &custodian_data)?)];
    /// let data = example::mint(1_000 * example::ONE_TOKEN_RAW + 25);
    /// let mint = Mint::read(example::owned(&example::MINT, &layout::mint::OWNER, &data))?;
    /// let backing = asset.backing(example::NOW_TS, &mint, &custodians)?;
    /// assert_eq!(backing.shortfall_raw(), 25);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub const fn shortfall_raw(&self) -> u64 {
        self.supply_raw.saturating_sub(self.statements.ceiling_raw)
    }

    /// The supply is backed but for less than this many billionths of a share: 0 where it is fully backed, 1 where
    /// nothing is missing but what rounding down leaves, u64::MAX where more do not fit.
    ///
    /// Capacities are rounded down and no float is a tenth: 25 tokens at the f64 of 0.1 take 2.5 shares and a tiny
    /// part of a billionth, so 2.5 shares leave one base unit unbacked. `is_full` is the strict answer, and the one by
    /// which the program mints; who passes over rounding compares this number with one of their own.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// # let (asset_data, custodian_data) = (example::asset(), example::custodian());
    /// # let asset = Asset::from_data(&asset_data)?;
    /// # let custodians = [Some(Custodian::from_data(&example::CUSTODIAN, &custodian_data)?)];
    /// let data = example::mint(1_000 * example::ONE_TOKEN_RAW + 25);
    /// let mint = Mint::read(example::owned(&example::MINT, &layout::mint::OWNER, &data))?;
    /// let backing = asset.backing(example::NOW_TS, &mint, &custodians)?;
    /// // A base unit of 8 decimals is ten billionths.
    /// assert_eq!(backing.lacks_less_than_nano(), 251);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn lacks_less_than_nano(&self) -> u64 {
        if self.is_full() {
            return 0;
        }
        self.supply_raw
            .checked_add(self.statements.unseen_raw)
            .and_then(|claimed_raw| whole_nano(claimed_raw, self.multiplier_bits, self.decimals))
            .map_or(u64::MAX, |claimed_nano| claimed_nano.saturating_sub(self.statements.shares_nano).saturating_add(1))
    }
}
