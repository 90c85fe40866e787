//! The one sequence of an asset for mint, burn and distribute (M4).

use crate::{
    error::{cold_error, require, Error, Result},
    state::Asset,
};

/// The intent must carry the asset's next number (M4); this takes it.
///
/// # Errors
/// WrongSequence, SequenceExhausted.
#[inline(always)]
pub fn take_sequence(asset: &mut Asset, sequence: u64, intent_hash: &[u8; 16]) -> Result {
    require(asset.sequence == sequence, Error::WrongSequence)?;
    asset.sequence = sequence.checked_add(1).ok_or_else(|| cold_error(Error::SequenceExhausted))?;
    asset.last_intent_hash = *intent_hash;
    Ok(())
}
