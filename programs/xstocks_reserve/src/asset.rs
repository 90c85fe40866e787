//! The asset: what its custodians have signed, and what that backs.

use crate::{
    account::{Account, Address},
    backing::{Backing, Statements},
    bytes::{at, byte, checked, i64_at, owned, u32_at, u64_at},
    code::{Code, Terms},
    config::Config,
    custodian::Custodian,
    entry::{Entry, Now, MILLIS_PER_SEC},
    error::Error,
    layout::{asset as layout, entry},
    mint::Mint,
};

/// Times are below 2^40 seconds, as in the program.
const END_OF_TIME_TS: u64 = 1 << 40;

/// Pause scopes, as bits of `paused` in Asset and Config.
pub mod scope {
    /// New tokens.
    pub const MINT: u8 = 1;
    /// Burns out of the inventory.
    pub const BURN: u8 = 2;
    /// Tokens out of the inventory to participants.
    pub const DISTRIBUTE: u8 = 4;
    /// New redemptions and their settlement.
    pub const REDEEM: u8 = 8;
    /// Token-2022's own pause of the mint.
    pub const TRANSFERS: u8 = 16;
}

/// Holds, as bits of `holds`: each stops minting until the issuer's resumer has looked.
pub mod hold {
    /// A statement rose by more than the policy allows.
    pub const RISE: u8 = 1;
    /// Across a change of the multiplier what is attested moved.
    pub const MULTIPLIER: u8 = 2;
    /// A first statement shortly after a change of the multiplier.
    pub const CA_WINDOW: u8 = 4;
}

/// States of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetState {
    /// Adopted, not attested yet.
    Halted,
    /// Attested: what is backed may be minted.
    Active,
    /// Nothing is minted any more.
    Retired,
    /// The program gave its authorities away: nothing is enforced any more.
    Released,
}

/// The Asset account of one mint.
#[derive(Clone, Copy, Debug)]
pub struct Asset<'a> {
    data: &'a [u8; layout::LEN],
    state: AssetState,
}

impl<'a> Asset<'a> {
    /// Reads an Asset of the program. There is one for each mint; which mint it is of says `mint`.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let account = example::owned(&[1; 32], &example::PROGRAM_ID, &data);
    /// assert_eq!(Asset::read(&example::PROGRAM_ID, account)?.mint(), &example::MINT);
    /// // What another program owns is worth nothing, whatever it says.
    /// let forged = example::owned(&[1; 32], &[66; 32], &data);
    /// assert_eq!(Asset::read(&example::PROGRAM_ID, forged).err(), Some(Error::WrongOwner));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongOwner, WrongLength, WrongDiscriminator, UnsupportedVersion, UnknownState.
    #[inline(always)]
    pub fn read(program_id: &Address, account: Account<'a>) -> Result<Self, Error> {
        Self::from_data(owned(program_id, account)?)
    }

    /// As `read`, where the caller has checked that the program owns the account.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// assert_eq!(Asset::from_data(&data)?.state(), AssetState::Active);
    /// assert_eq!(Asset::from_data(&data[1..]).err(), Some(Error::WrongLength));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongLength, WrongDiscriminator, UnsupportedVersion, UnknownState.
    #[inline(always)]
    pub fn from_data(data: &'a [u8]) -> Result<Self, Error> {
        let data = checked(data, layout::DISCRIMINATOR)?;
        let state = match byte::<{ layout::STATE }, _>(data) {
            0 => AssetState::Halted,
            1 => AssetState::Active,
            2 => AssetState::Retired,
            3 => AssetState::Released,
            _ => return Err(Error::UnknownState),
        };
        Ok(Self { data, state })
    }

