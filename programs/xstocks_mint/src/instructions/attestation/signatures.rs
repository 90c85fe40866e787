//! The signatures of a statement: the one canonical ed25519 instruction, and the quorum.
//!
//! The ed25519 program has checked the signatures themselves; this file checks that it looked at exactly the keys
//! and the message that count here. Nothing in the instruction is trusted to say where something stands.
//!
//! S1  it stands directly before the present instruction of the transaction
//! S2  it is of the ed25519 program
//! S3  it has no accounts
//! S4  it holds n signatures, 2 <= n <= 8
//! S5  its padding byte is zero
//! S6  its data has 2 + 110n + 32 bytes: header 2, n offset records of 14, n times (key 32, signature 64), digest 32
//! S7  record i: the signature is at 2 + 14n + 96i + 32
//! S8  record i: the key is at 2 + 14n + 96i
//! S9  record i: the message is at 2 + 110n
//! S10 record i: the message has 32 bytes
//! S11 record i: all three instruction indexes are 0xFFFF, "this instruction"
//!
//! Q1  the keys are strictly ascending, so none signs twice
//! Q2  each key is of the custodian's present set
//! Q3  and has not expired
//! Q4  the distinct parties are at least the threshold (M2)
//! Q5  the custodian's own party is among them (M2)
//! Q6  the message is the digest of the statement

use crate::{
    address::{address_eq, ascending},
    error::{Error, Result},
    ids,
    state::{Custodian, Parties, MAX_KEYS, MIN_THRESHOLD, OWN_PARTY},
    sysvar::Now,
};
use pinocchio::Address;

const HEADER_LEN: usize = 2;
const RECORD_LEN: usize = 14;
const KEY_LEN: usize = 32;
const SIGNER_LEN: usize = KEY_LEN + 64;
const DIGEST_LEN: usize = 32;
/// "The instruction that holds these offsets."
const THIS_INSTRUCTION: u16 = 0xFFFF;
/// Account count, program and data length of an instruction without accounts in the sysvar.
const PROGRAM_AT: usize = 2;
const DATA_LEN_AT: usize = PROGRAM_AT + 32;
const DATA_AT: usize = DATA_LEN_AT + 2;

/// The data of a canonical ed25519 instruction.
#[derive(Debug)]
pub struct Signatures<'a> {
    /// From the first key on: n times (key, signature), digest.
    signed: &'a [u8],
    count: usize,
}

#[inline(always)]
fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

#[inline(always)]
fn address_at(data: &[u8], at: usize) -> Option<&Address> {
    let bytes: &[u8; 32] = data.get(at..)?.first_chunk()?;
    // SAFETY: Address is a transparent [u8; 32].
    Some(unsafe { &*bytes.as_ptr().cast() })
}

impl<'a> Signatures<'a> {
    /// Reads the ed25519 instruction before the present one from the data of the instructions sysvar: u16 count,
    /// u16 offset per instruction, the instructions {u16 accounts, 33 bytes each, program 32, u16 data length,
    /// data}, and u16 index of the present one at the end.
    ///
    /// # Errors
    /// InstructionsSysvarMalformed, and the named error of each of S1 to S11.
    #[inline(always)]
    pub fn read(sysvar: &'a [u8]) -> Result<Self> {
        // S1
        let current = sysvar.last_chunk::<2>().ok_or(Error::InstructionsSysvarMalformed)?;
        let previous = u16::from_le_bytes(*current).checked_sub(1).ok_or(Error::SignatureInstructionMissing)?;
        let start = u16_at(sysvar, 2 + 2 * previous as usize).ok_or(Error::InstructionsSysvarMalformed)?;
        let instruction = sysvar.get(start as usize..).ok_or(Error::InstructionsSysvarMalformed)?;
        let accounts = u16_at(instruction, 0).ok_or(Error::InstructionsSysvarMalformed)? as usize;
        if accounts != 0 {
            // S2 comes first where both are wrong.
            let program = address_at(instruction, PROGRAM_AT + 33 * accounts);
            return Err(match program {
                Some(program) if address_eq(program, &ids::ED25519_PROGRAM) => Error::SignatureAccountsInvalid, // S3
                _ => Error::SignatureProgramInvalid,
            });
        }
        // S2
        let program = address_at(instruction, PROGRAM_AT).ok_or(Error::InstructionsSysvarMalformed)?;
        if !address_eq(program, &ids::ED25519_PROGRAM) {
            return Err(Error::SignatureProgramInvalid);
        }
        let length = u16_at(instruction, DATA_LEN_AT).ok_or(Error::InstructionsSysvarMalformed)? as usize;
        let data = instruction.get(DATA_AT..DATA_AT + length).ok_or(Error::InstructionsSysvarMalformed)?;
        Self::parse(data)
    }

