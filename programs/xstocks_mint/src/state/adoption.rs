//! A live mint on its way under the program.

use crate::{
    error::Result,
    hash::discriminator,
    schema::layout,
    state::{
        asset::PROFILE_PERMISSIONED,
        definition::{ensure, Rule, State, VERSION},
    },
};
use pinocchio::Address;

/// Adoption.state: an aborted one may begin anew, a finished one never.
pub const ADOPTION_BEGUN: u8 = 0;
pub const ADOPTION_FINISHED: u8 = 1;
pub const ADOPTION_ABORTED: u8 = 2;

layout! {
    C
    /// Who holds each authority of a mint; zeros: nobody.
    struct Authorities {
        mint: Address,
        freeze: Address,
        metadata_pointer: Address,
        /// Update authority of the TokenMetadata.
        metadata_update: Address,
        permanent_delegate: Address,
        scaled_ui: Address,
        pausable: Address,
        confidential: Address,
        /// Transfer hook.
        hook: Address,
    }

    C
    /// The adoption of a mint in use. PDA ["adoption", mint].
    struct Adoption {
        version: u8,
        bump: u8,
        /// 0 Begun, 1 Finished, 2 Aborted.
        state: u8,
        /// 0 xstocks, 1 open, 2 permissioned.
        profile: u8,
        _pad0: u32,
        mint: Address,
        /// Whom abort_adopt gives the authorities back to: who held them at begin_adopt.
        holders: Authorities,
        reserved: [u8; 32],
    }
}

impl Authorities {
    pub const COUNT: usize = size_of::<Self>() / size_of::<Address>();
    pub const NOBODY: Address = Address::new_from_array([0; 32]);
    /// Nobody holds anything.
    pub const NONE: Self = Self {
        mint: Self::NOBODY,
        freeze: Self::NOBODY,
        metadata_pointer: Self::NOBODY,
        metadata_update: Self::NOBODY,
        permanent_delegate: Self::NOBODY,
        scaled_ui: Self::NOBODY,
        pausable: Self::NOBODY,
        confidential: Self::NOBODY,
        hook: Self::NOBODY,
    };

    /// All of them, in the order of the fields.
    #[inline(always)]
    pub const fn each(&self) -> &[Address; Self::COUNT] {
        // SAFETY: repr(C), COUNT addresses and nothing else.
        unsafe { &*(&raw const *self).cast() }
    }

    /// All of them, for changing.
    #[inline(always)]
    pub const fn each_mut(&mut self) -> &mut [Address; Self::COUNT] {
        // SAFETY: repr(C), COUNT addresses and nothing else.
        unsafe { &mut *(&raw mut *self).cast() }
    }
}

impl State for Adoption {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Adoption");

    fn invariant(&self) -> Result {
        ensure(self.version == VERSION, Rule::AdoptionVersion)?;
        let is_known = self.state <= ADOPTION_ABORTED && self.profile <= PROFILE_PERMISSIONED;
        ensure(is_known, Rule::AdoptionKnown)?;
        ensure(self.holders.mint != Authorities::NOBODY, Rule::AdoptionMintable)
    }
}
