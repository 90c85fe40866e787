//! Reading, changing and creating the program's accounts.
//!
//! pinocchio's borrow counters cost compute units in every access, so Rust's rule of one writer is kept by hand. Whoever
//! asks for a `&mut` vouches for it: `load_mut`, `create` and `Writable::get_mut` are unsafe, and each caller says why
//! no other reference to the data of that account is used while its own one lives. What is shared (`load`,
//! `Validated::get`) is then safe. Two accounts of different types are never one account, since their discriminators
//! differ; `validate` has checked them. A call into another program changes no data of this program's accounts, which
//! only their owner can write, and what other programs own is read as raw bytes each time (token_2022/reading.rs).

use crate::{
    address::address_eq,
    cpi,
    error::{require, Error, Result},
    ids,
    pda::find_address,
    state::{State, VERSION},
    sysvar::rent_exempt,
};
use core::marker::PhantomData;
use pinocchio::{cpi::Seed, AccountView, Address};

/// The account's data.
///
/// # Safety
/// Nothing writes to the data while the slice lives.
#[inline(always)]
pub unsafe fn data<'a>(account: &AccountView) -> &'a [u8] {
    // SAFETY: the runtime made pointer and length; the caller keeps writers away.
    unsafe { core::slice::from_raw_parts(account.data_ptr(), account.data_len()) }
}

/// An account of this program that holds an S: owner, size, discriminator and version were checked.
#[repr(transparent)]
pub struct Validated<'a, S> {
    account: &'a AccountView,
    state: PhantomData<&'a S>,
}

impl<S> Clone for Validated<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Validated<'_, S> {}

impl<'a, S: State> Validated<'a, S> {
    /// Checks the account.
    ///
    /// # Errors
    /// Those of `validate`.
    #[inline(always)]
    pub fn new(program_id: &Address, account: &'a AccountView) -> Result<Self> {
        validate::<S>(program_id, account)?;
        Ok(Self { account, state: PhantomData })
    }

    /// An account that was checked before.
    ///
    /// # Safety
    /// `new` has passed for this account.
    #[inline(always)]
    pub const unsafe fn assume_checked(account: &'a AccountView) -> Self {
        Self { account, state: PhantomData }
    }

    /// What it holds.
    #[inline(always)]
    pub fn get(self) -> &'a S {
        // SAFETY: there are SPACE bytes at least (checked by `new`; nothing in this program makes an account shorter), data + 8
        // is aligned to 8 bytes as the runtime aligns data, and S takes every bit pattern. Who holds a `&mut` to it has
        // vouched that no such reference is used meanwhile.
        unsafe { &*self.account.data_ptr().add(8).cast::<S>() }
    }
}

/// The same, and writable.
#[repr(transparent)]
pub struct Writable<'a, S>(Validated<'a, S>);

impl<S> Clone for Writable<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Writable<'_, S> {}

impl<'a, S: State> Writable<'a, S> {
    /// Checks the account.
    ///
    /// # Errors
    /// Those of `validate`, ConstraintMut.
    #[inline(always)]
    pub fn new(program_id: &Address, account: &'a AccountView) -> Result<Self> {
        let validated = Validated::new(program_id, account)?;
        require(account.is_writable(), Error::ConstraintMut)?;
        Ok(Self(validated))
    }

    /// An account that was checked before.
    ///
    /// # Safety
    /// `new` has passed for this account.
    #[inline(always)]
    pub const unsafe fn assume_checked(account: &'a AccountView) -> Self {
        // SAFETY: the caller's word; `Writable::new` checks what `Validated::new` does.
        Self(unsafe { Validated::assume_checked(account) })
    }

    /// What it holds.
    #[inline(always)]
    pub fn get(self) -> &'a S {
        self.0.get()
    }

    /// What it holds, for changing it.
    ///
    /// # Safety
    /// While the reference lives no other one to the account's data is used, however it was made.
    #[inline(always)]
    pub unsafe fn get_mut(self) -> &'a mut S {
        // SAFETY: as for `Validated::get`; exclusive by the caller's word.
        unsafe { &mut *data_ptr(self.0.account).add(8).cast::<S>() }
    }
}

/// Validates and reads.
///
/// # Errors
/// Those of `validate`.
#[inline(always)]
pub fn load<'a, S: State>(program_id: &Address, account: &'a AccountView) -> Result<&'a S> {
    Ok(Validated::new(program_id, account)?.get())
}

/// Validates a writable account and hands out what it holds, for changing it.
///
/// # Errors
/// Those of `validate`, ConstraintMut.
///
/// # Safety
/// While the reference lives no other one to the account's data is used, however it was made.
#[allow(clippy::mut_from_ref)] // the safety section is about that
#[inline(always)]
pub unsafe fn load_mut<'a, S: State>(program_id: &Address, account: &'a AccountView) -> Result<&'a mut S> {
    let writable = Writable::new(program_id, account)?;
    // SAFETY: the caller's word.
    Ok(unsafe { writable.get_mut() })
}