    /// The mint that this asset is of.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(asset.mint(), &example::MINT);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn mint(&self) -> &'a Address {
        at::<{ layout::MINT }, 32, _>(self.data)
    }

    /// Decimals of the mint.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(asset.decimals(), 8);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn decimals(&self) -> u8 {
        byte::<{ layout::DECIMALS }, _>(self.data)
    }

    /// Its state.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(asset.state(), AssetState::Active);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub const fn state(&self) -> AssetState {
        self.state
    }

    /// What is paused of this asset alone: bits of `scope`. `Config::paused` comes on top.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(asset.paused() & scope::REDEEM, 0, "redemptions go on");
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn paused(&self) -> u8 {
        byte::<{ layout::PAUSED }, _>(self.data)
    }

    /// Why minting is held: bits of `hold`.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(asset.holds() & (hold::RISE | hold::MULTIPLIER), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn holds(&self) -> u8 {
        byte::<{ layout::HOLDS }, _>(self.data)
    }

    /// How many times a statement was held, over all time: it rises with each hold, also with one over another.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(asset.hold_number(), 0, "never held");
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn hold_number(&self) -> u64 {
        u64_at::<{ layout::HOLD_NUMBER }, _>(self.data)
    }

    /// Redemptions whose tokens wait: neither settled nor given back yet. They are still in the supply.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(asset.open_redemptions(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn open_redemptions(&self) -> u64 {
        u64_at::<{ layout::OPEN_REDEMPTIONS }, _>(self.data)
    }

    /// Whether the issuer is held to the rules: the program is sealed, this asset is not released, no rule changes before
    /// the timelock that `terms` ask for, and nobody can replace the code but whom `terms` name.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let (asset_data, config_data) = (example::asset(), example::config());
    /// let (asset, config) = (Asset::from_data(&asset_data)?, Config::from_data(&config_data)?);
    /// let (program, program_data) = (example::program(), example::program_data());
    /// let code = Code::read(
    ///     &example::PROGRAM_ID,
    ///     example::owned(&example::PROGRAM_ID, &layout::loader::OWNER, &program),
    ///     example::owned(&example::PROGRAM_DATA, &layout::loader::OWNER, &program_data),
    /// )?;
    /// let terms = Terms { min_timelock_secs: 86_400, upgrade_authority: Some(&example::UPGRADER) };
    /// assert!(asset.is_enforced(&config, &code, &terms));
    /// assert!(!asset.is_enforced(&config, &code, &Terms { upgrade_authority: None, ..terms }));
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_enforced(&self, config: &Config, code: &Code, terms: &Terms) -> bool {
        let replaced_as_agreed =
            code.upgrade_authority().is_none() || code.upgrade_authority() == terms.upgrade_authority;
        replaced_as_agreed && self.is_enforced_by_this_code(config, terms.min_timelock_secs)
    }

    /// The same for a program to which Program and ProgramData are not passed. It says nothing of who can replace the code,
    /// and with it every rule at once: look at that off chain (`solana program show`), and again after each upgrade.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let (asset_data, config_data) = (example::asset(), example::config());
    /// let (asset, config) = (Asset::from_data(&asset_data)?, Config::from_data(&config_data)?);
    /// assert!(asset.is_enforced_by_this_code(&config, 86_400));
    /// assert!(!asset.is_enforced_by_this_code(&config, 7 * 86_400), "two days are less than a week");
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_enforced_by_this_code(&self, config: &Config, min_timelock_secs: u64) -> bool {
        let is_bound = config.is_sealed() && config.timelock_secs() >= min_timelock_secs;
        is_bound && !matches!(self.state, AssetState::Released)
    }

    /// The bits of the multiplier (f64) in force at `now_ts`: an announced one from its time on.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// assert_eq!(f64::from_bits(asset.multiplier_bits_at(example::NOW_TS)), 1.0);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn multiplier_bits_at(&self, now_ts: i64) -> u64 {
        let effective_ts = i64_at::<{ layout::MULTIPLIER_EFFECTIVE_TS }, _>(self.data);
        if effective_ts != 0 && now_ts >= effective_ts {
            u64_at::<{ layout::PENDING_MULTIPLIER_BITS }, _>(self.data)
        } else {
            u64_at::<{ layout::MULTIPLIER_BITS }, _>(self.data)
        }
    }

    /// What backs the supply of `mint` at `now_ts`. A custodian that is not among `custodians` counts zero (its unseen
    /// redemptions do count), and so does every statement where the mint applies another multiplier than the asset.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let (asset_data, custodian_data) = (example::asset(), example::custodian());
    /// let asset = Asset::from_data(&asset_data)?;
    /// let custodians = [Some(Custodian::from_data(&example::CUSTODIAN, &custodian_data)?)];
    /// let data = example::mint(1_000 * example::ONE_TOKEN_RAW);
    /// let mint = Mint::read(example::owned(&example::MINT, &layout::mint::OWNER, &data))?;
    /// let backing = asset.backing(example::NOW_TS, &mint, &custodians)?;
    /// assert!(backing.is_full());
    /// assert_eq!(backing.statements.oldest_age_secs, Some(10));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongMint, MultiplierOffsetInvalid, ForeignCustodian, WrongClock.
    #[inline(always)]
    pub fn backing(&self, now_ts: i64, mint: &Mint, custodians: &[Option<Custodian>]) -> Result<Backing, Error> {
        if mint.address != self.mint() {
            return Err(Error::WrongMint);
        }
        let scaled_ui_offset = u16::from_le_bytes(*at::<{ layout::SCALED_UI_OFFSET }, 2, _>(self.data));
        let multiplier_bits = self.multiplier_bits_at(now_ts);
        let agreed = mint.multiplier_bits_at(now_ts, scaled_ui_offset)? == multiplier_bits;
        let statements = self.sum(now_ts, agreed.then_some(multiplier_bits), custodians)?;
        Ok(Backing { supply_raw: mint.supply_raw, statements, multiplier_bits, decimals: self.decimals() })
    }

    /// What the statements say at `now_ts`, without a look at the mint. A custodian that is not among `custodians`
    /// counts zero; its unseen redemptions do count.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::asset();
    /// let asset = Asset::from_data(&data)?;
    /// // A custodian that is left out counts zero.
    /// assert_eq!(asset.statements(example::NOW_TS, &[])?.ceiling_raw, 0);
    /// let custodian = Custodian::from_data(&example::CUSTODIAN, &example::custodian())?;
    /// let statements = asset.statements(example::NOW_TS, &[Some(custodian)])?;
    /// assert_eq!(statements.ceiling_raw, 1_000 * example::ONE_TOKEN_RAW);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// ForeignCustodian, WrongClock.
    #[inline(always)]
    pub fn statements(&self, now_ts: i64, custodians: &[Option<Custodian>]) -> Result<Statements, Error> {
        self.sum(now_ts, Some(self.multiplier_bits_at(now_ts)), custodians)
    }

    /// The slots in use: those before the first empty one.
    #[inline(always)]
    fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let (entries, _) = at::<{ layout::ENTRIES }, { layout::ENTRIES_LEN }, _>(self.data).as_chunks();
        entries.iter().map(Entry).take_while(|slot| slot.state() != entry::EMPTY)
    }

    /// Sums the entries; `multiplier_bits` None: no statement counts.
    #[inline(always)]
    fn sum(
        &self,
        now_ts: i64,
        multiplier_bits: Option<u64>,
        custodians: &[Option<Custodian>],
    ) -> Result<Statements, Error> {
        let now_secs = u64::try_from(now_ts).ok().filter(|secs| *secs < END_OF_TIME_TS).ok_or(Error::WrongClock)?;
        for custodian in custodians.iter().flatten() {
            if !self.entries().any(|entry| entry.custodian() == &custodian.address) {
                return Err(Error::ForeignCustodian);
            }
        }
        let now = Now { ts: now_ts, ms: now_secs.wrapping_mul(MILLIS_PER_SEC) }; // below 2^50
        let max_age_secs = u32_at::<{ layout::MAX_AGE_SECS }, _>(self.data);
        let (mut shares_nano, mut fresh_raw, mut unseen_raw) = (0u64, 0u64, 0u64);
        let mut observed_ms: Option<(u64, u64)> = None;
        for entry in self.entries() {
            unseen_raw = unseen_raw.saturating_add(entry.unseen_raw());
            let custodian = custodians.iter().flatten().find(|custodian| &custodian.address == entry.custodian());
            let epoch = custodian.and_then(|custodian| custodian.epoch);
            if epoch != Some(entry.epoch())
                || multiplier_bits != Some(entry.multiplier_bits())
                || !entry.is_young(now, max_age_secs)
            {
                continue;
            }
            shares_nano = shares_nano.saturating_add(entry.shares_nano());
            fresh_raw = fresh_raw.saturating_add(entry.capacity_raw());
            let own = entry.observed_ms();
            observed_ms = Some(observed_ms.map_or((own, own), |(oldest, newest)| (oldest.min(own), newest.max(own))));
        }
        let age_secs = |observed_ms: u64| now.ms.saturating_sub(observed_ms).div_ceil(MILLIS_PER_SEC);
        Ok(Statements {
            shares_nano,
            fresh_raw,
            unseen_raw,
            ceiling_raw: fresh_raw.saturating_sub(unseen_raw),
            newest_age_secs: observed_ms.map(|(_, newest)| age_secs(newest)),
            oldest_age_secs: observed_ms.map(|(oldest, _)| age_secs(oldest)),
        })
    }
}
