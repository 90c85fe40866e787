//! Texts that wallets and terminals show: names, symbols, links.

use crate::error::{Error, Result};

/// Refuses control characters: U+0000 to U+001F, U+007F, U+0080 to U+009F. `text` is UTF-8.
///
/// # Errors
/// MetadataControl.
#[inline(never)]
pub fn require_no_control(text: &[u8]) -> Result {
    let mut before = 0;
    for &byte in text {
        // In UTF-8 U+0080 to U+009F are C2 80 to C2 9F, and C2 begins nothing else that ends below A0.
        if byte < 0x20 || byte == 0x7F || (before == 0xC2 && byte < 0xA0) {
            return Err(Error::MetadataControl);
        }
        before = byte;
    }
    Ok(())
}

/// What a name or symbol must be: something that a reader sees, without control characters. `text` is UTF-8.
///
/// # Errors
/// MetadataInvalid where it is empty, MetadataControl, MetadataBlank.
pub fn require_name(text: &[u8]) -> Result {
    if text.is_empty() {
        return Err(Error::MetadataInvalid);
    }
    require_no_control(text)?;
    if is_blank(text) {
        return Err(Error::MetadataBlank);
    }
    Ok(())
}

/// Whether there is nothing but white space (Unicode 15, White_Space; its control characters are refused before) and
/// fillers that look like it: U+200B zero width space, U+2800 blank Braille, U+3164 Hangul filler, U+FEFF.
#[inline(never)]
fn is_blank(text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return true,
            // Space; no-break space.
            [0x20, rest @ ..] | [0xC2, 0xA0, rest @ ..] => rest,
            // U+1680; U+2000 to U+200B; U+2028, U+2029, U+202F; U+205F; U+2800; U+3000; U+3164; U+FEFF.
            [0xE1, 0x9A, 0x80, rest @ ..]
            | [0xE2, 0x80, 0x80..=0x8B | 0xA8 | 0xA9 | 0xAF, rest @ ..]
            | [0xE2, 0x81, 0x9F, rest @ ..]
            | [0xE2, 0xA0, 0x80, rest @ ..]
            | [0xE3, 0x80, 0x80, rest @ ..]
            | [0xE3, 0x85, 0xA4, rest @ ..]
            | [0xEF, 0xBB, 0xBF, rest @ ..] => rest,
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILLERS: [char; 4] = ['\u{200B}', '\u{2800}', '\u{3164}', '\u{FEFF}'];

    #[test]
    fn every_character_is_judged_as_by_the_standard_library() {
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let mut bytes = [0; 4];
            let alone = character.encode_utf8(&mut bytes).as_bytes();
            let expected = if character.is_control() {
                Err(Error::MetadataControl)
            } else if character.is_whitespace() || FILLERS.contains(&character) {
                Err(Error::MetadataBlank)
            } else {
                Ok(())
            };
            assert_eq!(require_name(alone), expected, "U+{:04X}", u32::from(character));
        }
    }

    proptest! {
        #[test]
        fn one_control_character_anywhere_is_refused(before: String, control in prop::char::ranges((&['\0'..='\x1F', '\x7F'..='\u{9F}'][..]).into()), behind: String) {
            let text = format!("{before}{control}{behind}");
            prop_assert_eq!(require_name(text.as_bytes()), Err(Error::MetadataControl));
            prop_assert_eq!(require_no_control(text.as_bytes()), Err(Error::MetadataControl));
        }

        #[test]
        fn a_text_passes_where_one_character_shows(text: String) {
            let expected = if text.is_empty() {
                Err(Error::MetadataInvalid)
            } else if text.chars().any(char::is_control) {
                Err(Error::MetadataControl)
            } else if text.chars().all(|each| each.is_whitespace() || FILLERS.contains(&each)) {
                Err(Error::MetadataBlank)
            } else {
                Ok(())
            };
            prop_assert_eq!(require_name(text.as_bytes()), expected);
        }
    }
}
