//! An account as callers hand it over.

/// 32 raw bytes: an account's address or a program's id.
pub type Address = [u8; 32];

/// An account as the runtime or an RPC node gives it.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Where it is.
    pub address: &'a Address,
    /// The program that owns it: what makes its bytes worth anything.
    pub owner: &'a Address,
    /// All its bytes.
    pub data: &'a [u8],
}
