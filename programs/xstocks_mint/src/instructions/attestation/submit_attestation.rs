//! submit_attestation: what a custodian's quorum signed, for up to 24 assets. Anyone may relay it; never paused.

use crate::{
    account::{data, load, Writable},
    address::address_eq,
    args::StatementEntryArg,
    error::{Error, Result},
    events::{emit, skip, AssetActivated, AttestationAccepted, AttestationSkipped, AttestedEntry, EventList, HoldSet},
    instructions::attestation::{
        signatures::Signatures,
        statement::{read_statement, StatementAssets, MAX_STATEMENT_ENTRIES},
    },
    math::{falls_below, is_capacity, rises_above, saturating_add},
    state::{
        hold, Asset, Config, Custodian, Entry, State, ASSET_ACTIVE, ASSET_HALTED, CUSTODIAN_ACTIVE, ENTRY_ATTACHED,
    },
    sysvar::Now,
    table::{
        submit_attestation::{Accounts, Args},
        Context,
    },
};
use pinocchio::Address;

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let custodian = load::<Custodian>(context.program_id, accounts.custodian)?;
    if args.entries.is_empty() || args.entries.len() > MAX_STATEMENT_ENTRIES {
        return Err(Error::EntryCountInvalid);
    }
    // One account for each entry: what is checked per pair is checked for every account.
    if accounts.remaining.len() != args.entries.len() {
        return Err(Error::EntriesAccountsMismatch);
    }
    if custodian.state != CUSTODIAN_ACTIVE {
        return Err(Error::CustodianRetired);
    }

    // 2. Epoch and time (M3).
    if args.epoch != custodian.epoch {
        return Err(Error::WrongEpoch);
    }
    let now = Now::read()?;
    if now.ts >= args.expires_ts {
        return Err(Error::StatementExpired);
    }
    if args.observed_ms > now.observable_until_ms(config.max_skew_secs) {
        return Err(Error::ObservedInFuture);
    }

    // 3. Signatures and quorum (S1 to S11, Q1 to Q5).
    // SAFETY: the sysvar's address was checked by the table; nothing writes to it.
    let signatures = Signatures::read(unsafe { data(accounts.instructions_sysvar) })?;
    signatures.check_quorum(custodian, now)?;

    // 4. The digest is of this statement (Q6).
    let (digest, assets) = read_statement(context, accounts, args, config, now)?;
    if !signatures.signed(&digest) {
        return Err(Error::DigestMismatch);
    }

    // 5. Entry by entry.
    take_entries(&assets, accounts.custodian.address(), args, now)
}

/// The event of the taken entries.
type Accepted = EventList<AttestationAccepted, MAX_STATEMENT_ENTRIES>;

/// Stores what is newer, passes over what is not, and logs both.
#[inline(never)]
fn take_entries(assets: &StatementAssets, custodian: &Address, args: &Args, now: Now) -> Result {
    let mut accepted = Accepted::new(AttestationAccepted {
        custodian: *custodian,
        observed_ms: args.observed_ms,
        expires_ts: args.expires_ts,
    });
    let common = Common { custodian, args, now };
    for (asset, attested) in assets.each().zip(args.entries) {
        take_entry(&common, asset, attested, &mut accepted)?;
    }
    if accepted.is_empty() {
        return Err(Error::StatementNotNewer);
    }
    accepted.emit();
    Ok(())
}

/// What all entries of a statement share.
struct Common<'r, 'a> {
    custodian: &'r Address,
    args: &'r Args<'a>,
    now: Now,
}

