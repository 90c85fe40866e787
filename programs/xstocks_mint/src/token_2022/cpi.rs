//! Calls into Token-2022, each as small as it can be.
//!
//! A failed call ends the transaction in the runtime; none of these returns an error.

use core::mem::MaybeUninit;

use pinocchio::{
    cpi::{invoke_signed_unchecked, CpiAccount, Seed, Signer},
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address,
};

use crate::{
    cpi::{call, joined, read, sign, write, Pass},
    hash::discriminator,
    ids,
    pda::asset_seeds,
};

/// Asset, mint and vault of one mint or burn.
pub type Target = [AccountView; 3];

/// TokenInstruction::TransferChecked, MintToChecked and BurnChecked.
const TRANSFER: u8 = 12;
const MINT: u8 = 14;
const BURN: u8 = 15;

/// Instruction number, amount and decimals, as the three checked instructions of Token-2022 take them.
#[inline(always)]
fn checked(number: u8, amount_raw: u64, decimals: u8) -> [u8; 10] {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = amount_raw.to_le_bytes();
    [number, a0, a1, a2, a3, a4, a5, a6, a7, decimals]
}

/// What changes a supply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    /// Token-2022 MintToChecked.
    Mint,
    /// Token-2022 BurnChecked.
    Burn,
}

/// A call that changes a supply, by the asset, to be made.
pub struct SupplyCall<'a> {
    pub kind: Supply,
    pub target: &'a Target,
    pub amount_raw: u64,
    /// The asset's.
    pub decimals: u8,
    /// The asset's.
    pub bump: u8,
}

impl<'a> SupplyCall<'a> {
    #[inline(always)]
    fn passed(&self) -> [Pass<'a>; 3] {
        let [asset, mint, vault] = self.target;
        match self.kind {
            Supply::Mint => [write(mint), write(vault), sign(asset)],
            Supply::Burn => [write(vault), write(mint), sign(asset)],
        }
    }

    #[inline(always)]
    fn data(&self) -> [u8; 10] {
        checked(if self.kind == Supply::Mint { MINT } else { BURN }, self.amount_raw, self.decimals)
    }

    #[inline(always)]
    fn mint(&self) -> &'a Address {
        let [_, mint, _] = self.target;
        mint.address()
    }

    /// Makes it, by itself.
    #[inline(always)]
    pub fn make(&self) {
        let bump = [self.bump];
        call(&ids::TOKEN_2022, self.passed(), &self.data(), &asset_seeds(self.mint(), &bump));
    }
}

/// Most calls of one `supply_calls`: each has a signer of its own, a call takes 16, and 18 entries are two times nine.
pub const MAX_SUPPLY_CALLS: usize = 9;

/// Makes the calls, in their order, in one Batch of Token-2022 (since version 11), which saves the cost of a call for
/// each but the first. More than MAX_SUPPLY_CALLS are not looked at.
#[inline(always)]
pub fn supply_calls<'a, 'b: 'a>(calls: impl Iterator<Item = &'a SupplyCall<'b>>) {
    /// TokenInstruction::Batch: then per instruction its number of accounts, its length, its data.
    const BATCH: u8 = 255;
    const N: usize = MAX_SUPPLY_CALLS;
    let mut data = [BATCH; 1 + 12 * N];
    let mut metas = [const { MaybeUninit::<InstructionAccount>::uninit() }; 3 * N];
    let mut infos = [const { MaybeUninit::<CpiAccount>::uninit() }; 3 * N];
    let mut bumps = [[0u8; 1]; N];
    let mut seeds = [const { MaybeUninit::<[Seed; 3]>::uninit() }; N];
    let mut signers = [const { MaybeUninit::<Signer>::uninit() }; N];
    let mut made = 0;
    let places = data[1..].chunks_exact_mut(12).zip(metas.chunks_exact_mut(3)).zip(infos.chunks_exact_mut(3));
    let signing = bumps.iter_mut().zip(&mut seeds).zip(&mut signers);
    for ((one, ((data, metas), infos)), ((bump, seeds), signer)) in calls.zip(places).zip(signing) {
        if let [accounts, length, rest @ ..] = data {
            (*accounts, *length) = (3, 10);
            rest.copy_from_slice(&one.data());
        }
        for ((pass, meta), info) in one.passed().iter().zip(metas).zip(infos) {
            meta.write(InstructionAccount::new(pass.account.address(), pass.writable, pass.signer));
            CpiAccount::init_from_account_view(pass.account, info);
        }
        *bump = [one.bump];
        signer.write(Signer::from(seeds.write(asset_seeds(one.mint(), bump)).as_slice()));
        made += 1;
    }
    // SAFETY: the first `made` (times three, or times twelve and one) of each were written above; of the passed accounts'
    // data no reference is used across the call, as `cpi::call` explains.
    unsafe {
        let metas = core::slice::from_raw_parts(metas.as_ptr().cast(), 3 * made);
        let data = core::slice::from_raw_parts(data.as_ptr(), 1 + 12 * made);
        invoke_signed_unchecked(
            &InstructionView { program_id: &ids::TOKEN_2022, accounts: metas, data },
            core::slice::from_raw_parts(infos.as_ptr().cast(), 3 * made),
            core::slice::from_raw_parts(signers.as_ptr().cast(), made),
        );
    }
}

