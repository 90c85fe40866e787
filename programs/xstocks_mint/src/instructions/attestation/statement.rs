//! The statement itself: its assets, and the digest that must have been signed.

use crate::{
    account::Writable,
    address::ascending,
    error::{Error, Result},
    hash::sha256,
    schema::{bytes_of, layout},
    state::{Asset, Config},
    sysvar::Now,
    table::{
        submit_attestation::{Accounts, Args},
        Context,
    },
};
use core::mem::MaybeUninit;
use pinocchio::{AccountView, Address};

/// Most assets of one statement; so many fit a v0 transaction with a lookup table.
pub const MAX_STATEMENT_ENTRIES: usize = 24;
const TAG: &[u8] = b"xstocks:statement:v2";

layout! {
    packed
    /// The numbers of a statement as the digest has them: one behind the other, little-endian.
    struct StatementNumbers {
        epoch: u32,
        observed_ms: u64,
        expires_ts: i64,
        count: u8,
    }
}

/// The Asset accounts of a statement: each validated and writable, strictly ascending by mint, so that none comes twice.
pub struct StatementAssets<'a>(&'a [AccountView]);

impl<'a> StatementAssets<'a> {
    /// All of them, in their order.
    #[inline(always)]
    pub fn each(&self) -> impl Iterator<Item = Writable<'a, Asset>> {
        // SAFETY: `read_statement`, the only maker of this type, has checked each account in it.
        self.0.iter().map(|account| unsafe { Writable::assume_checked(account) })
    }
}

/// Validates the assets and computes the digest that must have been signed: tag, genesis, program, custodian,
/// epoch, observed_ms, expires_ts, count, and per entry mint, multiplier (both from the Asset, so that who signed
/// another mint or multiplier signed another digest), shares, capacity, seen.
///
/// # Errors
/// EntryCountInvalid, EntriesAccountsMismatch, MintsNotAscending, ConstraintMut, and those of `validate`.
#[inline(always)]
pub fn read_statement<'a>(
    context: &Context,
    accounts: &Accounts<'a>,
    args: &Args,
    config: &Config,
    now: Now,
) -> Result<([u8; 32], StatementAssets<'a>)> {
    const FIXED: usize = 5;
    const PER_ENTRY: usize = 3;
    let numbers = StatementNumbers {
        epoch: args.epoch,
        observed_ms: args.observed_ms,
        expires_ts: args.expires_ts,
        count: u8::try_from(args.entries.len()).map_err(|_| Error::EntryCountInvalid)?,
    };
    // Not initialized before use: that would cost as much as the hash.
    let mut parts = [const { MaybeUninit::<&[u8]>::uninit() }; FIXED + PER_ENTRY * MAX_STATEMENT_ENTRIES];
    let fixed: [&[u8]; FIXED] = [
        TAG,
        &config.genesis_hash,
        context.program_id.as_array(),
        accounts.custodian.address().as_array(),
        bytes_of(&numbers),
    ];
    let (head, tail) = parts.split_at_mut(FIXED);
    for (part, value) in head.iter_mut().zip(fixed) {
        part.write(value);
    }

    let mut previous: Option<&Address> = None;
    let mut used = FIXED;
    for ((account, entry), slots) in accounts.remaining.iter().zip(args.entries).zip(tail.chunks_exact_mut(PER_ENTRY)) {
        let asset = Writable::<Asset>::new(context.program_id, account)?.get();
        if previous.is_some_and(|previous| !ascending(previous, &asset.mint)) {
            return Err(Error::MintsNotAscending);
        }
        previous = Some(&asset.mint);
        if let [mint, multiplier, values] = slots {
            mint.write(asset.mint.as_array());
            multiplier.write(bytes_of_number(asset.multiplier_in_force(now)));
            values.write(bytes_of(entry));
        }
        used += PER_ENTRY;
    }
    // SAFETY: the first `used` parts were written above, at most all of them.
    let digest = sha256(unsafe { core::slice::from_raw_parts(parts.as_ptr().cast(), used) });
    // Here every account has been checked: `run` has compared the numbers of accounts and entries.
    Ok((digest, StatementAssets(accounts.remaining)))
}

/// The bytes of a number, little-endian as both targets are.
#[inline(always)]
fn bytes_of_number(number: &u64) -> &[u8] {
    // SAFETY: a u64 is eight initialized bytes.
    unsafe { core::slice::from_raw_parts((&raw const *number).cast(), core::mem::size_of::<u64>()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        args::StatementEntryArg,
        state::{Custodian, State},
    };

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// The program's own part of the digest: what `read_statement` lays out, from the vector's fields.
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
            let mut attested: Vec<StatementEntryArg> = Vec::new();
            for entry in statement["entries"].as_array().unwrap() {
                let number = |name: &str| entry[name].as_u64().unwrap();
                // SAFETY: a Layout type takes zeros.
                let mut asset: Asset = unsafe { core::mem::zeroed() };
                asset.version = 1;
                asset.mint = Address::new_from_array(text(&entry["mint"]));
                asset.multiplier_bits = number("multiplier_bits");
                assets.push(raw_account(&program_id, &asset));
                attested.push(StatementEntryArg {
                    shares_nano: number("shares_nano"),
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
                entries: &attested,
                _lifetime: core::marker::PhantomData,
            };
            let context = Context { program_id: &program_id, accounts: &[], data: &[] };
            let (digest, assets) = read_statement(&context, &accounts, &args, &config, Now { ts: 0 }).unwrap();
            assert_eq!(digest.to_vec(), unhex(statement["digest_hex"].as_str().unwrap()));
            assert_eq!(assets.each().count(), attested.len());
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
