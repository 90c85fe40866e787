//! The one table of instructions, in files by who calls them. Dispatch, account checks (number, signer, writable, fixed
//! address), argument decoding and the IDL all come from it.

mod admin;
mod attestation;
mod compliance;
mod corporate_actions;
mod guardian;
#[cfg(feature = "next_layout")]
mod next_layout;
mod operator;
mod participant;
mod pending_admin;
mod registrar;
mod resumer;
mod row;
mod specs;

pub use row::Context;
pub use specs::{MAX_BATCH_CUSTODIANS, MAX_PROPOSED_ACCOUNTS};

pub use admin::{
    abort_adopt, attach_custodian, begin_adopt, clear_role, detach_custodian, finish_adopt, initialize, loosen_policy,
    propose, propose_admin, register_asset, register_custodian, release_authority, retire_asset, retire_custodian,
    seal, set_custodian_keys, set_metadata, set_role, set_timing, tighten_policy,
};
pub use attestation::{accept_redemption, submit_attestation, withdraw_entry};
pub use compliance::{
    announce_recovery, announce_redemption_recovery, clear_redemption_hold, execute_recovery,
    execute_redemption_recovery, freeze, hold_redemption, thaw,
};
pub use corporate_actions::{cancel_multiplier, schedule_multiplier};
pub use guardian::{cancel_admin, cancel_proposal, cancel_recovery, pause, revoke_custodian_key};
#[cfg(feature = "next_layout")]
pub use next_layout::migrate;
pub use operator::{burn, distribute, mint, reject_redemption, settle_redemption};
pub use participant::{cancel_redemption, request_redemption};
pub use pending_admin::{accept_admin, accept_role};
pub use registrar::set_participant;
pub use resumer::{clear_hold, resume};

use crate::schema::Instruction;

/// Every instruction, by caller.
pub const GROUPS: &[&[Instruction]] = &[
    operator::INSTRUCTIONS,
    attestation::INSTRUCTIONS,
    participant::INSTRUCTIONS,
    admin::INSTRUCTIONS,
    pending_admin::INSTRUCTIONS,
    registrar::INSTRUCTIONS,
    guardian::INSTRUCTIONS,
    resumer::INSTRUCTIONS,
    compliance::INSTRUCTIONS,
    corporate_actions::INSTRUCTIONS,
];

/// Every instruction, for the IDL.
pub fn instructions() -> impl Iterator<Item = &'static Instruction> {
    GROUPS.iter().copied().flatten()
}

/// Whether bytes are the arguments of an instruction.
#[cfg(test)]
type Reader = fn(&[u8]) -> bool;

#[cfg(test)]
const READERS: &[&[Reader]] = &[
    operator::READERS,
    attestation::READERS,
    participant::READERS,
    admin::READERS,
    pending_admin::READERS,
    registrar::READERS,
    guardian::READERS,
    resumer::READERS,
    compliance::READERS,
    corporate_actions::READERS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::ARG_STRUCTS, schema::Ty};
    use proptest::prelude::*;

    /// Every instruction, and how it reads its arguments.
    fn all() -> Vec<(&'static Instruction, Reader)> {
        instructions().zip(READERS.concat()).collect()
    }

    /// Random bytes of a type, as Borsh writes it.
    fn encoded(ty: &Ty, random: &mut impl Iterator<Item = u8>) -> Vec<u8> {
        let mut byte = |below: u8| random.next().unwrap_or(0) % below;
        match ty {
            Ty::U8 => vec![byte(255)],
            Ty::U16 => encoded(&Ty::Array(&Ty::U8, 2), random),
            Ty::U32 => encoded(&Ty::Array(&Ty::U8, 4), random),
            Ty::U64 | Ty::I64 => encoded(&Ty::Array(&Ty::U8, 8), random),
            Ty::Pubkey => encoded(&Ty::Array(&Ty::U8, 32), random),
            Ty::Array(of, count) => (0..*count).flat_map(|_| encoded(of, random)).collect(),
            Ty::Vec(of) => listed(byte(5), |random| encoded(of, random), random),
            Ty::Bytes => listed(byte(20), |random| encoded(&Ty::U8, random), random),
            Ty::String => listed(byte(20), |random| vec![b'a' + random.next().unwrap_or(0) % 26], random),
            Ty::Defined(name) => {
                let fields = ARG_STRUCTS.iter().find(|each| each.name == *name).unwrap().fields;
                fields.iter().flat_map(|field| encoded(&field.ty, random)).collect()
            }
        }
    }

    fn listed<R: Iterator<Item = u8>>(count: u8, one: impl Fn(&mut R) -> Vec<u8>, random: &mut R) -> Vec<u8> {
        let mut bytes = u32::from(count).to_le_bytes().to_vec();
        for _ in 0..count {
            bytes.extend(one(random));
        }
        bytes
    }

    proptest! {
        #[test]
        fn arguments_are_read_to_the_last_byte(
            which in 0..all().len(), random in proptest::collection::vec(any::<u8>(), 2_000),
        ) {
            let ((instruction, reads), mut random) = (all()[which], random.into_iter());
            let data: Vec<u8> = instruction.args.iter().flat_map(|arg| encoded(&arg.ty, &mut random)).collect();
            prop_assert!(reads(&data), "{}", instruction.name);
            for end in 0..data.len() {
                prop_assert!(!reads(&data[..end]), "{} cut to {end}", instruction.name);
            }
            prop_assert!(!reads(&[&data[..], &[0]].concat()), "{} with a byte more", instruction.name);
        }

        /// Random bytes, the counts among them small or at the ends of what they may be.
        #[test]
        fn any_bytes_are_read_without_a_panic(
            which in 0..all().len(),
            parts in proptest::collection::vec((0u32..4, proptest::collection::vec(any::<u8>(), 0..120)), 0..6),
            huge in prop::sample::select(vec![None, Some(255u32), Some(256), Some(u32::MAX)]),
        ) {
            let mut data: Vec<u8> = huge.map(|count| count.to_le_bytes().to_vec()).unwrap_or_default();
            for (count, bytes) in parts {
                data.extend(count.to_le_bytes());
                data.extend(bytes);
            }
            let (_, reads) = all()[which];
            // What was read ended with its last byte, so no other length is read.
            prop_assert!(!(reads(&data) && reads(&[&data[..], &[0]].concat())));
        }
    }
}
