//! Reading, changing and creating the program's accounts.
//!
//! pinocchio's borrow counters cost compute units in every access, so borrow rules are kept by hand: a reference
//! into an account's data lives only inside one function body and is not used any more once another reference to
//! data of the same account is made or a call into another program can change it. Accounts of different types
//! cannot be the same account, since their discriminators differ.

use crate::{
    cpi,
    error::{refusal, require, Error, Result},
    ids,
    state::{State, VERSION},
};
use pinocchio::{cpi::Seed, AccountView, Address};

/// Whether two addresses are equal, word by word.
#[inline(always)]
pub fn same(a: &Address, b: &Address) -> bool {
    solana_address::address_eq(a, b)
}

/// Whether a stands before b by bytes.
#[inline(always)]
pub fn ascending(a: &Address, b: &Address) -> bool {
    let (a, b) = (a.as_array().as_ptr().cast::<u64>(), b.as_array().as_ptr().cast::<u64>());
    for i in 0..4 {
        // SAFETY: an address has four words; the reads are unaligned ones.
        let (x, y) = unsafe { (a.add(i).read_unaligned(), b.add(i).read_unaligned()) };
        if x != y {
            return u64::from_be(x) < u64::from_be(y);
        }
    }
    false
}

/// The account's data, for writing through.
#[inline(always)]
pub fn data_ptr(account: &AccountView) -> *mut u8 {
    account.data_ptr().cast_mut()
}

/// The account's data.
///
/// # Safety
/// Nothing writes to the data while the slice lives.
#[inline(always)]
pub unsafe fn data<'a>(account: &AccountView) -> &'a [u8] {
    // SAFETY: the runtime made pointer and length; the caller keeps writers away.
    unsafe { core::slice::from_raw_parts(account.data_ptr(), account.data_len()) }
}

/// Checks owner, discriminator, size and version of a program account.
///
/// # Errors
/// AccountNotInitialized (3012), AccountOwnedByWrongProgram (3007), AccountDiscriminatorNotFound (3001),
/// AccountDiscriminatorMismatch (3002), AccountDidNotDeserialize (3003), UnsupportedVersion.
#[inline(always)]
pub fn validate<S: State>(program_id: &Address, account: &AccountView) -> Result {
    if !same(account.owner(), program_id) {
        return Err(not_owned(account));
    }
    if account.data_len() != S::SPACE {
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
    if account.data_len() == 0 && same(account.owner(), &ids::SYSTEM_PROGRAM) {
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
    if found == discriminator {
        Error::AccountDidNotDeserialize
    } else {
        Error::AccountDiscriminatorMismatch
    }
}

/// The state of a validated account.
///
/// # Safety
/// `validate::<S>` has passed for the account, and nothing writes to it while the reference lives.
#[inline(always)]
pub unsafe fn view<S: State>(account: &AccountView) -> &S {
    // SAFETY: the size was checked, data + 8 is aligned to 8 bytes, S takes every bit pattern.
    unsafe { &*account.data_ptr().add(8).cast::<S>() }
}

/// The state of a validated account, for changing it.
///
/// # Safety
/// `validate::<S>` has passed for the account, it is writable, and no other reference to its data is used while
/// this one lives.
#[allow(clippy::mut_from_ref)]
#[inline(always)]
pub unsafe fn view_mut<S: State>(account: &AccountView) -> &mut S {
    // SAFETY: as for `view`; exclusive by the caller's word.
    unsafe { &mut *data_ptr(account).add(8).cast::<S>() }
}

/// Validates and reads.
///
/// # Errors
/// Those of `validate`.
#[inline(always)]
pub fn load<'a, S: State>(program_id: &Address, account: &'a AccountView) -> Result<&'a S> {
    validate::<S>(program_id, account)?;
    // SAFETY: validated; the handlers keep the rule at the top of this file.
    Ok(unsafe { view(account) })
}

/// Validates a writable account and hands it out for changing.
///
/// # Errors
/// Those of `validate`, ConstraintMut.
#[allow(clippy::mut_from_ref)]
#[inline(always)]
pub fn load_mut<'a, S: State>(program_id: &Address, account: &'a AccountView) -> Result<&'a mut S> {
    validate::<S>(program_id, account)?;
    if !account.is_writable() {
        return Err(Error::ConstraintMut);
    }
    // SAFETY: validated, writable; the handlers keep the rule at the top of this file.
    Ok(unsafe { view_mut(account) })
}

