//! accept_redemption: a custodian's word that it delivers the shares of a redemption, given before anything is burnt.

use crate::{
    account::{load, load_mut},
    address::address_eq,
    error::{Error, Result},
    events::{emit, RedemptionAccepted},
    instructions::shared::pause::require_running,
    state::{scope, Asset, Config, Custodian, Redemption, CUSTODIAN_ACTIVE, ENTRY_ATTACHED, OWN_PARTY},
    sysvar::Now,
    table::{
        accept_redemption::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let custodian = load::<Custodian>(context.program_id, accounts.custodian)?;
    let asset = load::<Asset>(context.program_id, accounts.asset)?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: the others are accounts of other
    // types.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    if !address_eq(&redemption.mint, &asset.mint) {
        return Err(Error::RedemptionMismatch);
    }

    // 2. A present key of the custodian itself, and no pause: its wallet is not locked where nothing can be settled.
    let now = Now::read()?;
    let attester = accounts.attester.address();
    let key = custodian.key(attester).filter(|key| key.party == OWN_PARTY).ok_or(Error::NotOwnParty)?;
    if now.ts >= key.expires_ts {
        return Err(Error::SignerExpired);
    }
    require_running(config, asset, scope::REDEEM)?;

    // 3. A custodian of the asset.
    if custodian.state != CUSTODIAN_ACTIVE {
        return Err(Error::CustodianRetired);
    }
    let custodian_address = accounts.custodian.address();
    let slot = asset.slot_of(custodian_address).ok_or(Error::NotAttached)?;
    if asset.entries.get(slot).is_none_or(|entry| entry.state != ENTRY_ATTACHED) {
        return Err(Error::NotAttached);
    }

    // 4. Once. (The clock is below 2^40, the time at most 30 days.)
    let locked_until_ts = now.ts.wrapping_add(i64::from(asset.policy.redemption_lock_secs));
    redemption.accept(custodian_address, custodian.epoch, locked_until_ts)?;
    emit(RedemptionAccepted {
        mint: asset.mint,
        redemption: *accounts.redemption.address(),
        id: redemption.id,
        wallet: redemption.wallet,
        custodian: *custodian_address,
        attester: *attester,
        amount_raw: redemption.amount_raw,
        locked_until_ts: redemption.locked_until_ts,
    });
    Ok(())
}
