//! What every account type of the program has: a discriminator, a size and its rules.

use crate::{
    error::{Error, Result},
    log,
    schema::Layout,
};

/// The version every account of this program is written with.
pub const VERSION: u8 = 1;

/// Whether an account may have this version; where a later layout is tried, the next one too.
#[inline(always)]
pub const fn is_known(version: u8) -> bool {
    version == VERSION || (cfg!(feature = "next_layout") && version == VERSION + 1)
}

/// An account type: a layout with Anchor's discriminator in front.
pub trait State: Layout {
    const DISCRIMINATOR: [u8; 8];
    /// Bytes of the whole account.
    const SPACE: usize = 8 + core::mem::size_of::<Self>();
    /// Each rule of the account; called last by every instruction that changes it.
    ///
    /// # Errors
    /// InvariantViolated with the broken rule in the log, or the named error of the rule.
    fn invariant(&self) -> Result;
}

macro_rules! rules {
    ($($name:ident $text:literal)*) => {
        /// The rules that `invariant()` checks, save those that have an error of their own.
        #[derive(Clone, Copy)]
        #[repr(u64)] // a register, as Error is
        pub enum Rule { $(#[doc = $text] $name),* }

        impl Rule {
            /// What the log says where it is broken.
            const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text),*
                }
            }
        }
    };
}

rules! {
    AdoptionVersion "Adoption rule: the version is the one that this program writes"
    AdoptionKnown "Adoption rule: state and profile are known ones"
    AdoptionMintable "Adoption rule: somebody could mint before"
    AssetVersion "Asset rule: the version is the one that this program writes"
    AssetKnown "Asset rule: state, pause scopes and holds are known ones"
    AssetReleasedOpen "Asset rule: no redemption of a released asset is open"
    AssetMintBucket "Asset rule: the bucket for mint is not fuller than its size (M5)"
    AssetDistributeBucket "Asset rule: the bucket for distribute is not fuller than its size (M5)"
    AssetBurnBucket "Asset rule: the bucket for burn is not fuller than its size (M5)"
    AssetAnnouncement "Asset rule: a multiplier is announced with its time, or neither"
    AssetBurnt "Asset rule: what was burnt was adopted or minted before"
    AssetSeen "Asset rule: no entry has seen more than was redeemed (M6)"
    AssetEntries "Asset rule: the entries in use are the first entry_count ones, what they redeemed a part of what was burnt"
    ConfigAdmin "Config rule: there is always an admin"
    ConfigSealed "Config rule: a sealed program has a timelock, an unsealed one has none"
    ConfigScopes "Config rule: the pause scopes are known ones"
    ConfigOffer "Config rule: an offer ends after it may be accepted; without one its times are zero"
    ConfigVersion "Config rule: the version is the one that this program writes"
    CustodianKnown "Custodian rule: the version is the one that this program writes, the state a known one"
    CustodianEpoch "Custodian rule: epochs begin with 1"
    ParticipantVersion "Participant rule: the version is the one that this program writes"
    ParticipantKnown "Participant rule: the state is a known one"
    ParticipantCountry "Participant rule: the country is two capital letters"
    ParticipantExpiry "Participant rule: every permission ends"
    ProposalVersion "Proposal rule: the version is the one that this program writes"
    ProposalKnown "Proposal rule: the state is a known one"
    ProposalInstruction "Proposal rule: the instruction is the one whose data it holds"
    RecoveryVersion "Recovery rule: the version is the one that this program writes"
    RecoveryKnown "Recovery rule: the state is a known one"
    RecoveryMoves "Recovery rule: something is moved, to another account, not before it was announced"
    RedemptionVersion "Redemption rule: the version is the one that this program writes"
    RedemptionKnown "Redemption rule: the state is a known one"
    RedemptionAmount "Redemption rule: something is redeemed"
    RedemptionEnd "Redemption rule: it ends when it leaves Requested"
    RedemptionHold "Redemption rule: only an open one is on hold"
    RedemptionAccepted "Redemption rule: a custodian accepted it in one of its key epochs, or nobody did"
    RedemptionDebtor "Redemption rule: who owes the shares of burnt tokens has accepted it"
}

/// Refuses with InvariantViolated where `holds` is false, and logs the rule.
#[inline(always)]
pub(crate) fn ensure(holds: bool, rule: Rule) -> Result {
    if holds {
        Ok(())
    } else {
        Err(broken(rule))
    }
}

#[cold]
#[inline(never)]
fn broken(rule: Rule) -> Error {
    log::line(rule.text());
    Error::InvariantViolated
}
