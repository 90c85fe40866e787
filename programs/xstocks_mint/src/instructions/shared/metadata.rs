//! Writing the metadata of a mint.

use crate::{
    args::MetadataFieldsView,
    error::{Error, Result},
    hash::discriminator,
    text::{require_name, require_no_control},
    token_2022::cpi,
};
use pinocchio::{cpi::Seed, AccountView};

const INITIALIZE: [u8; 8] = discriminator("spl_token_metadata_interface", "initialize_account");
const UPDATE_FIELD: [u8; 8] = discriminator("spl_token_metadata_interface", "updating_field");
/// Field: the three base fields, then one of its own, whose key follows.
const FIELD_NAME: u8 = 0;
const FIELD_SYMBOL: u8 = 1;
const FIELD_URI: u8 = 2;
const FIELD_KEY: u8 = 3;

/// A transaction has 1,232 bytes, so instruction data built from arguments is shorter.
const MAX_DATA: usize = 1_232;

/// Instruction data that grows.
struct Data {
    bytes: [u8; MAX_DATA],
    length: usize,
}

impl Data {
    #[inline(always)]
    fn new(discriminator: &[u8]) -> Result<Self> {
        let mut data = Self { bytes: [0; MAX_DATA], length: 0 };
        data.push(discriminator)?;
        Ok(data)
    }

    fn push(&mut self, bytes: &[u8]) -> Result {
        let end = self.length.checked_add(bytes.len()).ok_or(Error::MetadataInvalid)?;
        self.bytes.get_mut(self.length..end).ok_or(Error::MetadataInvalid)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    fn push_string(&mut self, text: &[u8]) -> Result {
        let length = u32::try_from(text.len()).map_err(|_| Error::MetadataInvalid)?;
        self.push(&length.to_le_bytes())?;
        self.push(text)
    }

    #[inline(always)]
    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

/// The mint, and the asset that signs.
pub struct Target<'a> {
    pub mint: &'a AccountView,
    pub asset: &'a AccountView,
    pub seeds: &'a [Seed<'a>; 3],
}

impl Target<'_> {
    /// Makes the metadata with its base fields: name, symbol, uri.
    ///
    /// # Errors
    /// MetadataInvalid, MetadataControl, MetadataBlank.
    #[inline(never)]
    pub fn initialize(&self, base: &[&[u8]; 3]) -> Result {
        let [name, symbol, uri] = base;
        require_name(name)?;
        require_name(symbol)?;
        require_no_control(uri)?;
        let mut data = Data::new(&INITIALIZE)?;
        for text in base {
            data.push_string(text)?;
        }
        cpi::metadata_initialize(self.mint, self.asset, data.filled(), self.seeds);
        Ok(())
    }

    /// Writes fields: "name", "symbol" and "uri" are the base fields, every other key an additional field.
    ///
    /// # Errors
    /// MetadataInvalid, MetadataControl, MetadataBlank.
    #[inline(never)]
    pub fn update(&self, fields: MetadataFieldsView) -> Result {
        for (key, value) in fields {
            let mut data = Data::new(&UPDATE_FIELD)?;
            require_no_control(key)?;
            match key {
                b"name" | b"symbol" => require_name(value)?,
                _ => require_no_control(value)?,
            }
            match key {
                b"name" => data.push(&[FIELD_NAME])?,
                b"symbol" => data.push(&[FIELD_SYMBOL])?,
                b"uri" => data.push(&[FIELD_URI])?,
                _ => {
                    data.push(&[FIELD_KEY])?;
                    data.push_string(key)?;
                }
            }
            data.push_string(value)?;
            cpi::metadata_update(self.mint, self.asset, data.filled(), self.seeds);
        }
        Ok(())
    }
}
