//! Calls into other programs, each as small as it can be: the call itself, the system program, associated token accounts.
//!
//! A failed call ends the transaction in the runtime; none of these returns an error.

use core::mem::MaybeUninit;

use pinocchio::{
    cpi::{invoke_signed_unchecked, CpiAccount, Seed, Signer},
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address,
};

use crate::ids;

/// How an account is passed on.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    pub account: &'a AccountView,
    pub writable: bool,
    pub signer: bool,
}

pub const fn read(account: &AccountView) -> Pass<'_> {
    Pass { account, writable: false, signer: false }
}
pub const fn write(account: &AccountView) -> Pass<'_> {
    Pass { account, writable: true, signer: false }
}
pub const fn sign(account: &AccountView) -> Pass<'_> {
    Pass { account, writable: false, signer: true }
}
pub const fn write_sign(account: &AccountView) -> Pass<'_> {
    Pass { account, writable: true, signer: true }
}

#[inline(always)]
pub fn call<const N: usize>(program: &Address, passed: [Pass; N], data: &[u8], seeds: &[Seed]) {
    let metas = passed.map(|pass| InstructionAccount::new(pass.account.address(), pass.writable, pass.signer));
    let mut accounts = [const { MaybeUninit::<CpiAccount>::uninit() }; N];
    for (account, pass) in accounts.iter_mut().zip(&passed) {
        CpiAccount::init_from_account_view(pass.account, account);
    }
    let signer = [Signer::from(seeds)];
    // SAFETY: the unchecked call skips pinocchio's borrow counters (about 1,000 compute units), which nothing here uses.
    // The called program writes to accounts that it owns only: data of this program's accounts stay what they are, and
    // of others' this program holds no references across a call, but reads them as raw bytes each time.
    unsafe {
        invoke_signed_unchecked(
            &InstructionView { program_id: program, accounts: &metas, data },
            // All N were initialized in the loop above.
            core::slice::from_raw_parts(accounts.as_ptr().cast(), N),
            if seeds.is_empty() { &[] } else { &signer },
        );
    }
}

/// Both one behind the other.
#[inline(always)]
pub fn joined<const N: usize>(head: &[u8], tail: &[u8]) -> [u8; N] {
    let mut data = [0u8; N];
    for (to, from) in data.iter_mut().zip(head.iter().chain(tail)) {
        *to = *from;
    }
    data
}

/// What the associated token program needs (BPF functions take five arguments at most).
pub struct NewAssociated<'a> {
    pub payer: &'a AccountView,
    pub associated: &'a AccountView,
    pub owner: &'a AccountView,
    pub mint: &'a AccountView,
    pub system_program: &'a AccountView,
    pub token_program: &'a AccountView,
}

/// Associated token program: create idempotent.
#[inline(never)]
pub fn create_associated(new: &NewAssociated) {
    let passed = [
        write_sign(new.payer),
        write(new.associated),
        read(new.owner),
        read(new.mint),
        read(new.system_program),
        read(new.token_program),
    ];
    call(&ids::ASSOCIATED_TOKEN_PROGRAM, passed, &[1], &[]);
}

/// System program: transfer.
#[inline(never)]
pub fn system_transfer(from: &AccountView, to: &AccountView, lamports: u64) {
    let data: [u8; 12] = joined(&[2, 0, 0, 0], &lamports.to_le_bytes());
    call(&ids::SYSTEM_PROGRAM, [write_sign(from), write(to)], &data, &[]);
}

/// System program: allocate.
#[inline(never)]
pub fn system_allocate(account: &AccountView, space: u64, seeds: &[Seed]) {
    let data: [u8; 12] = joined(&[8, 0, 0, 0], &space.to_le_bytes());
    call(&ids::SYSTEM_PROGRAM, [write_sign(account)], &data, seeds);
}

/// System program: assign.
#[inline(never)]
pub fn system_assign(account: &AccountView, owner: &Address, seeds: &[Seed]) {
    let data: [u8; 36] = joined(&[1, 0, 0, 0], owner.as_array());
    call(&ids::SYSTEM_PROGRAM, [write_sign(account)], &data, seeds);
}
