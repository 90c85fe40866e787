//! The program's accounts: eight bytes discriminator, then the struct, whose bytes are its Borsh bytes.
//!
//! No account is ever closed: states end in Retired, Cancelled or the like. Reserved bytes are zero.

mod adoption;
mod asset;
mod config;
mod custodian;
mod participant;
mod proposal;
mod recovery;
mod redemption;

pub use adoption::*;
pub use asset::*;
pub use config::*;
pub use custodian::*;
pub use participant::*;
pub use proposal::*;
pub use recovery::*;
pub use redemption::*;

use crate::{
    error::{require, Error, Result},
    schema::Layout,
};

/// The version every account of this program is written with.
pub const VERSION: u8 = 1;

/// An account type: a layout with Anchor's discriminator in front.
pub trait State: Layout {
    const DISCRIMINATOR: [u8; 8];
    /// Bytes of the whole account.
    const SPACE: usize = 8 + core::mem::size_of::<Self>();
    /// Each rule of the account; called last by every instruction that changes it.
    ///
    /// # Errors
    /// InvariantViolated, or the named error of the rule.
    fn invariant(&self) -> Result;
}

macro_rules! states {
    ($($name:ident),*) => {
        $(impl $name {
            /// Anchor's discriminator of the account.
            pub const DISC: [u8; 8] = crate::hash::discriminator("account", stringify!($name));
        })*
        /// Every account type with its discriminator, for the IDL.
        pub const STATES: &[([u8; 8], crate::schema::Struct)] = &[$(($name::DISC, $name::STRUCT)),*];
    };
}
states!(Config, Custodian, Asset, Proposal, Participant, Recovery, Adoption, Redemption);

/// Refuses with InvariantViolated where `holds` is false.
#[inline(always)]
pub(crate) fn ensure(holds: bool) -> Result {
    require(holds, Error::InvariantViolated)
}
