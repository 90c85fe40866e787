//! cancel_redemption: the wallet that requested takes its tokens back. In every state of the asset, in no pause of ours,
//! and when its permission has ended: nobody's tokens are kept, save by a hold of compliance and, once a custodian has
//! accepted to deliver, for the time that the policy gives it.

use crate::{
    account::load_mut,
    address::address_eq,
    error::{Error, Result},
    events::{emit, RedemptionCancelled},
    instructions::shared::redemption::{refund, Refund, Vault},
    state::{Asset, Redemption, REDEMPTION_CANCELLED},
    sysvar::Now,
    table::{
        cancel_redemption::{Accounts, Args},
        Context,
    },
};

pub fn run(context: &Context, accounts: &Accounts, _: &Args) -> Result {
    // 1. Accounts and role.
    // SAFETY: no other reference to the asset's data is made in this instruction: `redemption` is an account of another
    // type.
    let asset = unsafe { load_mut::<Asset>(context.program_id, accounts.asset) }?;
    // SAFETY: no other reference to the redemption's data is made in this instruction: `asset` is an account of another
    // type.
    let redemption = unsafe { load_mut::<Redemption>(context.program_id, accounts.redemption) }?;
    if !address_eq(&redemption.wallet, accounts.wallet.address()) {
        return Err(Error::NotRedeemer);
    }
    redemption.require_unlocked(Now::read()?.ts)?;

    // 2. The tokens.
    let mut given = Refund {
        program_id: context.program_id,
        asset,
        vault: Vault {
            mint: accounts.mint,
            authority: accounts.redemption_authority,
            vault: accounts.redemption_vault,
        },
        destination: accounts.destination,
        participant: accounts.participant,
    };
    refund(&mut given, redemption, REDEMPTION_CANCELLED)?;
    emit(RedemptionCancelled {
        mint: redemption.mint,
        redemption: *accounts.redemption.address(),
        id: redemption.id,
        wallet: redemption.wallet,
        destination: *accounts.destination.address(),
        amount_raw: redemption.amount_raw,
    });
    Ok(())
}