/// Checks owner, discriminator, size and version of a program account.
///
/// # Errors
/// AccountNotInitialized (3012), AccountOwnedByWrongProgram (3007), AccountDiscriminatorNotFound (3001),
/// AccountDiscriminatorMismatch (3002), AccountDidNotDeserialize (3003), UnsupportedVersion.
#[inline(always)]
pub fn validate<S: State>(program_id: &Address, account: &AccountView) -> Result {
    if !address_eq(account.owner(), program_id) {
        return Err(not_owned(account));
    }
    if account.data_len() != S::SPACE {
        #[cfg(feature = "next_layout")]
        // SAFETY: nothing writes while these bytes are looked at.
        if crate::state::is_migrated::<S>(unsafe { data(account) }) {
            return Ok(());
        }
        return Err(wrong_size(account, const { u64::from_le_bytes(S::DISCRIMINATOR) }));
    }
    let data = account.data_ptr();
    // SAFETY: the length was just checked, SPACE is above 9; account data is aligned to 8 bytes by the runtime.
    let (discriminator, version) = unsafe { (data.cast::<u64>().read_unaligned(), data.add(8).read()) };
    let expected = const { u64::from_le_bytes(S::DISCRIMINATOR) };
    require(discriminator == expected, Error::AccountDiscriminatorMismatch)?;
    require(version == VERSION, Error::UnsupportedVersion)
}

#[cold]
#[inline(never)]
fn not_owned(account: &AccountView) -> Error {
    if account.data_len() == 0 && address_eq(account.owner(), &ids::SYSTEM_PROGRAM) {
        Error::AccountNotInitialized
    } else {
        Error::AccountOwnedByWrongProgram
    }
}

#[cold]
#[inline(never)]
fn wrong_size(account: &AccountView, discriminator: u64) -> Error {
    if account.data_len() < 8 {
        return Error::AccountDiscriminatorNotFound;
    }
    // SAFETY: the length was just checked.
    let found = unsafe { account.data_ptr().cast::<u64>().read_unaligned() };
    if found != discriminator {
        return Error::AccountDiscriminatorMismatch;
    }
    // A later version may have another size: then its name says more.
    // SAFETY: only read here, and nothing writes meanwhile.
    match unsafe { data(account) }.get(8) {
        Some(version) if *version != VERSION => Error::UnsupportedVersion,
        _ => Error::AccountDidNotDeserialize,
    }
}

/// The account's data, for writing through.
#[inline(always)]
fn data_ptr(account: &AccountView) -> *mut u8 {
    account.data_ptr().cast_mut()
}

/// Nothing was created at the address yet; it may have lamports.
///
/// # Errors
/// AlreadyInitialized.
#[inline(always)]
pub fn require_vacant(account: &AccountView) -> Result {
    if address_eq(account.owner(), &ids::SYSTEM_PROGRAM) && account.data_len() == 0 {
        Ok(())
    } else {
        Err(Error::AlreadyInitialized)
    }
}

/// Most seeds of an address of this program, the bump included.
const MAX_SEEDS: usize = 4;

/// Creates a program derived account of type S, whatever lamports were sent to its address before, and writes
/// discriminator, version and bump; all else is zero.
///
/// # Errors
/// ConstraintSeeds where the account is not at the address of `seeds` (at most three); AlreadyInitialized.
///
/// # Safety
/// While the reference lives no other one to the account's data is used, however it was made.
#[allow(clippy::mut_from_ref)] // the safety section is about that
#[inline(always)]
pub unsafe fn create<'a, S: State>(
    program_id: &Address,
    payer: &AccountView,
    account: &'a AccountView,
    seeds: &[&[u8]],
) -> Result<&'a mut S> {
    let (address, bump) = find_address(seeds, program_id)?;
    if !address_eq(&address, account.address()) {
        return Err(Error::ConstraintSeeds);
    }
    require_vacant(account)?;
    let bump_seed = [bump];
    let mut parts: [&[u8]; MAX_SEEDS] = [&[]; MAX_SEEDS];
    for (part, seed) in parts.iter_mut().zip(seeds.iter().copied().chain([&bump_seed[..]])) {
        *part = seed;
    }
    let signer = parts.map(Seed::from);
    let signer = signer.get(..=seeds.len()).ok_or(Error::ConstraintSeeds)?;
    allocate(&New { program_id, payer, account, space: S::SPACE }, signer)?;
    let data = data_ptr(account);
    // SAFETY: the account now is the program's, writable, zeroed and has SPACE bytes (10 at least), aligned to 8 as all
    // account data is; S takes every bit pattern; exclusive by the caller's word.
    unsafe {
        data.cast::<[u8; 8]>().write_unaligned(S::DISCRIMINATOR);
        data.add(8).write(VERSION);
        data.add(9).write(bump);
        Ok(&mut *data.add(8).cast::<S>())
    }
}

/// What `allocate` needs (BPF functions take five arguments at most).
struct New<'a> {
    program_id: &'a Address,
    payer: &'a AccountView,
    account: &'a AccountView,
    space: usize,
}

/// Makes an account rent exempt for `space` bytes, where it is not.
///
/// # Errors
/// Overflow.
#[inline(always)]
pub fn top_up(payer: &AccountView, account: &AccountView, space: usize) -> Result {
    let missing = rent_exempt(space)?.saturating_sub(account.lamports());
    if missing > 0 {
        cpi::system_transfer(payer, account, missing);
    }
    Ok(())
}

/// Top up, allocate, assign: unlike create_account this also works when somebody funded the address before.
#[inline(never)]
fn allocate(new: &New, signer: &[Seed]) -> Result {
    top_up(new.payer, new.account, new.space)?;
    cpi::system_allocate(new.account, new.space as u64, signer);
    cpi::system_assign(new.account, new.program_id, signer);
    Ok(())
}
