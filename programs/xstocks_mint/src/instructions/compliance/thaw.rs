//! thaw: a frozen token account is usable again, in the permissioned profile only one that is a participant's and stays
//! it. Not while a recovery from it is announced. By compliance, or by admin and resumer together: what a stolen compliance
//! key froze does not wait for the timelock (M7).

use crate::{
    account::load,
    address::address_eq,
    error::{Error, Result},
    events::{emit, Thawed},
    instructions::shared::{
        holder_account::{owner_of_holder_account, require_freezable},
        roles::require_compliance_or_both,
    },
    pda::{asset_seeds, find_address, RECOVERY_SEED},
    state::{Asset, Config, Participant, Recovery, PROFILE_PERMISSIONED, RECOVERY_ANNOUNCED},
    sysvar::Now,
    table::{
        thaw::{Accounts, Args},
        Context,
    },
    token_2022::{cpi, reading},
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and role.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    require_compliance_or_both(config, accounts.authority, accounts.resumer)?;
    require_freezable(asset, accounts.mint)?;
    let owner = *owner_of_holder_account(asset, accounts.account)?;
    if !reading::is_frozen(accounts.account) {
        return Err(Error::AccountNotFrozen);
    }

    // 2. No recovery is announced. Where there never was one, there is no account.
    let seeds: [&[u8]; 2] = [RECOVERY_SEED, accounts.account.address().as_array()];
    if !address_eq(&find_address(&seeds, context.program_id)?.0, accounts.recovery.address()) {
        return Err(Error::ConstraintSeeds);
    }
    if accounts.recovery.owned_by(context.program_id)
        && load::<Recovery>(context.program_id, accounts.recovery)?.state == RECOVERY_ANNOUNCED
    {
        return Err(Error::RecoveryOpen);
    }

    // 3. Who may hold in this profile.
    if asset.profile == PROFILE_PERMISSIONED {
        let account = accounts.participant.ok_or(Error::ParticipantMissing)?;
        let participant = load::<Participant>(context.program_id, account)?;
        if !address_eq(&participant.wallet, &owner) {
            return Err(Error::OwnerMismatch);
        }
        participant.require_active(Now::read()?)?;
        // Else the participant could give the account away, tokens and all, to anybody.
        if !reading::has_immutable_owner(accounts.account) {
            return Err(Error::OwnerNotImmutable);
        }
    }

    // 4. The call; it is thawed.
    let bump = [asset.bump];
    cpi::thaw(accounts.account, accounts.mint, accounts.asset, &asset_seeds(&asset.mint, &bump));
    if reading::is_frozen(accounts.account) {
        return Err(Error::AccountFrozen);
    }
    emit(Thawed { mint: asset.mint, account: *accounts.account.address(), owner });
    Ok(())
}
