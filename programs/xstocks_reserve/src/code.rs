//! Who can replace the program's code, and with it every rule.

use crate::{
    account::{Account, Address},
    bytes::{at, byte, owned, u32_at},
    error::Error,
    layout::loader as layout,
};

/// The program's code: whose it is to replace.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    upgrade_authority: Option<&'a Address>,
}

/// What a reader asks of an issuer before it says "enforced".
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The timelock is at least so long: time to leave before a rule changes.
    pub min_timelock_secs: u64,
    /// Who may replace the program, such as a multisig that the reader knows; None: nobody.
    pub upgrade_authority: Option<&'a Address>,
}

impl<'a> Code<'a> {
    /// Reads the upgrade authority of the program from its Program account, which says which its ProgramData is, and from
    /// that, of which the first 45 bytes are enough.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let (program, program_data) = (example::program(), example::program_data());
    /// let program = example::owned(&example::PROGRAM_ID, &layout::loader::OWNER, &program);
    /// let program_data = example::owned(&example::PROGRAM_DATA, &layout::loader::OWNER, &program_data);
    /// let code = Code::read(&example::PROGRAM_ID, program, program_data)?;
    /// assert_eq!(code.upgrade_authority(), Some(&example::UPGRADER));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// WrongOwner, WrongLength, WrongDiscriminator, WrongProgram.
    pub fn read(program_id: &Address, program: Account<'a>, program_data: Account<'a>) -> Result<Self, Error> {
        let (program_bytes, head) = (owned(&layout::OWNER, program)?, owned(&layout::OWNER, program_data)?);
        let program_bytes: &[u8; layout::PROGRAM_LEN] = program_bytes.try_into().map_err(|_| Error::WrongLength)?;
        let head: &[u8; layout::HEAD_LEN] = head.first_chunk().ok_or(Error::WrongLength)?;
        if u32_at::<0, _>(program_bytes) != layout::PROGRAM_TAG || u32_at::<0, _>(head) != layout::PROGRAM_DATA_TAG {
            return Err(Error::WrongDiscriminator);
        }
        if program.address != program_id || at::<{ layout::PROGRAM_DATA }, 32, _>(program_bytes) != program_data.address
        {
            return Err(Error::WrongProgram);
        }
        let has_authority = byte::<{ layout::HAS_AUTHORITY }, _>(head) != 0;
        Ok(Self { upgrade_authority: has_authority.then_some(at::<{ layout::AUTHORITY }, 32, _>(head)) })
    }

    /// Who may replace the code; None: nobody, for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accounts.rs"));
    /// # fn main() -> Result<(), Error> {
    /// let (program, program_data) = (example::program(), example::program_data());
    /// let program = example::owned(&example::PROGRAM_ID, &layout::loader::OWNER, &program);
    /// let program_data = example::owned(&example::PROGRAM_DATA, &layout::loader::OWNER, &program_data);
    /// let code = Code::read(&example::PROGRAM_ID, program, program_data)?;
    /// assert_eq!(code.upgrade_authority(), Some(&example::UPGRADER));
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn upgrade_authority(&self) -> Option<&'a Address> {
        self.upgrade_authority
    }
}