/// Finds a program derived address and its bump.
///
/// # Errors
/// ConstraintSeeds where there is none (which no seeds of this program are known to give).
#[inline(always)]
pub fn find_address(seeds: &[&[u8]], program_id: &Address) -> Result<(Address, u8)> {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    {
        let mut address = core::mem::MaybeUninit::<Address>::uninit();
        let mut bump = 0u8;
        // SAFETY: `&[&[u8]]` has the layout the syscall reads; it fills address and bump when it returns zero.
        let status = unsafe {
            solana_define_syscall::definitions::sol_try_find_program_address(
                seeds.as_ptr().cast(),
                seeds.len() as u64,
                program_id.as_array().as_ptr(),
                address.as_mut_ptr().cast(),
                &mut bump,
            )
        };
        if status != 0 {
            return Err(Error::ConstraintSeeds);
        }
        // SAFETY: the syscall succeeded.
        Ok((unsafe { address.assume_init() }, bump))
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    {
        let _ = (seeds, program_id);
        Err(Error::ConstraintSeeds)
    }
}

/// Lamports that make an account of `space` bytes rent exempt.
///
/// # Errors
/// Overflow.
#[inline(always)]
pub fn rent_exempt(space: usize) -> Result<u64> {
    /// Bytes the runtime counts for every account beside its data.
    const OVERHEAD_BYTES: u64 = 128;
    let mut lamports_per_byte_year = [0u8; 8];
    sysvar(&ids::RENT_SYSVAR, 0, &mut lamports_per_byte_year)?;
    let mut threshold_years = [0u8; 8];
    sysvar(&ids::RENT_SYSVAR, 8, &mut threshold_years)?;
    // The runtime's exemption threshold is an f64 in the sysvar: 2.0, or 1.0 once SIMD-0194 folds it into the rate.
    let years = match u64::from_le_bytes(threshold_years) {
        0x4000_0000_0000_0000 => 2,
        0x3FF0_0000_0000_0000 => 1,
        _ => return Err(Error::Overflow),
    };
    let bytes = (space as u64).wrapping_add(OVERHEAD_BYTES); // space is a constant of a few KiB
    let rate = crate::math::multiply(u64::from_le_bytes(lamports_per_byte_year), years);
    let total = crate::math::multiply(rate.low, bytes);
    if rate.high != 0 || total.high != 0 {
        return Err(Error::Overflow);
    }
    Ok(total.low)
}

/// Reads a part of a sysvar.
///
/// # Errors
/// WrongClock where the runtime does not have it.
#[inline(always)]
fn sysvar(address: &Address, offset: u64, out: &mut [u8; 8]) -> Result {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    // SAFETY: the syscall writes 8 bytes to `out` or returns an error.
    if unsafe {
        solana_define_syscall::definitions::sol_get_sysvar(address.as_array().as_ptr(), out.as_mut_ptr(), offset, 8)
    } == 0
    {
        return Ok(());
    }
    let _ = (address, offset, out);
    Err(refusal(Error::WrongClock))
}

/// Clock: the unix timestamp is its last field.
const CLOCK_TS: usize = 32;

/// The chain's clock.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Unix time in seconds, from 0 to 2^40.
    pub ts: i64,
}

impl Now {
    /// Reads the clock (the unix timestamp is its last field, at byte 32).
    ///
    /// # Errors
    /// WrongClock before 1970 and beyond the year 36000.
    #[inline(always)]
    pub fn read() -> Result<Self> {
        let mut ts = [0u8; 8];
        sysvar(&ids::CLOCK_SYSVAR, CLOCK_TS as u64, &mut ts)?;
        Self::at(i64::from_le_bytes(ts))
    }

    /// The same of the Clock sysvar's account, whose address the caller has checked.
    ///
    /// # Errors
    /// WrongClock.
    #[inline(always)]
    pub fn of(clock: &AccountView) -> Result<Self> {
        require(clock.data_len() >= CLOCK_TS + 8, Error::WrongClock)?;
        // SAFETY: the length was just checked; nothing writes to a sysvar.
        Self::at(i64::from_le(unsafe { clock.data_ptr().add(CLOCK_TS).cast::<i64>().read_unaligned() }))
    }

    #[inline(always)]
    fn at(ts: i64) -> Result<Self> {
        require((0..1 << 40).contains(&ts), Error::WrongClock)?;
        Ok(Self { ts })
    }

    /// Seconds as u64.
    #[inline(always)]
    pub const fn secs(self) -> u64 {
        self.ts.cast_unsigned() // never negative
    }

    /// Milliseconds; below 2^50.
    #[inline(always)]
    pub const fn ms(self) -> u64 {
        self.secs().wrapping_mul(1_000)
    }

    /// The furthest time of observation that is still taken (M3).
    #[inline(always)]
    pub const fn observable_until_ms(self, max_skew_secs: u32) -> u64 {
        self.ms().wrapping_add((max_skew_secs as u64).wrapping_mul(1_000))
    }
}

/// Nothing was created at the address yet; it may have lamports.
///
/// # Errors
/// AlreadyInitialized.
#[inline(always)]
pub fn require_vacant(account: &AccountView) -> Result {
    if same(account.owner(), &ids::SYSTEM_PROGRAM) && account.data_len() == 0 {
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
#[allow(clippy::mut_from_ref)]
#[inline(always)]
pub fn create<'a, S: State>(
    program_id: &Address,
    payer: &AccountView,
    account: &'a AccountView,
    seeds: &[&[u8]],
) -> Result<&'a mut S> {
    let (address, bump) = find_address(seeds, program_id)?;
    if !same(&address, account.address()) {
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
    // SAFETY: the account now is the program's, writable, zeroed and has SPACE bytes (10 at least).
    unsafe {
        data.cast::<[u8; 8]>().write_unaligned(S::DISCRIMINATOR);
        data.add(8).write(VERSION);
        data.add(9).write(bump);
        Ok(view_mut(account))
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