/// Token-2022 BurnChecked; `owner` is that of `from`.
#[inline(always)]
pub fn burn(
    from: &AccountView,
    mint: &AccountView,
    owner: &AccountView,
    amount_raw: u64,
    decimals: u8,
    seeds: &[Seed],
) {
    call(&ids::TOKEN_2022, [write(from), write(mint), sign(owner)], &checked(BURN, amount_raw, decimals), seeds);
}

/// Token-2022 TransferChecked; `owner` is that of `from`. No seeds: it signed the transaction.
#[inline(always)]
pub fn transfer(
    from: &AccountView,
    mint: &AccountView,
    to: &AccountView,
    owner: &AccountView,
    amount_raw: u64,
    decimals: u8,
    seeds: &[Seed],
) {
    let data = checked(TRANSFER, amount_raw, decimals);
    call(&ids::TOKEN_2022, [write(from), read(mint), write(to), sign(owner)], &data, seeds);
}

/// Token-2022 Pausable: pause (1) or resume (2).
#[inline(never)]
pub fn set_transfers_paused(mint: &AccountView, asset: &AccountView, paused: bool, seeds: &[Seed]) {
    /// TokenInstruction::PausableExtension
    const PAUSABLE: u8 = 44;
    let data = [PAUSABLE, if paused { 1 } else { 2 }];
    call(&ids::TOKEN_2022, [write(mint), sign(asset)], &data, seeds);
}

/// Token-2022 ScaledUiAmount: update the multiplier, from `effective_ts` on.
#[inline(never)]
pub fn update_multiplier(mint: &AccountView, asset: &AccountView, bits: u64, effective_ts: i64, seeds: &[Seed]) {
    /// TokenInstruction::ScaledUiAmountExtension, ScaledUiAmountMintInstruction::UpdateMultiplier
    const UPDATE: [u8; 2] = [43, 1];
    let mut data = [0; 18];
    let parts = UPDATE.into_iter().chain(bits.to_le_bytes()).chain(effective_ts.to_le_bytes());
    for (to, from) in data.iter_mut().zip(parts) {
        *to = from;
    }
    call(&ids::TOKEN_2022, [write(mint), sign(asset)], &data, seeds);
}

/// Token-2022 FreezeAccount.
#[inline(never)]
pub fn freeze(account: &AccountView, mint: &AccountView, asset: &AccountView, seeds: &[Seed]) {
    call(&ids::TOKEN_2022, [write(account), read(mint), sign(asset)], &[10], seeds);
}

/// Token-2022 ThawAccount.
#[inline(never)]
pub fn thaw(account: &AccountView, mint: &AccountView, asset: &AccountView, seeds: &[Seed]) {
    call(&ids::TOKEN_2022, [write(account), read(mint), sign(asset)], &[11], seeds);
}

/// Token-2022 SetAuthority: from the asset to `holder`; `authority` is the number of the AuthorityType.
#[inline(never)]
pub fn set_authority(mint: &AccountView, asset: &AccountView, authority: u8, holder: &Address, seeds: &[Seed]) {
    // SetAuthority, which, Some(holder)
    let data: [u8; 35] = joined(&[6, authority, 1], holder.as_array());
    call(&ids::TOKEN_2022, [write(mint), sign(asset)], &data, seeds);
}

/// Token metadata interface: the update authority goes from the asset to `holder`.
#[inline(never)]
pub fn metadata_set_authority(mint: &AccountView, asset: &AccountView, holder: &Address, seeds: &[Seed]) {
    const UPDATE_AUTHORITY: [u8; 8] = discriminator("spl_token_metadata_interface", "update_the_authority");
    let data: [u8; 40] = joined(&UPDATE_AUTHORITY, holder.as_array());
    call(&ids::TOKEN_2022, [write(mint), sign(asset)], &data, seeds);
}

/// Token metadata interface: initialize or update a field; `data` is the whole instruction.
#[inline(never)]
pub fn metadata_initialize(mint: &AccountView, asset: &AccountView, data: &[u8], seeds: &[Seed; 3]) {
    // metadata, update authority, mint, mint authority
    call(&ids::TOKEN_2022, [write(mint), read(asset), read(mint), sign(asset)], data, seeds);
}

/// Token metadata interface: update a field; `data` is the whole instruction.
#[inline(never)]
pub fn metadata_update(mint: &AccountView, asset: &AccountView, data: &[u8], seeds: &[Seed; 3]) {
    call(&ids::TOKEN_2022, [write(mint), sign(asset)], data, seeds);
}
