//! What register_asset and finish_adopt share: a mint becomes an asset with its vaults.

use crate::{
    account::{create, data},
    address::address_eq,
    cpi::{create_associated, NewAssociated},
    error::{Error, Result},
    ids,
    pda::{find_address, ASSET_SEED, REDEEM_SEED},
    state::{freeze_limits, Asset, Authorities, Bucket, Policy, State, ASSET_ACTIVE, ASSET_HALTED},
    sysvar::Now,
    token_2022::{
        cpi,
        mint_profile::{verify, Expected, Found},
        profile::has_freeze,
        reading,
    },
};
use pinocchio::{cpi::Seed, AccountView, Address};

/// The accounts of registering or adopting a mint.
pub struct MintRegistration<'a> {
    pub program_id: &'a Address,
    pub payer: &'a AccountView,
    pub asset: &'a AccountView,
    pub mint: &'a AccountView,
    pub vault: &'a AccountView,
    pub redemption_authority: &'a AccountView,
    pub redemption_vault: &'a AccountView,
    pub token_program: &'a AccountView,
    pub system_program: &'a AccountView,
}

/// What the admin says of the new asset.
pub struct Terms {
    pub profile: u8,
    pub policy: Policy,
    pub initial_mint_raw: u64,
    /// A live mint is adopted: with its supply, and halted until a quorum attested it.
    pub adopted: bool,
}

/// From the accounts of an instruction that takes a mint.
macro_rules! mint_registration {
    ($context:ident, $accounts:ident) => {
        $crate::instructions::shared::mint_registration::MintRegistration {
            program_id: $context.program_id,
            payer: $accounts.admin,
            asset: $accounts.asset,
            mint: $accounts.mint,
            vault: $accounts.vault,
            redemption_authority: $accounts.redemption_authority,
            redemption_vault: $accounts.redemption_vault,
            token_program: $accounts.token_program,
            system_program: $accounts.system_program,
        }
    };
}
pub(crate) use mint_registration;

impl MintRegistration<'_> {
    /// Creates the asset of a mint that is what it must be.
    ///
    /// # Errors
    /// MintOwnerInvalid, ConstraintSeeds, VaultInvalid, PolicyInvalid, InitialMintTooLarge, AlreadyInitialized, and
    /// those of `verify` and `Authorities::check`.
    #[inline(never)]
    pub fn create_asset(&self, terms: &Terms) -> Result {
        // 1. Accounts.
        let mint = self.mint;
        if !address_eq(mint.owner(), &ids::TOKEN_2022) {
            return Err(Error::MintOwnerInvalid);
        }
        let seeds: [&[u8]; 2] = [REDEEM_SEED, mint.address().as_array()];
        if !address_eq(&find_address(&seeds, self.program_id)?.0, self.redemption_authority.address()) {
            return Err(Error::ConstraintSeeds);
        }
        for [vault, owner] in self.vaults() {
            check_associated(vault, owner, mint)?;
        }

        // 2. Terms.
        terms.policy.check()?;
        if terms.initial_mint_raw > terms.policy.supply_limit_raw {
            return Err(Error::InitialMintTooLarge);
        }

        // 3. The asset: creating it proves its address, which the mint's authorities are compared with.
        let now = Now::read()?;
        let seeds: [&[u8]; 2] = [ASSET_SEED, mint.address().as_array()];
        // SAFETY: the account is made here, so no older reference to its data can be; no other is made while this one
        // lives.
        let asset = unsafe { create::<Asset>(self.program_id, self.payer, self.asset, &seeds) }?;

        // 4. The mint.
        let expected = Expected { profile: terms.profile, mint: mint.address(), now_ts: now.ts, in_use: terms.adopted };
        let (mut found, mut holders) = (Found::default(), Authorities::NONE);
        // SAFETY: nothing writes to the mint while it is read here.
        let bytes = unsafe { data(mint) };
        verify(bytes, &expected, &mut found)?;
        Authorities::read(bytes, &mut holders)?;
        holders.check(terms.profile, self.asset.address())?;

        // 5. Effects.
        asset.decimals = found.decimals;
        asset.profile = terms.profile;
        asset.state = if terms.adopted { ASSET_HALTED } else { ASSET_ACTIVE };
        asset.mint = *mint.address();
        asset.vault = *self.vault.address();
        asset.redemption_vault = *self.redemption_vault.address();
        asset.multiplier_bits = found.multiplier_bits;
        asset.multiplier_changed_ts = found.multiplier_changed_ts;
        asset.scaled_ui_offset = found.scaled_ui_offset;
        asset.policy = terms.policy;
        asset.mint_bucket = Bucket { level_raw: 0, updated_ts: now.ts };
        asset.distribute_bucket = Bucket { level_raw: 0, updated_ts: now.ts };
        asset.burn_bucket = Bucket { level_raw: 0, updated_ts: now.ts };
        let (a_day, _) = freeze_limits(terms.policy.freezes_per_day);
        asset.freeze_bucket = Bucket { level_raw: a_day, updated_ts: now.ts };
        asset.initial_mint_raw = terms.initial_mint_raw;
        asset.adopted_raw = found.supply_raw;
        asset.invariant()
    }

    /// Makes both vaults. One that somebody made before is taken as well, and thawed where it is frozen: all accounts
    /// of a permissioned mint are at first, and a live mint's freeze authority may have frozen one to be in the way.
    ///
    /// # Errors
    /// VaultInvalid.
    #[inline(never)]
    pub fn make_vaults(&self, profile: u8, seeds: &[Seed; 3]) -> Result {
        for [vault, owner] in self.vaults() {
            create_associated(&NewAssociated {
                payer: self.payer,
                associated: vault,
                owner,
                mint: self.mint,
                system_program: self.system_program,
                token_program: self.token_program,
            });
            if has_freeze(profile) && reading::is_frozen(vault) {
                cpi::thaw(vault, self.mint, self.asset, seeds);
            }
            match reading::owner_of_unfrozen(vault, self.mint.address()) {
                Some(holder) if address_eq(holder, owner.address()) => {}
                _ => return Err(Error::VaultInvalid),
            }
        }
        Ok(())
    }

    /// Both vaults with their owners.
    #[inline(always)]
    const fn vaults(&self) -> [[&AccountView; 2]; 2] {
        [[self.vault, self.asset], [self.redemption_vault, self.redemption_authority]]
    }
}

/// The vault must be the associated token account of its owner.
fn check_associated(vault: &AccountView, owner: &AccountView, mint: &AccountView) -> Result {
    let seeds: [&[u8]; 3] = [owner.address().as_array(), ids::TOKEN_2022.as_array(), mint.address().as_array()];
    if !address_eq(&find_address(&seeds, &ids::ASSOCIATED_TOKEN_PROGRAM)?.0, vault.address()) {
        return Err(Error::VaultInvalid);
    }
    Ok(())
}
