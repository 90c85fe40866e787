//! The asset: what its custodians have signed, and what that backs.

use crate::{
    account::{Account, Address},
    bytes::{at, byte, checked, i64_at, owned, u32_at, u64_at},
    code::{Code, Terms},
    config::Config,
    custodian::Custodian,
    error::Error,
    layout::{asset as layout, entry},
    mint::Mint,
    nano::whole_nano,
};

const MILLIS_PER_SEC: u64 = 1_000;
/// Times are below 2^40 seconds, as in the program.
const END_OF_TIME_TS: u64 = 1 << 40;

/// Pause scopes, as bits of `paused` in Asset and Config.
pub mod scope {
    pub const MINT: u8 = 1;
    pub const BURN: u8 = 2;
    pub const DISTRIBUTE: u8 = 4;
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
    pub supply_raw: u64,
    pub statements: Statements,
    /// The bits of the multiplier (f64) in force.
    pub multiplier_bits: u64,
    /// Decimals of the mint.
    pub decimals: u8,
}

impl Backing {
    /// Whether every token is backed by a share that a quorum has signed.
    #[inline(always)]
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.supply_raw <= self.statements.ceiling_raw
    }

    /// Tokens without backing.
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

impl<'a> Asset<'a> {
    /// Reads an Asset of the program. There is one for each mint; which mint it is of says `mint`.
    ///
    /// # Errors
    /// WrongOwner, WrongLength, WrongDiscriminator, UnsupportedVersion, UnknownState.
    #[inline(always)]
    pub fn read(program_id: &Address, account: Account<'a>) -> Result<Self, Error> {
        Self::from_data(owned(program_id, account)?)
    }

    /// As `read`, where the caller has checked that the program owns the account.
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
    #[inline(always)]
    #[must_use]
    pub fn mint(&self) -> &'a Address {
        at::<{ layout::MINT }, 32, _>(self.data)
    }

    /// Decimals of the mint.
    #[inline(always)]
    #[must_use]
    pub fn decimals(&self) -> u8 {
        byte::<{ layout::DECIMALS }, _>(self.data)
    }

    /// Its state.
    #[inline(always)]
    #[must_use]
    pub const fn state(&self) -> AssetState {
        self.state
    }

    /// What is paused of this asset alone: bits of `scope`. `Config::paused` comes on top.
    #[inline(always)]
    #[must_use]
    pub fn paused(&self) -> u8 {
        byte::<{ layout::PAUSED }, _>(self.data)
    }

    /// Why minting is held: bits of `hold`.
    #[inline(always)]
    #[must_use]
    pub fn holds(&self) -> u8 {
        byte::<{ layout::HOLDS }, _>(self.data)
    }

    /// Whether the issuer is held to the rules: the program is sealed, this asset is not released, no rule changes before
    /// the timelock that `terms` ask for, and nobody can replace the code but whom `terms` name.
    #[inline(always)]
    #[must_use]
    pub fn is_enforced(&self, config: &Config, code: &Code, terms: &Terms) -> bool {
        let replaced_as_agreed =
            code.upgrade_authority().is_none() || code.upgrade_authority() == terms.upgrade_authority;
        replaced_as_agreed && self.is_enforced_by_this_code(config, terms.min_timelock_secs)
    }

    /// The same for a program to which Program and ProgramData are not passed. It says nothing of who can replace the code,
    /// and with it every rule at once: look at that off chain (`solana program show`), and again after each upgrade.
    #[inline(always)]
    #[must_use]
    pub fn is_enforced_by_this_code(&self, config: &Config, min_timelock_secs: u64) -> bool {
        let is_bound = config.is_sealed() && config.timelock_secs() >= min_timelock_secs;
        is_bound && !matches!(self.state, AssetState::Released)
    }

    /// The bits of the multiplier (f64) in force at `now_ts`: an announced one from its time on.
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

/// The chain's clock.
#[derive(Clone, Copy)]
struct Now {
    ts: i64,
    ms: u64,
}

/// One custodian's newest statement.
struct Entry<'a>(&'a [u8; entry::LEN]);

impl<'a> Entry<'a> {
    #[inline(always)]
    fn custodian(&self) -> &'a Address {
        at::<{ entry::CUSTODIAN }, 32, _>(self.0)
    }

    #[inline(always)]
    fn state(&self) -> u8 {
        byte::<{ entry::STATE }, _>(self.0)
    }

    #[inline(always)]
    fn epoch(&self) -> u32 {
        u32_at::<{ entry::EPOCH }, _>(self.0)
    }

    #[inline(always)]
    fn observed_ms(&self) -> u64 {
        u64_at::<{ entry::OBSERVED_MS }, _>(self.0)
    }

    #[inline(always)]
    fn shares_nano(&self) -> u64 {
        u64_at::<{ entry::SHARES_NANO }, _>(self.0)
    }

    #[inline(always)]
    fn capacity_raw(&self) -> u64 {
        u64_at::<{ entry::CAPACITY_RAW }, _>(self.0)
    }

    #[inline(always)]
    fn multiplier_bits(&self) -> u64 {
        u64_at::<{ entry::MULTIPLIER_BITS }, _>(self.0)
    }

    #[inline(always)]
    fn unseen_raw(&self) -> u64 {
        u64_at::<{ entry::REDEEMED_TOTAL_RAW }, _>(self.0)
            .saturating_sub(u64_at::<{ entry::REDEEMED_SEEN_RAW }, _>(self.0))
    }

    /// Attached, not withdrawn, not expired, not too old.
    #[inline(always)]
    fn is_young(&self, now: Now, max_age_secs: u32) -> bool {
        let max_age_ms = u64::from(max_age_secs).wrapping_mul(MILLIS_PER_SEC); // below 2^42
        self.state() == entry::ATTACHED
            && byte::<{ entry::WITHDRAWN }, _>(self.0) == 0
            && now.ts < i64_at::<{ entry::EXPIRES_TS }, _>(self.0)
            && now.ms <= self.observed_ms().saturating_add(max_age_ms)
    }
}
