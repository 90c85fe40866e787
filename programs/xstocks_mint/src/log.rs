//! Log lines and events.

/// Writes `Program log: <text>`.
#[inline(always)]
pub fn line(text: &str) {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    // SAFETY: pointer and length are of one string.
    unsafe {
        solana_define_syscall::definitions::sol_log_(text.as_ptr(), text.len() as u64);
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    let _ = text;
}

/// Writes `Program data: <base64>`.
#[inline(always)]
pub fn data(bytes: &[u8]) {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    {
        let parts = [bytes];
        // SAFETY: one slice, laid out as the syscall reads it (pointer and u64 length).
        unsafe { solana_define_syscall::definitions::sol_log_data(parts.as_ptr().cast(), 1) };
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    let _ = bytes;
}
