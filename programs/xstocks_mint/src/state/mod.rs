//! The program's accounts: eight bytes discriminator, then the struct, whose bytes are its Borsh bytes.
//!
//! No account is ever closed: states end in Retired, Cancelled or the like. Reserved bytes are zero.

mod adoption;
mod asset;
mod bucket;
mod config;
mod custodian;
mod definition;
mod entry;
pub mod hold;
mod limits;
#[cfg(feature = "next_layout")]
mod next_layout;
mod participant;
mod policy;
mod proposal;
mod recovery;
mod redemption;

pub use adoption::*;
pub use asset::*;
pub use bucket::*;
pub use config::*;
pub use custodian::*;
pub use definition::*;
pub use entry::*;
#[cfg(feature = "next_layout")]
pub use next_layout::*;
pub use participant::*;
pub use policy::*;
pub use proposal::*;
pub use recovery::*;
pub use redemption::*;

use crate::schema::{Layout, Struct};

macro_rules! states {
    ($($name:ident),*) => {
        /// Every account type with its discriminator, for the IDL.
        pub const STATES: &[([u8; 8], Struct)] = &[$((<$name as State>::DISCRIMINATOR, <$name as Layout>::STRUCT)),*];
    };
}
states!(Config, Custodian, Asset, Proposal, Participant, Recovery, Adoption, Redemption);
