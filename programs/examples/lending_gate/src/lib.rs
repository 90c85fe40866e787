//! AN EXAMPLE, not a product: the door of a lending market. `deposit` takes tokens of a tokenised share as collateral
//! only while the share's reserve is good, which it reads from the issuer's accounts with `xstocks_reserve`. There is
//! no borrowing, no book of who deposited what, and no way out: a market has those.
//!
//! Instruction data: a zero byte, then amount_raw (u64, little-endian). Accounts:
//!
//! | # | account | |
//! |---|---|---|
//! | 0 | depositor | signs |
//! | 1 | its token account | writable |
//! | 2 | the mint | |
//! | 3 | the pool: a token account of `POOL_AUTHORITY` | writable |
//! | 4 | Token-2022 | |
//! | 5 | Config of the issuer's program | |
//! | 6 | Asset of the mint | |
//! | 7 to 10 | the asset's Custodian accounts; one that is left out counts zero | |
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

mod refusal;

pub use refusal::{Refusal, Unread};

use pinocchio::{
    cpi::invoke,
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};
use xstocks_reserve::{Account, Asset, AssetState, Config, Custodian, Mint};

/// The issuer's program whose word is taken; here the address that a localnet loads it at.
pub const RESERVE_PROGRAM: Address = Address::from_str_const("4p7PN5S5qA5LyjSQhWbNoGdXgEpua65qYhdRArVKVf65");
/// Where this example is loaded; nobody holds a key of it.
pub const ID: Address = Address::from_str_const("EXC1wAFsy7snoZgqnAQKYTHZvqCUKX2N6HE5uPjrWNmY");
/// PDA ["pool"] of `ID`: owns the pools.
pub const POOL_AUTHORITY: Address = Address::from_str_const("CgcgcVKSoSQXmrRPRZ77tAv1iNXwdGWvroNNrG5cn8qA");
/// Statements older than this are not taken here, whatever the issuer's own policy allows.
pub const MAX_AGE_SECS: u64 = 900;

const TOKEN_2022: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
const CLOCK_SYSVAR: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// Where the clock sysvar keeps its unix_timestamp.
const CLOCK_TS: u64 = 32;
/// Where a token account keeps its owner.
const TOKEN_ACCOUNT_OWNER: usize = 32;
const MAX_CUSTODIANS: usize = 4;

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    pinocchio::program_entrypoint!(process, 16);
    pinocchio::nostd_panic_handler!();

    use super::{deposit, AccountView, Address, ProgramResult};

    fn process(_program_id: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
        deposit(accounts, data)
    }
}

/// The one instruction.
///
/// # Errors
/// Every `Refusal`, as `Custom(number)`; what Token-2022 refuses.
#[inline(always)]
pub fn deposit(accounts: &[AccountView], data: &[u8]) -> ProgramResult {
    // 1. Instruction and accounts.
    let amount_raw = match data.split_first() {
        Some((0, amount)) => amount.try_into().map(u64::from_le_bytes).map_err(|_| Refusal::InstructionInvalid),
        _ => Err(Refusal::InstructionInvalid),
    }
    .map_err(refuse)?;
    let [depositor, source, mint, pool, token_program, config, asset, custodians @ ..] = accounts else {
        return Err(refuse(Refusal::AccountMissing));
    };
    if !depositor.is_signer() {
        return Err(refuse(Refusal::NotSigned));
    }
    if token_program.address() != &TOKEN_2022 {
        return Err(refuse(Refusal::NotTokenProgram));
    }
    let pool_owner = pool.try_borrow()?.get(TOKEN_ACCOUNT_OWNER..).and_then(|rest| rest.first_chunk::<32>().copied());
    if !pool.owned_by(&TOKEN_2022) || pool_owner.as_ref() != Some(POOL_AUTHORITY.as_array()) {
        return Err(refuse(Refusal::NotThePool));
    }
    if amount_raw == 0 {
        return Err(refuse(Refusal::AmountZero));
    }

    // 2. The reserve.
    let decimals = check_reserve(clock_ts()?, config, asset, mint, custodians)?;

    // 3. The tokens: TransferChecked, which checks the mint of both accounts.
    let mut transfer = [0; 10];
    let [number, amount @ .., last] = &mut transfer;
    (*number, *last) = (12, decimals);
    *amount = amount_raw.to_le_bytes();
    let metas = [
        InstructionAccount::writable(source.address()),
        InstructionAccount::readonly(mint.address()),
        InstructionAccount::writable(pool.address()),
        InstructionAccount::readonly_signer(depositor.address()),
    ];
    let transfer = InstructionView { program_id: &TOKEN_2022, accounts: &metas, data: &transfer };
    invoke(&transfer, &[source, mint, pool, depositor])
}

