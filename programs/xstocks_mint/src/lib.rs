//! The mint authority of tokenised shares.
//!
//! Tokens exist only below a ceiling that a quorum of custody attesters has signed. Rules are cited by their
//! number (M1 to M9, M12, M13), signature checks by theirs (S1 to S11).
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod account;
pub mod address;
pub mod args;
pub mod cpi;
pub mod dispatch;
pub mod error;
pub mod events;
pub mod hash;
pub mod ids;
pub mod instructions;
pub mod log;
pub mod math;
#[cfg(feature = "next_layout")]
pub mod next_layout;
pub mod pda;
pub mod schema;
mod security_txt;
pub mod state;
pub mod sysvar;
pub mod table;
pub mod text;
pub mod timelock;
pub mod token_2022;

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    use crate::{dispatch::dispatch, table::Context};
    use pinocchio::{AccountView, Address, ProgramResult};

    /// More than any instruction takes (mint: 3 + 5 + 20 * 3); what a transaction names beyond it is not looked at.
    const MAX_ACCOUNTS: usize = 72;

    pinocchio::program_entrypoint!(process, MAX_ACCOUNTS);
    pinocchio::nostd_panic_handler!();

    #[inline(always)]
    fn process(program_id: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
        dispatch(&Context { program_id, accounts, data }).map_err(|error| {
            error.log();
            error.into()
        })
    }
}

/// The memory functions that LLVM calls for large copies. Upstream Rust's own are byte loops; the runtime has them as
/// syscalls. (Solana's platform-tools bring theirs.)
#[cfg(all(target_arch = "bpf", not(target_os = "solana")))]
mod memory {
    use solana_define_syscall::definitions::{sol_memcmp_, sol_memcpy_, sol_memmove_, sol_memset_};

    /// # Safety
    /// As C's memcpy.
    #[no_mangle]
    pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the syscall asks what C asks.
        unsafe { sol_memcpy_(to, from, count as u64) };
        to
    }

    /// # Safety
    /// As C's memmove.
    #[no_mangle]
    pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the syscall asks what C asks.
        unsafe { sol_memmove_(to, from, count as u64) };
        to
    }

    /// # Safety
    /// As C's memset.
    #[no_mangle]
    pub unsafe extern "C" fn memset(to: *mut u8, value: i32, count: usize) -> *mut u8 {
        let [byte, ..] = value.to_le_bytes();
        // SAFETY: the syscall asks what C asks.
        unsafe { sol_memset_(to, byte, count as u64) };
        to
    }

    /// # Safety
    /// As C's memcmp.
    #[no_mangle]
    pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
        let mut result = 0i32;
        // SAFETY: the syscall asks what C asks.
        unsafe { sol_memcmp_(a, b, count as u64, &mut result) };
        result
    }
}
