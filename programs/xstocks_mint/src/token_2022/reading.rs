//! Reading Token-2022 accounts, each read bounds-checked. Another program may change them in a call, so what is read is
//! read anew after it: by raw pointers, which the compiler does not keep, or by slices that end within one function.

use crate::{
    account::data,
    address::address_eq,
    error::{require, Error, Result},
    ids,
    sysvar::Now,
    token_2022::layout::{
        next_extension, ACCOUNT_AMOUNT, ACCOUNT_LEN, ACCOUNT_MINT, ACCOUNT_OWNER, ACCOUNT_STATE, ACCOUNT_STATE_FROZEN,
        ACCOUNT_STATE_INITIALIZED, ACCOUNT_TYPE, IMMUTABLE_OWNER, MINT_SUPPLY, SCALED_UI_EFFECTIVE_TS, SCALED_UI_END,
        SCALED_UI_HEADER, SCALED_UI_MULTIPLIER, SCALED_UI_NEW_MULTIPLIER, TLV, TYPE_ACCOUNT,
    },
};
use pinocchio::{AccountView, Address};

/// Reads eight bytes that another program may just have changed.
///
/// # Safety
/// The account has at least offset + 8 bytes.
#[inline(always)]
unsafe fn word(account: &AccountView, offset: usize) -> u64 {
    // SAFETY: in bounds by the caller's word; TLV offsets are not aligned. The pointer is a raw one into memory that
    // the runtime owns, so the compiler reads it again after a call, which may have written there.
    u64::from_le(unsafe { account.data_ptr().add(offset).cast::<u64>().read_unaligned() })
}

/// The supply of a mint.
///
/// # Errors
/// MintNotInitialized where the account is too short for a mint.
#[inline(always)]
pub fn supply_raw(mint: &AccountView) -> Result<u64> {
    require(mint.data_len() >= MINT_SUPPLY + 8, Error::MintNotInitialized)?;
    // SAFETY: the length was just checked.
    Ok(unsafe { word(mint, MINT_SUPPLY) })
}

/// The amount in a token account.
///
/// # Errors
/// WrongVault where the account is too short for one.
#[inline(always)]
pub fn amount_raw(vault: &AccountView) -> Result<u64> {
    require(vault.data_len() >= ACCOUNT_LEN, Error::WrongVault)?;
    // SAFETY: the length was just checked.
    Ok(unsafe { word(vault, ACCOUNT_AMOUNT) })
}

/// What both accounts of a transfer must hold after it.
pub struct Moved<'a> {
    source: (&'a AccountView, u64),
    destination: (&'a AccountView, u64),
}

impl<'a> Moved<'a> {
    /// Before a transfer of `amount_raw`.
    ///
    /// # Errors
    /// `too_low` where the source holds less; Overflow, WrongVault.
    #[inline(always)]
    pub fn expected(
        source: &'a AccountView,
        destination: &'a AccountView,
        amount_raw: u64,
        too_low: Error,
    ) -> Result<Self> {
        let left_raw = self::amount_raw(source)?.checked_sub(amount_raw).ok_or(too_low)?;
        let there_raw = self::amount_raw(destination)?.checked_add(amount_raw).ok_or(Error::Overflow)?;
        Ok(Self { source: (source, left_raw), destination: (destination, there_raw) })
    }

    /// After it: exactly the amount was moved (M7).
    ///
    /// # Errors
    /// BalanceMismatch.
    #[inline(always)]
    pub fn check(&self) -> Result {
        for (account, expected_raw) in [self.source, self.destination] {
            if amount_raw(account)? != expected_raw {
                return Err(Error::BalanceMismatch);
            }
        }
        Ok(())
    }
}

/// The bits of the multiplier that the mint applies now. The TLV header at `offset` is verified.
///
/// # Errors
/// MultiplierOffsetInvalid.
#[inline(always)]
pub fn effective_multiplier_bits(mint: &AccountView, offset: u16, now: Now) -> Result<u64> {
    let offset = offset as usize;
    require(mint.data_len() >= offset.wrapping_add(SCALED_UI_END), Error::MultiplierOffsetInvalid)?;
    // SAFETY: in bounds as just checked; read as unaligned.
    unsafe {
        let header = mint.data_ptr().add(offset).cast::<u32>().read_unaligned();
        require(header == SCALED_UI_HEADER, Error::MultiplierOffsetInvalid)?;
        let effective_ts = i64::from_ne_bytes(word(mint, offset + SCALED_UI_EFFECTIVE_TS).to_ne_bytes());
        let field = if now.ts >= effective_ts { SCALED_UI_NEW_MULTIPLIER } else { SCALED_UI_MULTIPLIER };
        Ok(word(mint, offset + field))
    }
}

/// Whether a token account is frozen.
pub fn is_frozen(account: &AccountView) -> bool {
    // SAFETY: only read in this function.
    unsafe { data(account) }.get(ACCOUNT_STATE) == Some(&ACCOUNT_STATE_FROZEN)
}

/// Checks that an account is an initialized Token-2022 account of `mint`, frozen or not, and gives its owner.
///
/// # Errors
/// None where it is anything else.
pub fn owner_of<'a>(account: &'a AccountView, mint: &Address) -> Option<&'a Address> {
    if !address_eq(account.owner(), &ids::TOKEN_2022) {
        return None;
    }
    // SAFETY: only read in this function; the returned owner is used before the next call.
    let data = unsafe { data(account) };
    let is_account = data.len() == ACCOUNT_LEN || data.get(ACCOUNT_TYPE) == Some(&TYPE_ACCOUNT);
    let of_mint = data.get(ACCOUNT_MINT..ACCOUNT_MINT + 32)? == mint.as_array();
    let is_initialized = matches!(*data.get(ACCOUNT_STATE)?, ACCOUNT_STATE_INITIALIZED | ACCOUNT_STATE_FROZEN);
    if !is_account || !of_mint || !is_initialized {
        return None;
    }
    let owner = data.get(ACCOUNT_OWNER..ACCOUNT_OWNER + 32)?;
    // SAFETY: 32 bytes; Address has alignment 1.
    Some(unsafe { &*owner.as_ptr().cast() })
}

/// The same of an account that is not frozen.
///
/// # Errors
/// None where it is anything else.
pub fn owner_of_unfrozen<'a>(account: &'a AccountView, mint: &Address) -> Option<&'a Address> {
    owner_of(account, mint).filter(|_| !is_frozen(account))
}

/// Whether the owner of a token account can never change, as that of an associated one.
pub fn has_immutable_owner(account: &AccountView) -> bool {
    // SAFETY: only read in this function.
    let data = unsafe { data(account) };
    let mut at = TLV;
    while let Ok(Some((extension, _))) = next_extension(data, &mut at) {
        if extension == IMMUTABLE_OWNER {
            return true;
        }
    }
    false
}
