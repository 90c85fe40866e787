//! Why accounts are not read. Numbers are fixed: a program may add its own base and return them.

use core::fmt;

/// What is wrong with the accounts that were handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Error {
    /// The account is not owned by the program it must be of: its bytes are worth nothing.
    WrongOwner = 0,
    /// The account has another number of bytes than its kind has.
    WrongLength = 1,
    /// The account is of another kind.
    WrongDiscriminator = 2,
    /// The account is of a layout version that this crate does not know.
    UnsupportedVersion = 3,
    /// A state of the account is none that this crate knows.
    UnknownState = 4,
    /// The mint is not the asset's.
    WrongMint = 5,
    /// The mint has no multiplier where the asset says.
    MultiplierOffsetInvalid = 6,
    /// A custodian is none of the asset's.
    ForeignCustodian = 7,
    /// The time is before 1970 or beyond the year 36000.
    WrongClock = 8,
    /// The ProgramData account is not the program's.
    WrongProgram = 9,
}

impl Error {
    /// One sentence for people.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// assert_eq!(Error::WrongMint.message(), "The mint is not the asset's");
    /// // A program may add its own base and return the number.
    /// assert_eq!(7_000 + Error::WrongMint as u32, 7_005);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::WrongOwner => "The account is not owned by the program it must be of",
            Self::WrongLength => "The account has another number of bytes than its kind has",
            Self::WrongDiscriminator => "The account is of another kind",
            Self::UnsupportedVersion => "The account is of an unknown layout version",
            Self::UnknownState => "The account is in an unknown state",
            Self::WrongMint => "The mint is not the asset's",
            Self::MultiplierOffsetInvalid => "The mint has no multiplier where the asset says",
            Self::ForeignCustodian => "The custodian is none of the asset's",
            Self::WrongClock => "The time is out of range",
            Self::WrongProgram => "The code is not the program's",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl core::error::Error for Error {}