/// One entry, which is taken or passed over.
#[inline(never)] // on its own it keeps more in registers
fn take_entry(
    common: &Common,
    asset: Writable<Asset>,
    attested: &StatementEntryArg,
    accepted: &mut Accepted,
) -> Result {
    let Common { custodian, args, now } = *common;
    // SAFETY: the only reference to this account's data in this function, and it ends with it. (`custodian` is the
    // address of an account, and no part of its data.)
    let asset = unsafe { asset.get_mut() };
    if asset.change_announced() {
        asset.activate_pending_multiplier(now);
    }
    // An empty slot has no custodian's address.
    let slot = asset.entries.iter().position(|entry| address_eq(&entry.custodian, custodian));
    let before = match slot.and_then(|slot| asset.entries.get(slot)) {
        Some(entry) if entry.state == ENTRY_ATTACHED => entry,
        _ => return pass_over(asset, custodian, skip::DETACHED),
    };
    // Strictly newer, over all epochs (M3).
    if args.observed_ms <= before.observed_ms {
        return pass_over(asset, custodian, skip::NOT_NEWER);
    }
    let (capacity_raw, redeemed_seen_raw) = (attested.capacity_raw, attested.redeemed_seen_raw);
    let multiplier_bits = asset.multiplier_bits;
    // Of the same shares and multiplier the same capacity was computed before.
    let same_multiplier = before.multiplier_bits == multiplier_bits;
    // What states the multiplier in force was observed after the change that brought it, and so is all that is newer.
    // `observed_ms` is of a clock, so that the product fits.
    if !same_multiplier && args.observed_ms < asset.multiplier_changed_ts.unsigned_abs().wrapping_mul(1_000) {
        return pass_over(asset, custodian, skip::BEFORE_CHANGE);
    }
    let renewed = same_multiplier && before.shares_nano == attested.shares_nano && before.capacity_raw == capacity_raw;
    if !renewed && !is_capacity(attested.shares_nano, multiplier_bits, asset.decimals, capacity_raw) {
        return Err(Error::CapacityMismatch);
    }
    // M6
    if redeemed_seen_raw > before.redeemed_total_raw {
        return Err(Error::SeenAboveTotal);
    }
    // M9. The same again, or less of it, is nothing to look at; what is beyond the bounds is stored all the same.
    let harmless = before.withdrawn == 0
        && same_multiplier
        && before.redeemed_seen_raw == redeemed_seen_raw
        && capacity_raw <= before.capacity_raw
        && before.capacity_raw != 0;
    let hold = if harmless { 0 } else { required_hold(asset, before, attested, now) };
    let confirms = !same_multiplier && hold == 0 && is_predecessor(before, attested);

    let entry = slot.and_then(|slot| asset.entries.get_mut(slot)).ok_or(Error::NotAttached)?;
    entry.epoch = args.epoch;
    entry.withdrawn = 0;
    entry.observed_ms = args.observed_ms;
    entry.expires_ts = args.expires_ts;
    entry.shares_nano = attested.shares_nano;
    entry.capacity_raw = capacity_raw;
    entry.redeemed_seen_raw = redeemed_seen_raw;
    entry.multiplier_bits = multiplier_bits;
    if !same_multiplier {
        entry.confirmed = u8::from(confirms);
    }
    accepted.place().ok_or(Error::EntryCountInvalid)?.write(AttestedEntry {
        mint: asset.mint,
        shares_nano: attested.shares_nano,
        capacity_raw,
        redeemed_seen_raw,
    });
    if hold != 0 {
        hold_minting(asset, custodian, hold);
    }
    if asset.state == ASSET_HALTED {
        activate(asset, custodian);
    }
    asset.invariant()
}

#[cold]
#[inline(never)]
fn pass_over(asset: &Asset, custodian: &Address, reason: u8) -> Result {
    emit(AttestationSkipped { mint: asset.mint, custodian: *custodian, reason });
    // A multiplier whose time has come is activated although the entry is not taken.
    asset.invariant()
}

/// The hold that taking what is `attested` in the place of `before` sets, or 0 (M9).
///
/// Compared with the old capacity less what is newly seen, so that counting a redemption is no change and past
/// redemptions do not dilute the bounds. Around a change of the multiplier its tolerance bounds every rise, until the entry
/// has confirmed the change; and an entry without a predecessor is not taken on trust.
#[inline(never)]
fn required_hold(asset: &Asset, before: &Entry, attested: &StatementEntryArg, now: Now) -> u8 {
    let (policy, capacity_raw) = (&asset.policy, attested.capacity_raw);
    let old_raw = compared_raw(before, attested);
    if before.withdrawn != 0 || old_raw == 0 {
        return if asset.around_change(now, false) { hold::CA_WINDOW } else { 0 };
    }
    if before.multiplier_bits != asset.multiplier_bits {
        let tolerance_bps = policy.ca_tolerance_bps;
        let within =
            !rises_above(old_raw, capacity_raw, tolerance_bps) && !falls_below(old_raw, capacity_raw, tolerance_bps);
        return if within { 0 } else { hold::MULTIPLIER };
    }
    let around_change = asset.around_change(now, before.confirmed != 0);
    let rise_bps = if around_change { policy.max_rise_bps.min(policy.ca_tolerance_bps) } else { policy.max_rise_bps };
    if rises_above(old_raw, capacity_raw, rise_bps) {
        hold::RISE
    } else {
        0
    }
}

