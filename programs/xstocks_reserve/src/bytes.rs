//! Numbers and addresses out of account data, without a branch that could fail.

use crate::{
    account::{Account, Address},
    error::Error,
    layout::version,
};

/// N bytes from AT on; the compiler proves that they are within the LEN bytes of the account.
#[inline(always)]
pub fn at<const AT: usize, const N: usize, const LEN: usize>(data: &[u8; LEN]) -> &[u8; N] {
    const { assert!(AT + N <= LEN, "beyond the end of the account") };
    data.get(AT..).and_then(|rest| rest.first_chunk()).unwrap_or(const { &[0; N] })
    // there, as just proven
}

#[inline(always)]
pub fn byte<const AT: usize, const LEN: usize>(data: &[u8; LEN]) -> u8 {
    u8::from_le_bytes(*at::<AT, 1, LEN>(data))
}

#[inline(always)]
pub fn u32_at<const AT: usize, const LEN: usize>(data: &[u8; LEN]) -> u32 {
    u32::from_le_bytes(*at::<AT, 4, LEN>(data))
}

#[inline(always)]
pub fn u64_at<const AT: usize, const LEN: usize>(data: &[u8; LEN]) -> u64 {
    u64::from_le_bytes(*at::<AT, 8, LEN>(data))
}

#[inline(always)]
pub fn i64_at<const AT: usize, const LEN: usize>(data: &[u8; LEN]) -> i64 {
    i64::from_le_bytes(*at::<AT, 8, LEN>(data))
}

/// The bytes of an account of this kind whose owner is known to be the program.
///
/// # Errors
/// WrongLength, WrongDiscriminator, UnsupportedVersion.
#[inline(always)]
pub fn checked<const LEN: usize>(data: &[u8], discriminator: [u8; 8]) -> Result<&[u8; LEN], Error> {
    let data: &[u8; LEN] = data.try_into().map_err(|_| wrong_length(data, discriminator))?;
    if *at::<0, 8, LEN>(data) != discriminator {
        return Err(Error::WrongDiscriminator);
    }
    if byte::<{ version::AT }, LEN>(data) != version::SUPPORTED {
        return Err(Error::UnsupportedVersion);
    }
    Ok(data)
}

/// What is wrong with bytes of another length: a later version may have another one, and then its name says more.
#[cold]
#[inline(never)]
fn wrong_length(data: &[u8], discriminator: [u8; 8]) -> Error {
    match data.get(version::AT) {
        Some(found) if data.starts_with(&discriminator) && *found != version::SUPPORTED => Error::UnsupportedVersion,
        _ => Error::WrongLength,
    }
}

/// The data of an account that `program_id` owns.
///
/// # Errors
/// WrongOwner.
#[inline(always)]
pub fn owned<'a>(program_id: &Address, account: Account<'a>) -> Result<&'a [u8], Error> {
    if account.owner == program_id {
        Ok(account.data)
    } else {
        Err(Error::WrongOwner)
    }
}
