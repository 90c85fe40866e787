//! The authorities of a mint: who holds them, and who may.

use crate::{
    address::address_eq,
    error::{Error, Result},
    state::Authorities,
    token_2022::{
        layout::{
            next_extension, part, CONFIDENTIAL_TRANSFER_MINT, METADATA_POINTER, MINT_AUTHORITY, MINT_FREEZE_AUTHORITY,
            NO_EXTENSION, PAUSABLE, PERMANENT_DELEGATE, SCALED_UI, TLV, TOKEN_METADATA, TRANSFER_HOOK,
        },
        profile::{bit, extensions_of, has_freeze},
    },
};
use pinocchio::Address;

/// One authority of a mint.
pub struct Authority {
    /// The extension whose first 32 bytes it is; of the mint itself: NO_EXTENSION.
    extension: u16,
    /// Token-2022's `AuthorityType`; None for the metadata's update authority, which has its own instruction.
    pub number: Option<u8>,
    /// It must be the asset; else nobody may hold it too.
    needed: bool,
    /// How another holder is refused.
    error: Error,
}

const fn authority(extension: u16, number: Option<u8>, needed: bool, error: Error) -> Authority {
    Authority { extension, number, needed, error }
}

/// AuthorityType::FreezeAccount
const FREEZE_ACCOUNT: u8 = 1;

/// What is known of each of `Authorities`, in its order.
pub const AUTHORITIES: [Authority; Authorities::COUNT] = [
    authority(NO_EXTENSION, Some(0), true, Error::MintAuthorityInvalid),
    authority(NO_EXTENSION, Some(FREEZE_ACCOUNT), true, Error::FreezeAuthorityInvalid),
    authority(METADATA_POINTER, Some(12), false, Error::MetadataPointerInvalid),
    authority(TOKEN_METADATA, None, false, Error::MetadataAuthorityInvalid),
    authority(PERMANENT_DELEGATE, Some(8), true, Error::PermanentDelegateInvalid),
    authority(SCALED_UI, Some(15), true, Error::ScaledUiAuthorityInvalid),
    authority(PAUSABLE, Some(16), true, Error::PausableAuthorityInvalid),
    authority(CONFIDENTIAL_TRANSFER_MINT, Some(9), false, Error::ConfidentialTransferInvalid),
    authority(TRANSFER_HOOK, Some(10), false, Error::TransferHookInvalid),
];

/// Who may hold an authority.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Asset,
    AssetOrNobody,
    Nobody,
}

impl Authority {
    /// Who must hold it once the mint is the program's.
    fn holder(&self, profile: u8) -> Result<Holder> {
        if self.number == Some(FREEZE_ACCOUNT) && !has_freeze(profile) {
            return Ok(Holder::Nobody);
        }
        let present = self.extension == NO_EXTENSION || extensions_of(profile)? & bit(self.extension) != 0;
        Ok(if self.needed && present { Holder::Asset } else { Holder::AssetOrNobody })
    }
}

/// A COption<Pubkey>; nobody is zeros, and zeros are nobody.
fn read_option(option: &[u8; 36], into: &mut Address) -> Result {
    let [t0, t1, t2, t3, ref key @ ..] = *option;
    match ([t0, t1, t2, t3], *key == [0; 32]) {
        ([0, 0, 0, 0], _) => *into = Authorities::NOBODY,
        ([1, 0, 0, 0], false) => *into = Address::new_from_array(*key),
        _ => return Err(Error::MintMalformed),
    }
    Ok(())
}

impl Authorities {
    /// Reads the present holders, whatever else the mint is.
    ///
    /// # Errors
    /// MintMalformed.
    pub fn read(data: &[u8], into: &mut Self) -> Result {
        read_option(part(data, MINT_AUTHORITY)?, &mut into.mint)?;
        read_option(part(data, MINT_FREEZE_AUTHORITY)?, &mut into.freeze)?;
        let mut at = TLV;
        while let Some((extension, value)) = next_extension(data, &mut at)? {
            for (holder, authority) in into.each_mut().iter_mut().zip(&AUTHORITIES) {
                if authority.extension == extension {
                    *holder = Address::new_from_array(*part(value, 0)?);
                }
            }
        }
        Ok(())
    }

    /// Each is the asset, or nobody where the profile does not need it.
    ///
    /// # Errors
    /// The name of the first that is not.
    pub fn check(&self, profile: u8, asset: &Address) -> Result {
        for (holder, authority) in self.each().iter().zip(&AUTHORITIES) {
            let may = authority.holder(profile)?;
            let fits = if address_eq(holder, &Self::NOBODY) {
                may != Holder::Asset
            } else {
                may != Holder::Nobody && address_eq(holder, asset)
            };
            if !fits {
                return Err(authority.error);
            }
        }
        Ok(())
    }

    /// Whoever holds them, somebody holds what the asset will need: what nobody holds, nobody can hand over.
    ///
    /// # Errors
    /// The name of the first that nobody holds.
    pub fn check_have_holders(&self, profile: u8) -> Result {
        for (holder, authority) in self.each().iter().zip(&AUTHORITIES) {
            if authority.holder(profile)? == Holder::Asset && address_eq(holder, &Self::NOBODY) {
                return Err(authority.error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::PROFILE_OPEN;
    use crate::{
        state::PROFILE_XSTOCKS,
        token_2022::sample_mint::{but, check_in_use, held_by, whole, with, ASSET, NOBODY, STRANGER},
    };

    #[test]
    fn each_authority_is_the_assets_or_where_it_may_be_nobodys() {
        for (index, authority) in AUTHORITIES.iter().enumerate() {
            assert_eq!(check_in_use(&whole(&but(index, &STRANGER))), Err(authority.error), "{index}");
            let nobody = check_in_use(&whole(&but(index, &NOBODY)));
            // Mint, freeze, delegate, multiplier and pause; not pointer, metadata, confidential transfers and hook.
            let needed = [0, 1, 4, 5, 6].contains(&index);
            assert_eq!(nobody.err(), needed.then_some(authority.error), "{index}");
        }
    }

    #[test]
    fn each_holder_is_read_from_its_place() {
        let mut expected = Authorities::NONE;
        for (number, holder) in (1..).zip(expected.each_mut()) {
            *holder = Address::new_from_array([number; 32]);
        }
        let mut read = held_by(&STRANGER);
        Authorities::read(&whole(&expected), &mut read).unwrap();
        assert_eq!(read.each(), expected.each());
        let mut read = Authorities::NONE;
        Authorities::read(&with(&[]), &mut read).unwrap();
        assert_eq!(read.mint, ASSET);
        assert!(read.each()[2..].iter().all(|holder| *holder == NOBODY));
    }

    #[test]
    fn what_nobody_holds_nobody_can_hand_over() {
        for (index, authority) in AUTHORITIES.iter().enumerate() {
            assert_eq!(but(index, &STRANGER).check_have_holders(PROFILE_XSTOCKS), Ok(()));
            let needed = [0, 1, 4, 5, 6].contains(&index);
            let missing = but(index, &NOBODY).check_have_holders(PROFILE_XSTOCKS);
            assert_eq!(missing.err(), needed.then_some(authority.error), "{index}");
        }
        let open = Authorities { mint: STRANGER, scaled_ui: STRANGER, ..Authorities::NONE };
        assert_eq!(open.check_have_holders(PROFILE_OPEN), Ok(()));
    }
}
