//! FOR TESTS ONLY, never to be deployed: a multisig as small as one can be. Its vault is an address of this program that
//! signs an instruction of another program once enough of its members have signed the transaction. It shows that a role
//! of the program under test may be such an address, as a Squads vault is.
//!
//! Nothing is stored: threshold and members are the vault's seeds, so another threshold is another vault.
//!
//! | data | accounts |
//! |---|---|
//! | threshold u8, number of members u8, the vault's bump u8, the inner instruction's data | the members, the vault, the program to call, the inner instruction's accounts |
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

use core::mem::MaybeUninit;

use pinocchio::{
    cpi::{invoke_signed_with_bounds, Seed, Signer},
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    pinocchio::program_entrypoint!(super::process, 32);
    pinocchio::nostd_panic_handler!();
}

const MAX_MEMBERS: usize = 5;
const MAX_ACCOUNTS: usize = 16;
const VAULT: &[u8] = b"vault";

/// # Errors
/// `MissingRequiredSignature` where fewer members signed than the threshold says; `InvalidArgument` for other data or
/// accounts than described above, a threshold of none included, or a member twice.
pub fn process(_: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [threshold, members, bump, inner @ ..] = data else { return Err(ProgramError::InvalidInstructionData) };
    let (members, rest) = accounts.split_at_checked(usize::from(*members)).ok_or(ProgramError::NotEnoughAccountKeys)?;
    let [vault, program, passed @ ..] = rest else { return Err(ProgramError::NotEnoughAccountKeys) };
    let ascending = members.windows(2).all(|two| matches!(two, [one, next] if one.address() < next.address()));
    if *threshold == 0 || members.len() > MAX_MEMBERS || passed.len() > MAX_ACCOUNTS || !ascending {
        return Err(ProgramError::InvalidArgument);
    }
    if members.iter().filter(|member| member.is_signer()).count() < usize::from(*threshold) {
        return Err(ProgramError::MissingRequiredSignature);
    }

    let (threshold, bump) = ([*threshold], [*bump]);
    // The tag, the threshold, up to five members, the bump: the most seeds that an address may have are sixteen.
    let mut seeds = [const { MaybeUninit::<Seed>::uninit() }; MAX_MEMBERS + 3];
    let parts = [VAULT, &threshold]
        .into_iter()
        .chain(members.iter().map(|member| member.address().as_array().as_slice()))
        .chain([bump.as_slice()]);
    let mut used = 0;
    for (seed, part) in seeds.iter_mut().zip(parts) {
        seed.write(Seed::from(part));
        used += 1;
    }
    // SAFETY: the first `used` were written in the loop above.
    let seeds = unsafe { core::slice::from_raw_parts(seeds.as_ptr().cast::<Seed>(), used) };

    let mut metas = [const { MaybeUninit::<InstructionAccount>::uninit() }; MAX_ACCOUNTS];
    for (meta, account) in metas.iter_mut().zip(passed) {
        let signs = account.is_signer() || account.address() == vault.address();
        meta.write(InstructionAccount::new(account.address(), account.is_writable(), signs));
    }
    // SAFETY: as many were written in the loop above; there are no more than MAX_ACCOUNTS of them.
    let metas = unsafe { core::slice::from_raw_parts(metas.as_ptr().cast::<InstructionAccount>(), passed.len()) };
    let instruction = InstructionView { program_id: program.address(), accounts: metas, data: inner };
    invoke_signed_with_bounds::<MAX_ACCOUNTS, _>(&instruction, passed, &[Signer::from(seeds)])
}
