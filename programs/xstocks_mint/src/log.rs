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

/// Writes `Program log: Entry: <two digits>`: which entry of a batch was refused, counted from 0.
#[cold]
#[inline(never)]
pub fn entry(index: usize) {
    let digit = |number: usize| b"0123456789".get(number % 10).copied().unwrap_or(b'?');
    let text = [b'E', b'n', b't', b'r', b'y', b':', b' ', digit(index / 10), digit(index)];
    // SAFETY: all of it is ASCII.
    line(unsafe { core::str::from_utf8_unchecked(&text) });
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