/// The old capacity less what is newly seen.
#[inline(always)]
const fn compared_raw(before: &Entry, attested: &StatementEntryArg) -> u64 {
    saturating_add(before.capacity_raw, before.redeemed_seen_raw).saturating_sub(attested.redeemed_seen_raw)
}

/// Whether `before` states something, at the multiplier before the last change: what follows it within the tolerance
/// confirms that change. (That of an older one is forgotten when a change is announced.)
#[cold]
#[inline(never)]
const fn is_predecessor(before: &Entry, attested: &StatementEntryArg) -> bool {
    before.withdrawn == 0 && before.multiplier_bits != 0 && compared_raw(before, attested) != 0
}

#[cold]
#[inline(never)]
fn hold_minting(asset: &mut Asset, custodian: &Address, hold: u8) {
    asset.holds |= hold;
    // One a statement: 2^64 of them do not come.
    asset.hold_number = asset.hold_number.wrapping_add(1);
    let (mint, holds, hold_number) = (asset.mint, asset.holds, asset.hold_number);
    emit(HoldSet { mint, custodian: *custodian, hold, holds, hold_number });
}

/// The first statement of an adopted asset: from now on its ceiling is known.
#[cold]
#[inline(never)]
fn activate(asset: &mut Asset, custodian: &Address) {
    asset.state = ASSET_ACTIVE;
    emit(AssetActivated { mint: asset.mint, custodian: *custodian });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_may_change_without_a_hold() {
        const NOW: Now = Now { ts: 1_000_000 };
        let (one, two) = (1f64.to_bits(), 2f64.to_bits());
        // SAFETY: a Layout type takes zeros.
        let (mut asset, mut before): (Asset, Entry) = unsafe { core::mem::zeroed() };
        (asset.policy.max_rise_bps, asset.policy.ca_tolerance_bps, asset.policy.ca_window_secs) = (5_000, 10, 100);
        asset.multiplier_bits = one;
        (before.capacity_raw, before.multiplier_bits) = (10_000, one);
        let around = Asset { multiplier_changed_ts: NOW.ts - 1, ..asset };
        let other = Asset { multiplier_bits: two, ..asset };
        let cancelled = Asset { change_cancelled_ts: NOW.ts - 1, ..asset };
        let confirmed = Entry { confirmed: 1, ..before };
        let withdrawn = Entry { withdrawn: 1, ..before };
        let nothing = Entry { capacity_raw: 0, ..before };
        let attested =
            |capacity_raw, redeemed_seen_raw| StatementEntryArg { shares_nano: 0, capacity_raw, redeemed_seen_raw };
        let cases = [
            (&asset, &before, attested(15_000, 0), 0),
            (&asset, &before, attested(15_001, 0), hold::RISE),
            (&asset, &before, attested(0, 0), 0),
            // 5,000 newly seen: 5,000 stay, and half as much more.
            (&asset, &before, attested(7_500, 5_000), 0),
            (&asset, &before, attested(7_501, 5_000), hold::RISE),
            // Around a change of the multiplier its tolerance bounds a rise.
            (&around, &before, attested(10_010, 0), 0),
            (&around, &before, attested(10_011, 0), hold::RISE),
            (&around, &before, attested(0, 0), 0),
            // Until it has confirmed the change; a cancelled one is not confirmed.
            (&around, &confirmed, attested(15_000, 0), 0),
            (&around, &confirmed, attested(15_001, 0), hold::RISE),
            (&cancelled, &confirmed, attested(10_011, 0), hold::RISE),
            (&around, &confirmed, attested(10_000, 10_000), hold::CA_WINDOW),
            // With another multiplier both ways.
            (&other, &before, attested(10_010, 0), 0),
            (&other, &before, attested(9_990, 0), 0),
            (&other, &before, attested(10_011, 0), hold::MULTIPLIER),
            (&other, &before, attested(9_989, 0), hold::MULTIPLIER),
            // Without a predecessor nothing bounds it: taken on trust, but not around a change.
            (&asset, &withdrawn, attested(u64::MAX, 0), 0),
            (&asset, &nothing, attested(u64::MAX, 0), 0),
            (&around, &withdrawn, attested(0, 0), hold::CA_WINDOW),
            (&around, &nothing, attested(1, 0), hold::CA_WINDOW),
            (&around, &before, attested(10_000, 10_000), hold::CA_WINDOW),
        ];
        for (i, (asset, before, attested, expected)) in cases.into_iter().enumerate() {
            assert_eq!(required_hold(asset, before, &attested, NOW), expected, "case {i}");
        }
    }
}