// docs: begin
/// The reserve of the mint is enforced, not on hold, stated recently, and backs every token; gives the decimals.
///
/// # Errors
/// NotSealed, Released, OnHold, NoFreshStatement, StatementTooOld, ReserveShort, Unreadable.
#[inline(always)]
fn check_reserve(
    now_ts: i64,
    config: &AccountView,
    asset: &AccountView,
    mint: &AccountView,
    custodians: &[AccountView],
) -> Result<u8, ProgramError> {
    let program_id = RESERVE_PROGRAM.as_array();
    let (config_data, asset_data, mint_data) = (config.try_borrow()?, asset.try_borrow()?, mint.try_borrow()?);
    let config = Config::read(program_id, account(config, &config_data)).map_err(unread(Unread::Config))?;
    let asset = Asset::read(program_id, account(asset, &asset_data)).map_err(unread(Unread::Asset))?;
    let mint = Mint::read(account(mint, &mint_data)).map_err(unread(Unread::Mint))?;
    if custodians.len() > MAX_CUSTODIANS {
        return Err(refuse(Refusal::TooManyCustodians));
    }
    let mut passed = [None; MAX_CUSTODIANS];
    for (slot, custodian) in passed.iter_mut().zip(custodians) {
        let data = custodian.try_borrow()?;
        let read = Custodian::read(program_id, account(custodian, &data));
        *slot = Some(read.map_err(unread(Unread::Custodian))?);
    }

    // Do the issuer's rules bind it? Whoever may upgrade its program could replace them: Program and ProgramData are not
    // passed here (`Code::read` takes them), so the gate's operator looks at that, and again after each upgrade.
    if !config.is_sealed() {
        return Err(refuse(Refusal::NotSealed));
    }
    if asset.state() == AssetState::Released {
        return Err(refuse(Refusal::Released));
    }
    if asset.holds() != 0 {
        return Err(refuse(Refusal::OnHold));
    }
    // Is every token backed, and since when does nobody know better?
    let backing = asset.backing(now_ts, &mint, &passed).map_err(unread(Unread::Backing))?;
    match backing.statements.oldest_age_secs {
        None => return Err(refuse(Refusal::NoFreshStatement)),
        Some(age_secs) if age_secs > MAX_AGE_SECS => return Err(refuse(Refusal::StatementTooOld)),
        Some(_) => {}
    }
    if !backing.is_full() {
        return Err(refuse(Refusal::ReserveShort));
    }
    Ok(asset.decimals())
}

/// An account as the reader wants it.
#[inline(always)]
fn account<'a>(view: &'a AccountView, data: &'a [u8]) -> Account<'a> {
    Account { address: view.address().as_array(), owner: view.owner().as_array(), data }
}
// docs: end

/// Logs the reason and gives the number to the runtime.
#[cold]
fn refuse(refusal: Refusal) -> ProgramError {
    log(refusal.message());
    ProgramError::Custom(refusal.number())
}

#[inline(always)]
fn unread(what: Unread) -> impl Fn(xstocks_reserve::Error) -> ProgramError {
    move |error| refuse(Refusal::Unreadable(what, error))
}

/// The chain's clock in Unix seconds.
///
/// # Errors
/// UnsupportedSysvar where the runtime does not have it.
#[inline(always)]
fn clock_ts() -> Result<i64, ProgramError> {
    let mut ts = [0u8; 8];
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    // SAFETY: the syscall writes 8 bytes to `ts` or returns an error.
    if unsafe {
        let clock = CLOCK_SYSVAR.as_array().as_ptr();
        solana_define_syscall::definitions::sol_get_sysvar(clock, ts.as_mut_ptr(), CLOCK_TS, 8)
    } == 0
    {
        return Ok(i64::from_le_bytes(ts));
    }
    let _ = (&mut ts, CLOCK_SYSVAR, CLOCK_TS);
    Err(ProgramError::UnsupportedSysvar)
}

/// Writes `Program log: <text>`.
#[inline(always)]
fn log(text: &str) {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    // SAFETY: pointer and length are of one string.
    unsafe {
        solana_define_syscall::definitions::sol_log_(text.as_ptr(), text.len() as u64);
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    let _ = text;
}
