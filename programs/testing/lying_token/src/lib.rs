//! FOR TESTS ONLY, never to be deployed: a Token-2022 that answers every instruction with success, checks nothing, and
//! does what the last decimal digit of the amount says instead of what it was told. Loaded at Token-2022's address of an
//! embedded chain it shows that the program believes the accounts and not the answer.
//!
//! | amount ends in | MintToChecked (supply, account), BurnChecked (account, supply), TransferChecked (source, destination) |
//! |---|---|
//! | 0 | neither changes |
//! | 1 | only the first changes, by the amount |
//! | 2 | only the second changes, by the amount |
//! | 3 | both change, by one unit more |
//! | 4 | both change, by one unit less |
//! | 5 to 9 | both change, by the amount: the truth |
//!
//! Batch is its instructions, each by its own amount. Every other instruction does nothing.
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    pinocchio::program_entrypoint!(super::process, 32);
    pinocchio::nostd_panic_handler!();
}

const TRANSFER: u8 = 12;
const MINT_TO: u8 = 14;
const BURN: u8 = 15;
const BATCH: u8 = 255;
/// Where a mint has its supply, and a token account its amount.
const SUPPLY: usize = 36;
const AMOUNT: usize = 64;

/// # Errors
/// For a Batch that the program under test does not send.
pub fn process(_: &Address, mut accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    if data.first() != Some(&BATCH) {
        return lie(accounts, data);
    }
    let mut rest = data.get(1..).unwrap_or_default();
    while let [count, length, tail @ ..] = rest {
        let (own, others) = accounts.split_at_mut_checked(usize::from(*count)).ok_or(ProgramError::InvalidArgument)?;
        let (one, behind) = tail.split_at_checked(usize::from(*length)).ok_or(ProgramError::InvalidArgument)?;
        lie(own, one)?;
        (accounts, rest) = (others, behind);
    }
    Ok(())
}

fn lie(accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [number, a0, a1, a2, a3, a4, a5, a6, a7, _decimals] = data else { return Ok(()) };
    let amount_raw = u64::from_le_bytes([*a0, *a1, *a2, *a3, *a4, *a5, *a6, *a7]);
    let (first_raw, second_raw) = match amount_raw % 10 {
        0 => (0, 0),
        1 => (amount_raw, 0),
        2 => (0, amount_raw),
        3 => (amount_raw.wrapping_add(1), amount_raw.wrapping_add(1)),
        4 => (amount_raw.wrapping_sub(1), amount_raw.wrapping_sub(1)),
        _ => (amount_raw, amount_raw),
    };
    match (number, accounts) {
        (&MINT_TO, [mint, account, ..]) => add(mint, SUPPLY, first_raw).and(add(account, AMOUNT, second_raw)),
        (&BURN, [account, mint, ..]) => {
            add(account, AMOUNT, first_raw.wrapping_neg()).and(add(mint, SUPPLY, second_raw.wrapping_neg()))
        }
        (&TRANSFER, [source, _mint, destination, ..]) => {
            add(source, AMOUNT, first_raw.wrapping_neg()).and(add(destination, AMOUNT, second_raw))
        }
        _ => Ok(()),
    }
}

/// Adds to a number in an account's data, beyond every bound.
fn add(account: &mut AccountView, offset: usize, change_raw: u64) -> ProgramResult {
    let mut data = account.try_borrow_mut()?;
    let number = data.get_mut(offset..).and_then(<[u8]>::first_chunk_mut).ok_or(ProgramError::InvalidAccountData)?;
    *number = u64::from_le_bytes(*number).wrapping_add(change_raw).to_le_bytes();
    Ok(())
}
