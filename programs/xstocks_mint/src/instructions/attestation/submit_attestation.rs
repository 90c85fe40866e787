//! submit_attestation: what a custodian's quorum signed, for up to 24 assets. Anyone may relay it; never paused.

use crate::{
    account::{ascending, data, load, same, validate, view, view_mut, Now},
    args::StatementEntryArg,
    error::{Error, Result},
    events::{emit, skip, AssetActivated, AttestationAccepted, AttestationSkipped, AttestedEntry, EventList, HoldSet},
    hash::sha256,
    math::{falls_below, is_capacity, rises_above, saturating_add},
    state::{
        hold, Asset, Config, Custodian, Entry, State, ASSET_ACTIVE, ASSET_HALTED, CUSTODIAN_ACTIVE, ENTRY_ATTACHED,
    },
    table::{
        submit_attestation::{Accounts, Args},
        Context,
    },
};
use core::mem::MaybeUninit;
use pinocchio::{AccountView, Address};

use super::signatures::Signatures;

/// Most assets of one statement; so many fit a v0 transaction with a lookup table.
const MAX_STATEMENT_ENTRIES: usize = 24;
const TAG: &[u8] = b"xstocks:statement:v1";

pub fn run(context: &Context, accounts: &Accounts, args: &Args) -> Result {
    // 1. Accounts.
    let config = load::<Config>(context.program_id, accounts.config)?;
    let custodian = load::<Custodian>(context.program_id, accounts.custodian)?;
    if args.entries.is_empty() || args.entries.len() > MAX_STATEMENT_ENTRIES {
        return Err(Error::EntryCountInvalid);
    }
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
    let digest = statement_digest(context, accounts, args, config, now)?;
    if !signatures.signed(&digest) {
        return Err(Error::DigestMismatch);
    }

    // 5. Entry by entry.
    take_entries(accounts, args, now)
}

/// Validates the assets and computes the digest that must have been signed: tag, genesis, program, custodian,
/// epoch, observed_ms, expires_ts, count, and per entry mint, multiplier (both from the Asset, so that who signed
/// another mint or multiplier signed another digest), shares, capacity, seen.
#[inline(always)]
fn statement_digest(
    context: &Context,
    accounts: &Accounts,
    args: &Args,
    config: &Config,
    now: Now,
) -> Result<[u8; 32]> {
    const FIXED: usize = 5;
    const PER_ENTRY: usize = 3;
    /// Borsh puts epoch, observed_ms, expires_ts and the count (u32, of which a statement takes the lowest byte) one
    /// behind the other as the digest has them, so they are hashed where they stand in the instruction data.
    const NUMBERS: core::ops::Range<usize> = 8..8 + 4 + 8 + 8 + 1;
    let numbers = context.data.get(NUMBERS).ok_or(Error::InstructionDidNotDeserialize)?;
    // Not initialized before use: that would cost as much as the hash.
    let mut parts = [const { MaybeUninit::<&[u8]>::uninit() }; FIXED + PER_ENTRY * MAX_STATEMENT_ENTRIES];
    let fixed: [&[u8]; FIXED] =
        [TAG, &config.genesis_hash, context.program_id.as_array(), accounts.custodian.address().as_array(), numbers];
    let (head, tail) = parts.split_at_mut(FIXED);
    for (part, value) in head.iter_mut().zip(fixed) {
        part.write(value);
    }

    let mut previous: Option<&Address> = None;
    let mut used = FIXED;
    for ((account, entry), slots) in accounts.remaining.iter().zip(args.entries).zip(tail.chunks_exact_mut(PER_ENTRY)) {
        validate::<Asset>(context.program_id, account)?;
        if !account.is_writable() {
            return Err(Error::ConstraintMut);
        }
        // SAFETY: just validated; the references into it end with this function, before anything is written.
        let asset = unsafe { view::<Asset>(account) };
        if previous.is_some_and(|previous| !ascending(previous, &asset.mint)) {
            return Err(Error::MintsNotAscending);
        }
        previous = Some(&asset.mint);
        if let [mint, multiplier, values] = slots {
            mint.write(asset.mint.as_array());
            multiplier.write(bytes(asset.multiplier_in_force(now)));
            values.write(bytes(entry));
        }
        used += PER_ENTRY;
    }
    // SAFETY: the first `used` parts were written above, at most all of them.
    Ok(sha256(unsafe { core::slice::from_raw_parts(parts.as_ptr().cast(), used) }))
}

