//! Strings: quotes, backslashes and control characters are escaped; characters beyond the BMP become two `\u` escapes,
//! as Jackson's UTF-8 generator writes them.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// What to do with a byte of a string: 0 copy, `u` as `\u00XX`, 1 a character beyond the BMP, else the letter behind
/// `\`.
#[allow(
    clippy::indexing_slicing,
    reason = "the table is built at compile time, where a wrong index is an error of the build"
)]
const ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    byte = 0xf0;
    while byte < 0x100 {
        table[byte] = 1;
        byte += 1;
    }
    table
};

/// Writes a whole string with its quotes.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    let mut writer = StringWriter::begin(out);
    writer.push(text);
    writer.end();
}

/// Writes a text that is stored in UTF-8 if it is plain: ASCII without anything to escape. Nearly all texts are, and
/// they are written in one pass. Returns false, and writes nothing, for every other text.
pub(crate) fn write_plain_string(text: &[u8], out: &mut Vec<u8>) -> bool {
    // As a signed number, a byte of a longer character is negative, so this comparison finds it as well.
    let is_special = |byte: &u8| byte.cast_signed() < 0x20 || *byte == b'"' || *byte == b'\\';
    // The loop over a block has no early exit, so that the compiler turns it into a few vector instructions.
    let is_plain = |block: &[u8]| !block.iter().fold(false, |any, byte| any | is_special(byte));
    let (blocks, tail) = text.as_chunks::<16>();
    let all = blocks.iter().all(|block| is_plain(block)) && is_plain(tail);
    if all {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }
    all
}

/// Writes a string in pieces.
#[derive(Debug)]
pub struct StringWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> StringWriter<'a> {
    /// Writes the opening quote.
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'"');
        StringWriter { out }
    }

    /// Writes a piece.
    pub fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut rest = bytes;
        loop {
            let plain = plain_prefix(rest);
            let (copy, tail) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
            self.out.extend_from_slice(copy);
            let Some((&byte, after)) = tail.split_first() else { return };
            match ESCAPE.get(usize::from(byte)).copied().unwrap_or(0) {
                b'u' => {
                    let digit = |nibble: u8| HEX.get(usize::from(nibble & 15)).copied().unwrap_or(b'0');
                    self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
                    rest = after;
                }
                1 => rest = self.push_supplementary(tail),
                letter => {
                    self.out.extend_from_slice(&[b'\\', letter]);
                    rest = after;
                }
            }
        }
    }

    /// Writes the closing quote.
    pub fn end(self) {
        self.out.push(b'"');
    }

    #[cold]
    fn push_supplementary<'t>(&mut self, tail: &'t [u8]) -> &'t [u8] {
        let (character, rest) = tail.split_at_checked(4).unwrap_or((tail, &[]));
        let code = std::str::from_utf8(character).ok().and_then(|text| text.chars().next()).unwrap_or('\u{fffd}');
        let mut units = [0; 2];
        for unit in code.encode_utf16(&mut units) {
            self.out.extend_from_slice(b"\\u");
            for shift in [12, 8, 4, 0] {
                self.out.push(HEX.get(usize::from(*unit >> shift & 15)).copied().unwrap_or(b'0'));
            }
        }
        rest
    }
}

/// Returns the length of the prefix that needs no escape, testing eight bytes at a time.
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut chunks = bytes.chunks_exact(8);
    let mut length = 0;
    for chunk in &mut chunks {
        let word = <[u8; 8]>::try_from(chunk).map_or(0, u64::from_le_bytes);
        let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let quote = has_zero(word ^ (ONES * b'"' as u64));
        let backslash = has_zero(word ^ (ONES * b'\\' as u64));
        // Bytes from 0xF0 begin a character beyond the BMP; other bytes above 0x7F are left to the exact pass.
        let supplementary = word & HIGH & (word << 1) & (word << 2) & (word << 3);
        if control | quote | backslash | supplementary != 0 {
            break;
        }
        length += 8;
    }
    let tail = bytes.get(length..).unwrap_or_default();
    length
        + tail
            .iter()
            .position(|byte| ESCAPE.get(usize::from(*byte)).is_some_and(|&escape| escape != 0))
            .unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_jacksons() {
        assert_eq!(
            written("a\"b\\c/\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é€"),
            "\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0001\\u001F\u{7f}é€\""
        );
        assert_eq!(written("😀"), "\"\\uD83D\\uDE00\"");
        assert_eq!(
            written("long text before 😀 and a long text behind"),
            "\"long text before \\uD83D\\uDE00 and a long text behind\""
        );
    }

    proptest! {
        #[test]
        fn a_parser_reads_back_what_was_written(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).unwrap(), text);
        }

        /// Both ways give the same, and the short one leaves alone what it does not write.
        #[test]
        fn the_short_way_is_taken_for_plain_texts_only(text in "[ -~]{0,40}|[ -~\\x00-\\x1f\"\\\\ñ😀]{0,40}") {
            let mut out = Vec::new();
            let is_plain = text.bytes().all(|byte| (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\');
            prop_assert_eq!(write_plain_string(text.as_bytes(), &mut out), is_plain);
            prop_assert_eq!(String::from_utf8(out).unwrap(), if is_plain { written(&text) } else { String::new() });
        }

        #[test]
        fn ascii_with_escapes_at_any_place(text in "[ -~\\n\"\\\\ñ]{0,40}") {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).unwrap(), text);
        }
    }
}
