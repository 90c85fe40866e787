//! The clock and the rent, from the runtime. (pinocchio's own readers are stubs on this target.)

use crate::{
    error::{cold_error, require, Error, Result},
    ids, math,
};
use pinocchio::{AccountView, Address};

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
    let rate = math::multiply(u64::from_le_bytes(lamports_per_byte_year), years);
    let total = math::multiply(rate.low, bytes);
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
    Err(cold_error(Error::WrongClock))
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