/// The bytes of a number or packed struct, little endian as both targets are.
#[inline(always)]
fn bytes<T: crate::schema::Schema + Copy>(value: &T) -> &[u8] {
    // SAFETY: only called above, with a u64 and a packed struct of u64s: no padding.
    unsafe { core::slice::from_raw_parts((&raw const *value).cast(), core::mem::size_of::<T>()) }
}

/// The event of the taken entries.
type Accepted = EventList<AttestationAccepted, MAX_STATEMENT_ENTRIES>;

/// Stores what is newer, passes over what is not, and logs both.
#[inline(never)]
fn take_entries(accounts: &Accounts, args: &Args, now: Now) -> Result {
    let custodian = accounts.custodian.address();
    let mut accepted = Accepted::new(AttestationAccepted {
        custodian: *custodian,
        observed_ms: args.observed_ms,
        expires_ts: args.expires_ts,
    });
    let common = Common { custodian, args, now };
    for (account, said) in accounts.remaining.iter().zip(args.entries) {
        take_entry(&common, account, said, &mut accepted)?;
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
fn take_entry(common: &Common, account: &AccountView, said: &StatementEntryArg, accepted: &mut Accepted) -> Result {
    let Common { custodian, args, now } = *common;
    // SAFETY: validated and writable (statement_digest); ascending mints make each account come once only.
    let asset = unsafe { view_mut::<Asset>(account) };
    if asset.change_announced() {
        asset.bring_into_force(now);
    }
    // An empty slot has no custodian's address.
    let slot = asset.entries.iter().position(|entry| same(&entry.custodian, custodian));
    let before = match slot.and_then(|slot| asset.entries.get(slot)) {
        Some(entry) if entry.state == ENTRY_ATTACHED => entry,
        _ => return pass_over(&asset.mint, custodian, skip::DETACHED),
    };
    // Strictly newer, over all epochs (M3).
    if args.observed_ms <= before.observed_ms {
        return pass_over(&asset.mint, custodian, skip::NOT_NEWER);
    }
    let (capacity_raw, redeemed_seen_raw) = (said.capacity_raw, said.redeemed_seen_raw);
    let multiplier_bits = asset.multiplier_bits;
    // Of the same shares and multiplier the same capacity was computed before.
    let same_multiplier = before.multiplier_bits == multiplier_bits;
    let renewed = same_multiplier && before.shares_micro == said.shares_micro && before.capacity_raw == capacity_raw;
    if !renewed && !is_capacity(said.shares_micro, multiplier_bits, capacity_raw) {
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
    let hold = if harmless { 0 } else { hold_of(asset, before, said, now) };

    let entry = slot.and_then(|slot| asset.entries.get_mut(slot)).ok_or(Error::NotAttached)?;
    entry.epoch = args.epoch;
    entry.withdrawn = 0;
    entry.observed_ms = args.observed_ms;
    entry.expires_ts = args.expires_ts;
    entry.shares_micro = said.shares_micro;
    entry.capacity_raw = capacity_raw;
    entry.redeemed_seen_raw = redeemed_seen_raw;
    entry.multiplier_bits = multiplier_bits;
    accepted.place().ok_or(Error::EntryCountInvalid)?.write(AttestedEntry {
        mint: asset.mint,
        shares_micro: said.shares_micro,
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
fn pass_over(mint: &Address, custodian: &Address, reason: u8) -> Result {
    emit(AttestationSkipped { mint: *mint, custodian: *custodian, reason });
    Ok(())
}

/// The hold that taking what is `said` in the place of `before` sets, or 0 (M9).
///
/// Compared with the old capacity less what is newly seen, so that counting a redemption is no change and past
/// redemptions do not dilute the bounds. Around a change of the multiplier its tolerance bounds every rise, and an entry
/// without a predecessor is not taken on trust.
#[inline(never)]
fn hold_of(asset: &Asset, before: &Entry, said: &StatementEntryArg, now: Now) -> u8 {
    let (policy, capacity_raw) = (&asset.policy, said.capacity_raw);
    let around_change = asset.around_change(now);
    let old_raw = saturating_add(before.capacity_raw, before.redeemed_seen_raw).saturating_sub(said.redeemed_seen_raw);
    if before.withdrawn != 0 || old_raw == 0 {
        return if around_change { hold::CA_WINDOW } else { 0 };
    }
    if before.multiplier_bits != asset.multiplier_bits {
        let tolerance_bps = policy.ca_tolerance_bps;
        let within =
            !rises_above(old_raw, capacity_raw, tolerance_bps) && !falls_below(old_raw, capacity_raw, tolerance_bps);
        return if within { 0 } else { hold::MULTIPLIER };
    }
    let rise_bps = if around_change { policy.max_rise_bps.min(policy.ca_tolerance_bps) } else { policy.max_rise_bps };
    if rises_above(old_raw, capacity_raw, rise_bps) {
        hold::RISE
    } else {
        0
    }
}

#[cold]
#[inline(never)]
fn hold_minting(asset: &mut Asset, custodian: &Address, hold: u8) {
    asset.holds |= hold;
    emit(HoldSet { mint: asset.mint, custodian: *custodian, hold, holds: asset.holds });
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
        let withdrawn = Entry { withdrawn: 1, ..before };
        let nothing = Entry { capacity_raw: 0, ..before };
        let said =
            |capacity_raw, redeemed_seen_raw| StatementEntryArg { shares_micro: 0, capacity_raw, redeemed_seen_raw };
        let cases = [
            (&asset, &before, said(15_000, 0), 0),
            (&asset, &before, said(15_001, 0), hold::RISE),
            (&asset, &before, said(0, 0), 0),
            // 5,000 newly seen: 5,000 stay, and half as much more.
            (&asset, &before, said(7_500, 5_000), 0),
            (&asset, &before, said(7_501, 5_000), hold::RISE),
            // Around a change of the multiplier its tolerance bounds a rise.
            (&around, &before, said(10_010, 0), 0),
            (&around, &before, said(10_011, 0), hold::RISE),
            (&around, &before, said(0, 0), 0),
            // With another multiplier both ways.
            (&other, &before, said(10_010, 0), 0),
            (&other, &before, said(9_990, 0), 0),
            (&other, &before, said(10_011, 0), hold::MULTIPLIER),
            (&other, &before, said(9_989, 0), hold::MULTIPLIER),
            // Without a predecessor nothing bounds it: taken on trust, but not around a change.
            (&asset, &withdrawn, said(u64::MAX, 0), 0),
            (&asset, &nothing, said(u64::MAX, 0), 0),
            (&around, &withdrawn, said(0, 0), hold::CA_WINDOW),
            (&around, &nothing, said(1, 0), hold::CA_WINDOW),
            (&around, &before, said(10_000, 10_000), hold::CA_WINDOW),
        ];
        for (i, (asset, before, said, expected)) in cases.into_iter().enumerate() {
            assert_eq!(hold_of(asset, before, &said, NOW), expected, "case {i}");
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// The program's own part of the digest: what `statement_digest` lays out, from the vector's fields.
    #[test]
    fn digests_meet_the_golden_vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../../tests/vectors/statement.json")).unwrap();
        let key = |text: &str| *Address::from_str_const(text).as_array();
        let text = |value: &serde_json::Value| key(value.as_str().unwrap());
        for statement in vectors["statements"].as_array().unwrap() {
            let program_id = Address::new_from_array(text(&vectors["program_id"]));
            // Accounts as the runtime lays them out: header 88 bytes, then the data.
            let mut assets: Vec<Vec<u64>> = Vec::new();
            let mut said: Vec<StatementEntryArg> = Vec::new();
            for entry in statement["entries"].as_array().unwrap() {
                let number = |name: &str| entry[name].as_u64().unwrap();
                // SAFETY: a Layout type takes zeros.
                let mut asset: Asset = unsafe { core::mem::zeroed() };
                asset.version = 1;
                asset.mint = Address::new_from_array(text(&entry["mint"]));
                asset.multiplier_bits = number("multiplier_bits");
                assets.push(raw_account(&program_id, &asset));
                said.push(StatementEntryArg {
                    shares_micro: number("shares_micro"),
                    capacity_raw: number("capacity_raw"),
                    redeemed_seen_raw: number("redeemed_seen_raw"),
                });
            }
            // SAFETY: as above.
            let (mut config, mut custodian): (Config, Custodian) = unsafe { core::mem::zeroed() };
            config.genesis_hash = text(&vectors["genesis_hash"]);
            custodian.version = 1;
            let mut custodian = raw_account(&program_id, &custodian);
            // SAFETY: the vectors hold a runtime account each and outlive the views.
            let views: Vec<AccountView> = assets
                .iter_mut()
                .map(|words| unsafe { AccountView::new_unchecked(words.as_mut_ptr().cast()) })
                .collect();
            // SAFETY: as above; the address is the custodian of the vectors.
            let custodian = unsafe {
                custodian.as_mut_ptr().cast::<u8>().add(8).cast::<[u8; 32]>().write(text(&vectors["custodian"]));
                AccountView::new_unchecked(custodian.as_mut_ptr().cast())
            };
            let accounts = Accounts {
                config: &custodian,
                custodian: &custodian,
                instructions_sysvar: &custodian,
                remaining: &views,
            };
            let args = Args {
                epoch: u32::try_from(statement["epoch"].as_u64().unwrap()).unwrap(),
                observed_ms: statement["observed_ms"].as_u64().unwrap(),
                expires_ts: statement["expires_ts"].as_i64().unwrap(),
                entries: &said,
                _lifetime: core::marker::PhantomData,
            };
            let data = [
                &[0; 8][..],
                &args.epoch.to_le_bytes(),
                &args.observed_ms.to_le_bytes(),
                &args.expires_ts.to_le_bytes(),
                &u32::try_from(said.len()).unwrap().to_le_bytes(),
            ]
            .concat();
            let context = Context { program_id: &program_id, accounts: &[], data: &data };
            let digest = statement_digest(&context, &accounts, &args, &config, Now { ts: 0 }).unwrap();
            assert_eq!(digest.to_vec(), unhex(statement["digest_hex"].as_str().unwrap()));
        }
    }

    /// A writable account of this program, as the runtime lays it out.
    fn raw_account<S: State>(owner: &Address, state: &S) -> Vec<u64> {
        let header = [255u8, 0, 1, 0, 0, 0, 0, 0];
        // SAFETY: Layout types have no padding.
        let body = unsafe { core::slice::from_raw_parts((&raw const *state).cast::<u8>(), core::mem::size_of::<S>()) };
        let bytes = [
            &header[..],
            &[0; 32],
            owner.as_array(),
            &1u64.to_le_bytes(),
            &(S::SPACE as u64).to_le_bytes(),
            &S::DISCRIMINATOR,
            body,
        ]
        .concat();
        bytes.chunks(8).map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap())).collect()
    }
}
