//! thaw: a frozen token account is usable again, in the permissioned profile only one that is a participant's and stays
//! it. Not while a recovery from it is announced.

use crate::{
    account::{find_address, load, same, Now},
    cpi,
    error::{Error, Result},
    events::{emit, Thawed},
    state::{Asset, Config, Participant, Recovery, PROFILE_PERMISSIONED, RECOVERY_ANNOUNCED},
    table::{
        thaw::{Accounts, Args},
        Context,
    },
    token,
};

use super::{announce_recovery::RECOVERY_SEED, holders_account, require_compliance, require_freezable};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and duty.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    require_compliance(config, accounts.compliance)?;
    require_freezable(asset, accounts.mint)?;
    let owner = *holders_account(asset, accounts.account)?;
    if !token::is_frozen(accounts.account) {
        return Err(Error::AccountNotFrozen);
    }

    // 2. No recovery is announced. Where there never was one, there is no account.
    let seeds: [&[u8]; 2] = [RECOVERY_SEED, accounts.account.address().as_array()];
    if !same(&find_address(&seeds, context.program_id)?.0, accounts.recovery.address()) {
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
        if !same(&participant.wallet, &owner) {
            return Err(Error::OwnerMismatch);
        }
        participant.require_active(Now::read()?)?;
        // Else the participant could give the account away, tokens and all, to anybody.
        if !token::has_immutable_owner(accounts.account) {
            return Err(Error::OwnerNotImmutable);
        }
    }

    // 4. The call; it is thawed.
    let bump = [asset.bump];
    cpi::thaw(accounts.account, accounts.mint, accounts.asset, &cpi::asset_seeds(&asset.mint, &bump));
    if token::is_frozen(accounts.account) {
        return Err(Error::AccountFrozen);
    }
    emit(Thawed { mint: asset.mint, account: *accounts.account.address(), owner });
    Ok(())
}
