//! Who holds shares in custody.

use crate::{
    account::{Account, Address},
    bytes::{byte, checked, owned, u32_at},
    error::Error,
    layout::custodian as layout,
};

/// A Custodian account: its present key epoch decides whether its statements still count.
#[derive(Clone, Copy, Debug)]
pub struct Custodian {
    /// Where it is: entries name it by this.
    pub address: Address,
    /// None where the custodian is retired.
    pub epoch: Option<u32>,
}

impl Custodian {
    /// Reads a Custodian of the program.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let data = example::custodian();
    /// let account = example::owned(&example::CUSTODIAN, &example::PROGRAM_ID, &data);
    /// assert_eq!(Custodian::read(&example::PROGRAM_ID, account)?.epoch, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongOwner, WrongLength, WrongDiscriminator, UnsupportedVersion.
    #[inline(always)]
    pub fn read(program_id: &Address, account: Account) -> Result<Self, Error> {
        Self::from_data(account.address, owned(program_id, account)?)
    }

    /// As `read`, where the caller has checked that the program owns the account.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let mut data = example::custodian();
    /// data[layout::custodian::STATE] = 1;
    /// let retired = Custodian::from_data(&example::CUSTODIAN, &data)?;
    /// assert_eq!(retired.epoch, None, "its statements count no more");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongLength, WrongDiscriminator, UnsupportedVersion.
    #[inline(always)]
    pub fn from_data(address: &Address, data: &[u8]) -> Result<Self, Error> {
        let data: &[u8; layout::LEN] = checked(data, layout::DISCRIMINATOR)?;
        let active = byte::<{ layout::STATE }, _>(data) == layout::ACTIVE;
        Ok(Self { address: *address, epoch: active.then_some(u32_at::<{ layout::EPOCH }, _>(data)) })
    }
}
