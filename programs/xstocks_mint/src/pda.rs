//! Program derived addresses: their seeds, and finding them.

use crate::error::{Error, Result};
use pinocchio::{cpi::Seed, Address};

/// First seed of the Config, which has no other.
pub const CONFIG_SEED: &[u8] = b"config";
/// First seed of every Custodian; its number follows.
pub const CUSTODIAN_SEED: &[u8] = b"custodian";
/// First seed of every Asset; its mint follows.
pub const ASSET_SEED: &[u8] = b"asset";
/// First seed of every redemption vault's owner; the mint follows.
pub const REDEEM_SEED: &[u8] = b"redeem";
/// First seed of every Adoption; the mint follows.
pub const ADOPTION_SEED: &[u8] = b"adoption";
/// First seed of every Proposal; its hash follows.
pub const PROPOSAL_SEED: &[u8] = b"proposal";
/// First seed of every Participant; its wallet follows.
pub const PARTICIPANT_SEED: &[u8] = b"participant";
/// First seed of every Redemption; mint and id follow.
pub const REDEMPTION_SEED: &[u8] = b"redemption";
/// First seed of every Recovery; the token account that the tokens leave, or the Redemption, follows.
pub const RECOVERY_SEED: &[u8] = b"recovery";

/// The seeds an Asset signs with.
#[inline(always)]
pub fn asset_seeds<'a>(mint: &'a Address, bump: &'a [u8; 1]) -> [Seed<'a>; 3] {
    [Seed::from(ASSET_SEED), Seed::from(mint.as_array()), Seed::from(bump)]
}

/// The seeds the owner of a redemption vault signs with.
#[inline(always)]
pub fn redeem_seeds<'a>(mint: &'a Address, bump: &'a [u8; 1]) -> [Seed<'a>; 3] {
    [Seed::from(REDEEM_SEED), Seed::from(mint.as_array()), Seed::from(bump)]
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
