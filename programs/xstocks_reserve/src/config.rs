//! The program's one configuration.

use crate::{
    account::{Account, Address},
    bytes::{at, byte, checked, owned, u64_at},
    error::Error,
    layout::config as layout,
};

/// The Config account: is the timelock enforced, what is paused everywhere, which cluster.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a>(&'a [u8; layout::LEN]);

impl<'a> Config<'a> {
    /// Reads the Config of the program. A program has exactly one, so its owner and its kind say which it is.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::config();
    /// let account = example::owned(&[2; 32], &example::PROGRAM_ID, &data);
    /// assert!(Config::read(&example::PROGRAM_ID, account)?.is_sealed());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongOwner, WrongLength, WrongDiscriminator, UnsupportedVersion.
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
    /// let mut data = example::config();
    /// assert!(Config::from_data(&data).is_ok());
    /// data[layout::version::AT] += 1;
    /// assert_eq!(Config::from_data(&data).err(), Some(Error::UnsupportedVersion));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongLength, WrongDiscriminator, UnsupportedVersion.
    #[inline(always)]
    pub fn from_data(data: &'a [u8]) -> Result<Self, Error> {
        Ok(Self(checked(data, layout::DISCRIMINATOR)?))
    }

    /// Whether the timelock binds the issuer. While it does not, treat every asset as not enforced.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let mut data = example::config();
    /// assert!(Config::from_data(&data)?.is_sealed());
    /// data[layout::config::SEALED] = 0;
    /// assert!(!Config::from_data(&data)?.is_sealed());
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        byte::<{ layout::SEALED }, _>(self.0) == 1
    }

    /// How long a change of the rules is announced before it can be made. The issuer may change it under this timelock, but
    /// never below `min_timelock_secs`.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::config();
    /// assert_eq!(Config::from_data(&data)?.timelock_secs(), 172_800);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn timelock_secs(&self) -> u64 {
        u64_at::<{ layout::TIMELOCK_SECS }, _>(self.0)
    }

    /// The least timelock, for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::config();
    /// assert_eq!(Config::from_data(&data)?.min_timelock_secs(), 86_400);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn min_timelock_secs(&self) -> u64 {
        u64_at::<{ layout::MIN_TIMELOCK_SECS }, _>(self.0)
    }

    /// What is paused for all assets: bits of `scope`.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::config();
    /// assert_eq!(Config::from_data(&data)?.paused() & scope::MINT, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn paused(&self) -> u8 {
        byte::<{ layout::PAUSED }, _>(self.0)
    }

    /// The genesis hash of the cluster that the statements are bound to.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::config();
    /// assert_eq!(Config::from_data(&data)?.genesis_hash(), &[3; 32]);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn genesis_hash(&self) -> &'a [u8; 32] {
        at::<{ layout::GENESIS_HASH }, 32, _>(self.0)
    }
}
