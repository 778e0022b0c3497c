//! Changes a text or bytes after their encoder has written them: into a hash, or into a part of themselves.
//!
//! It is the written JSON that changes, so that all kinds of columns that print a text are masked and cut alike.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::SaltedHash;
use crate::json::{Piece, Pieces, write_base64};

/// A change of what was written.
#[derive(Debug, Clone)]
pub(crate) enum Rewrite {
    /// The first characters of the hash of the text.
    Hash { hash: SaltedHash, characters: usize },
    /// The first UTF-16 units of the text, as Java counts characters; one beyond the BMP is not cut in half.
    CutText(usize),
    /// The first bytes of what is written in Base64.
    CutBytes(usize),
}

impl Rewrite {
    /// Changes the JSON string that begins at `start` in `out`; `room` is a buffer for intermediate bytes.
    pub(super) fn apply(&self, start: usize, room: &mut Vec<u8>, out: &mut Vec<u8>) {
        let written = out.get(start..).unwrap_or_default();
        match self {
            Rewrite::Hash { hash, characters } => {
                room.clear();
                hash.write(&Pieces::of(written), *characters, room);
                out.truncate(start);
                out.push(b'"');
                out.extend_from_slice(room);
                out.push(b'"');
            }
            Rewrite::CutText(units) => {
                if let Some(length) = cut(Pieces::of(written), *units) {
                    out.truncate(start + 1 + length);
                    out.push(b'"');
                }
            }
            Rewrite::CutBytes(bytes) => cut_base64(start, *bytes, out),
        }
    }
}

/// Returns the length of the written form of the first `units`; `None` if the text has no more than these.
fn cut(mut pieces: Pieces<'_>, units: usize) -> Option<usize> {
    let all = pieces.byte_count();
    // A unit takes at least one byte.
    if all <= units {
        return None;
    }
    let mut left = units;
    loop {
        let length = all - pieces.byte_count();
        match pieces.next()? {
            Piece::Plain(bytes) => {
                let mut starts = bytes.iter().enumerate().filter(|(_, byte)| (byte.cast_signed()) >= -0x40);
                match starts.nth(left) {
                    Some((end, _)) => return Some(length + end),
                    None => left -= bytes.iter().filter(|byte| byte.cast_signed() >= -0x40).count(),
                }
            }
            Piece::Unit(unit) => {
                let is_first_half = (0xd800..0xdc00).contains(&unit);
                left = match left.checked_sub(1 + usize::from(is_first_half)) {
                    Some(_) => left - 1,
                    None => return Some(length),
                };
            }
        }
    }
}

/// Cuts Base64 in place. Four characters are three bytes, so only the last group has to be written again.
fn cut_base64(start: usize, bytes: usize, out: &mut Vec<u8>) {
    let group = start + 1 + bytes / 3 * 4;
    let mut last = [0; 3];
    let Some(decoded) = out.get(group..group + 4).and_then(|text| STANDARD.decode_slice(text, &mut last).ok()) else {
        return;
    };
    if decoded <= bytes % 3 {
        return;
    }
    out.truncate(group);
    write_base64(last.get(..bytes % 3).unwrap_or_default(), out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::write_string;
    use proptest::prelude::*;

    fn applied(rewrite: &Rewrite, written: &[u8]) -> String {
        let mut out = b"{\"c\":".to_vec();
        out.extend_from_slice(written);
        rewrite.apply(5, &mut Vec::new(), &mut out);
        String::from_utf8(out.split_off(5)).unwrap()
    }

    proptest! {
        #[test]
        fn a_text_is_cut_at_units(text in any::<String>(), units in 0usize..40) {
            let mut written = Vec::new();
            write_string(&text, &mut written);
            let (mut expected, mut length) = (String::new(), 0);
            for character in text.chars() {
                length += character.len_utf16();
                if length > units {
                    break;
                }
                expected.push(character);
            }
            let cut = applied(&Rewrite::CutText(units), &written);
            prop_assert_eq!(serde_json::from_str::<String>(&cut).unwrap(), expected);
        }

        #[test]
        fn bytes_are_cut(bytes in proptest::collection::vec(any::<u8>(), 0..40), length in 0usize..45) {
            let quoted = |bytes: &[u8]| format!("\"{}\"", STANDARD.encode(bytes));
            let expected = quoted(bytes.get(..length).unwrap_or(&bytes));
            prop_assert_eq!(applied(&Rewrite::CutBytes(length), quoted(&bytes).as_bytes()), expected);
        }
    }
}