    /// Checks the data of the ed25519 instruction.
    ///
    /// # Errors
    /// The named error of each of S4 to S11.
    #[inline(always)]
    fn parse(data: &'a [u8]) -> Result<Self> {
        let Some(&[count, padding]) = data.first_chunk() else {
            return Err(Error::SignatureLengthInvalid);
        };
        let count = count as usize;
        // S4
        if count < MIN_THRESHOLD as usize || count > MAX_KEYS {
            return Err(Error::SignatureCountInvalid);
        }
        // S5
        if padding != 0 {
            return Err(Error::SignaturePaddingInvalid);
        }
        // S6
        let keys_at = HEADER_LEN + RECORD_LEN * count;
        let message_at = keys_at + SIGNER_LEN * count;
        if data.len() != message_at + DIGEST_LEN {
            return Err(Error::SignatureLengthInvalid);
        }
        // S7 to S11. A record is seven u16; they are compared in three parts that stand one behind the other: where
        // signature and key are (four of them, as one u64), where the message is and how long (two), and whose it is.
        let (records, _) =
            data.get(HEADER_LEN..keys_at).ok_or(Error::SignatureLengthInvalid)?.as_chunks::<RECORD_LEN>();
        let expected_message = message_at as u64 | (DIGEST_LEN as u64) << 16;
        let mut key_at = keys_at as u64;
        for &[p0, p1, p2, p3, p4, p5, p6, p7, m0, m1, m2, m3, i0, i1] in records {
            let places = u64::from_le_bytes([p0, p1, p2, p3, p4, p5, p6, p7]);
            let message = u64::from(u32::from_le_bytes([m0, m1, m2, m3]));
            let message_index = u16::from_le_bytes([i0, i1]);
            let expected_places = (key_at + KEY_LEN as u64)
                | (THIS_INSTRUCTION as u64) << 16
                | key_at << 32
                | (THIS_INSTRUCTION as u64) << 48;
            if places != expected_places || message != expected_message || message_index != THIS_INSTRUCTION {
                return Err(record_error(places ^ expected_places, message ^ expected_message));
            }
            key_at += SIGNER_LEN as u64;
        }
        let signed = data.get(keys_at..).ok_or(Error::SignatureLengthInvalid)?;
        Ok(Self { signed, count })
    }

    /// Whether the message that all of them signed is this digest (Q6).
    #[inline(always)]
    pub fn signed(&self, digest: &[u8; 32]) -> bool {
        let expected = Address::new_from_array(*digest);
        address_at(self.signed, SIGNER_LEN * self.count).is_some_and(|message| address_eq(message, &expected))
    }

    #[inline(always)]
    fn key(&self, index: usize) -> Option<&'a Address> {
        address_at(self.signed, SIGNER_LEN * index)
    }

    /// Checks the quorum, Q1 to Q5. Both lists ascend, so one walk over the custodian's keys finds all signers.
    ///
    /// # Errors
    /// SignersNotAscending, SignerUnknown, SignerExpired, QuorumNotMet, CustodianDidNotSign.
    #[inline(always)]
    pub fn check_quorum(&self, custodian: &Custodian, now: Now) -> Result {
        let mut parties = Parties::default();
        let mut known = custodian.active_keys().iter();
        let mut previous: Option<&Address> = None;
        for index in 0..self.count {
            let signer = self.key(index).ok_or(Error::SignatureLengthInvalid)?;
            // Q1
            if previous.is_some_and(|previous| !ascending(previous, signer)) {
                return Err(Error::SignersNotAscending);
            }
            previous = Some(signer);
            // Q2
            let key = known.find(|key| address_eq(&key.key, signer)).ok_or(Error::SignerUnknown)?;
            // Q3
            if now.ts >= key.expires_ts {
                return Err(Error::SignerExpired);
            }
            parties.add(key.party);
        }
        // Q4
        if parties.count() < custodian.threshold {
            return Err(Error::QuorumNotMet);
        }
        // Q5
        if !parties.has(OWN_PARTY) {
            return Err(Error::CustodianDidNotSign);
        }
        Ok(())
    }
}

/// The first of S7 to S11 that a record breaks, from the bits in which places and message differ.
#[cold]
fn record_error(places: u64, message: u64) -> Error {
    const FIELD: u64 = 0xFFFF;
    if places & FIELD != 0 {
        Error::SignatureOffsetInvalid // S7
    } else if places >> 32 & FIELD != 0 {
        Error::KeyOffsetInvalid // S8
    } else if message & FIELD != 0 {
        Error::MessageOffsetInvalid // S9
    } else if message >> 16 != 0 {
        Error::MessageSizeInvalid // S10
    } else {
        Error::SignatureIndexInvalid // S11
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::AttesterKey;
    use proptest::prelude::*;

    const NOW: Now = Now { ts: 1_000 };

    /// The canonical instruction data of these keys.
    fn canonical(keys: &[u8]) -> Vec<u8> {
        let n = keys.len();
        let mut data = vec![u8::try_from(n).unwrap(), 0];
        for i in 0..n {
            let key_at = 2 + 14 * n + 96 * i;
            for value in [key_at + 32, 0xFFFF, key_at, 0xFFFF, 2 + 110 * n, 32, 0xFFFF] {
                data.extend(u16::try_from(value).unwrap().to_le_bytes());
            }
        }
        for key in keys {
            data.extend([[*key; 32], [0xAA; 32], [0xBB; 32]].concat());
        }
        data.extend([0xDD; 32]);
        data
    }

    /// A sysvar with one ed25519 instruction and one after it, the second being the present one.
    fn sysvar(program: &Address, accounts: u16, data: &[u8], current: u16) -> Vec<u8> {
        let metas = vec![0u8; 33 * accounts as usize];
        let length = u16::try_from(data.len()).unwrap();
        let first = [&accounts.to_le_bytes()[..], &metas, program.as_array(), &length.to_le_bytes(), data].concat();
        let second_at = u16::try_from(6 + first.len()).unwrap();
        [
            &2u16.to_le_bytes()[..],
            &6u16.to_le_bytes(),
            &second_at.to_le_bytes(),
            &first,
            &[0; 36],
            &current.to_le_bytes(),
        ]
        .concat()
    }

    fn custodian(keys: &[(u8, u8, i64)], threshold: u8) -> Custodian {
        // SAFETY: a Layout type takes every bit pattern, zeros included.
        let mut custodian: Custodian = unsafe { core::mem::zeroed() };
        custodian.threshold = threshold;
        for (slot, (key, party, expires_ts)) in custodian.keys.iter_mut().zip(keys) {
            *slot = AttesterKey {
                key: Address::new_from_array([*key; 32]),
                party: *party,
                _pad0: [0; 7],
                expires_ts: *expires_ts,
            };
            custodian.key_count += 1;
        }
        custodian
    }

    fn quorum(signers: &[u8], custodian: &Custodian) -> Result {
        Signatures::parse(&canonical(signers)).unwrap().check_quorum(custodian, NOW)
    }

    #[test]
    fn the_canonical_layout_passes_for_two_to_eight_signatures() {
        for n in 2..=8 {
            let data = canonical(&(1..=n).collect::<Vec<_>>());
            let signatures = Signatures::parse(&data).unwrap();
            assert!(signatures.signed(&[0xDD; 32]) && !signatures.signed(&[0xDC; 32]));
            assert_eq!(signatures.key(1).unwrap().as_array(), &[2; 32]);
        }
    }

    #[test]
    fn each_deviation_has_its_own_name() {
        let good = canonical(&[1, 2, 3]);
        let cases: [(usize, Error); 18] = [
            (0, Error::SignatureLengthInvalid), // 3 becomes 2: the count is possible, the length is not its
            (1, Error::SignaturePaddingInvalid),
            (2, Error::SignatureOffsetInvalid),
            (3, Error::SignatureOffsetInvalid),
            (4, Error::SignatureIndexInvalid),
            (5, Error::SignatureIndexInvalid),
            (6, Error::KeyOffsetInvalid),
            (7, Error::KeyOffsetInvalid),
            (8, Error::SignatureIndexInvalid),
            (10, Error::MessageOffsetInvalid),
            (11, Error::MessageOffsetInvalid),
            (12, Error::MessageSizeInvalid),
            (13, Error::MessageSizeInvalid),
            (14, Error::SignatureIndexInvalid),
            (16, Error::SignatureOffsetInvalid),
            (30 + 4, Error::KeyOffsetInvalid),
            (30 + 8, Error::MessageOffsetInvalid),
            (30 + 13, Error::SignatureIndexInvalid),
        ];
        for (at, error) in cases {
            let mut data = good.clone();
            data[at] ^= 1;
            assert_eq!(Signatures::parse(&data).err(), Some(error), "byte {at}");
        }
        for count in [0, 1, 9, 255] {
            let mut data = good.clone();
            data[0] = count;
            assert_eq!(Signatures::parse(&data).err(), Some(Error::SignatureCountInvalid));
        }
        assert_eq!(Signatures::parse(&good[..good.len() - 1]).err(), Some(Error::SignatureLengthInvalid));
        assert_eq!(Signatures::parse(&[good.clone(), vec![0]].concat()).err(), Some(Error::SignatureLengthInvalid));
        assert_eq!(Signatures::parse(&[]).err(), Some(Error::SignatureLengthInvalid));
    }

    #[test]
    fn only_the_instruction_directly_before_counts() {
        let data = canonical(&[1, 2]);
        let read = |bytes: &[u8]| Signatures::read(bytes).err();
        assert_eq!(read(&sysvar(&ids::ED25519_PROGRAM, 0, &data, 1)), None);
        assert_eq!(read(&sysvar(&ids::ED25519_PROGRAM, 0, &data, 0)), Some(Error::SignatureInstructionMissing));
        assert_eq!(read(&sysvar(&ids::SYSTEM_PROGRAM, 0, &data, 1)), Some(Error::SignatureProgramInvalid));
        assert_eq!(read(&sysvar(&ids::SYSTEM_PROGRAM, 2, &data, 1)), Some(Error::SignatureProgramInvalid));
        assert_eq!(read(&sysvar(&ids::ED25519_PROGRAM, 1, &data, 1)), Some(Error::SignatureAccountsInvalid));
        assert_eq!(read(&[0]), Some(Error::InstructionsSysvarMalformed));
    }

    #[test]
    fn the_quorum_rules_are_named() {
        let three = custodian(&[(1, 0, 2_000), (2, 1, 2_000), (3, 2, 1_000), (4, 0, 2_000)], 2);
        assert_eq!(quorum(&[1, 2], &three), Ok(()));
        assert_eq!(quorum(&[2, 4], &three), Ok(()));
        assert_eq!(quorum(&[2, 1], &three), Err(Error::SignersNotAscending));
        assert_eq!(quorum(&[1, 1], &three), Err(Error::SignersNotAscending));
        assert_eq!(quorum(&[1, 5], &three), Err(Error::SignerUnknown));
        assert_eq!(quorum(&[1, 3], &three), Err(Error::SignerExpired)); // now == expires_ts
        assert_eq!(quorum(&[1, 4], &three), Err(Error::QuorumNotMet)); // two keys of one party
        let outside = custodian(&[(1, 0, 2_000), (2, 1, 2_000), (3, 2, 2_000)], 2);
        assert_eq!(quorum(&[2, 3], &outside), Err(Error::CustodianDidNotSign));
        assert_eq!(
            quorum(&[1, 2], &custodian(&[(1, 0, 2_000), (2, 1, 2_000), (3, 2, 2_000)], 3)),
            Err(Error::QuorumNotMet)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(Signatures::read(&data).is_err());
        }

        #[test]
        fn any_change_of_header_or_records_is_refused(at in 0usize..30, flip in 1u8..=255) {
            let mut data = canonical(&[1, 2]);
            data[at] ^= flip;
            prop_assert!(Signatures::parse(&data).is_err());
        }
    }
}
