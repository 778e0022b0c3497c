//! Character sets of the servers, decoded to UTF-8.
//!
//! A column's bytes are in its own character set. UTF-8 columns, by far the most, are checked and copied. Multi-byte
//! sets of the WHATWG go through `encoding_rs`, except for the sequences that the servers map to other characters.
//! Every single-byte set has a table that a real server printed, because several of them are on no other list, and
//! MySQL's `latin1` is neither ISO 8859-1 nor quite Windows-1252. Bytes that are no character of their set become
//! U+FFFD, as the servers' own converters print `?`.

mod collations;
mod exceptions;
mod multi_byte;
mod tables;

pub use multi_byte::MultiByte;

/// How the bytes of a character column become UTF-8.
#[derive(Clone, Copy)]
pub enum Charset {
    /// `utf8mb4`, `utf8mb3`, `ascii`.
    Utf8,
    /// One unit for each byte.
    SingleByte(&'static [u16; 256]),
    /// A multi-byte set of East Asia.
    MultiByte(&'static MultiByte),
    /// `ucs2` and `utf16`, big-endian.
    Utf16,
    /// `utf16le`.
    Utf16Le,
    /// `utf32`, big-endian.
    Utf32,
}

impl std::fmt::Debug for Charset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Charset::Utf8 => "utf8",
            Charset::SingleByte(_) => "single-byte",
            Charset::MultiByte(set) => set.name(),
            Charset::Utf16 => "utf16",
            Charset::Utf16Le => "utf16le",
            Charset::Utf32 => "utf32",
        })
    }
}

/// Collation id of `binary`: the column holds bytes, not characters.
pub const BINARY_COLLATION: u32 = 63;

/// Returns the name of the character set that a collation belongs to.
pub fn charset_of_collation(collation: u32) -> Option<&'static str> {
    let index = collations::COLLATIONS.partition_point(|(first, _, _)| *first <= collation).checked_sub(1)?;
    collations::COLLATIONS.get(index).filter(|(_, last, _)| collation <= *last).map(|(_, _, name)| *name)
}

/// Returns the maximum length in bytes of a character of that set, by which the servers compute the bytes of a column;
/// 1 for an unknown set.
pub fn max_character_bytes(charset: &str) -> u32 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "utf8" | "eucjpms" | "ujis" => 3,
        "ucs2" | "big5" | "cp932" | "sjis" | "euckr" | "gb2312" | "gbk" => 2,
        _ => 1,
    }
}

impl Charset {
    /// Returns the character set of that name; `None` if it is not known.
    pub fn by_name(name: &str) -> Option<Charset> {
        Some(match name {
            "utf8mb4" | "utf8mb3" | "utf8" | "ascii" => Charset::Utf8,
            "ucs2" | "utf16" => Charset::Utf16,
            "utf16le" => Charset::Utf16Le,
            "utf32" => Charset::Utf32,
            "big5" => Charset::MultiByte(&multi_byte::BIG5),
            "cp932" => Charset::MultiByte(&multi_byte::CP932),
            "sjis" => Charset::MultiByte(&multi_byte::SJIS),
            "eucjpms" => Charset::MultiByte(&multi_byte::EUCJPMS),
            "ujis" => Charset::MultiByte(&multi_byte::UJIS),
            "euckr" => Charset::MultiByte(&multi_byte::EUCKR),
            "gb2312" => Charset::MultiByte(&multi_byte::GB2312),
            "gbk" => Charset::MultiByte(&multi_byte::GBK),
            "gb18030" => Charset::MultiByte(&multi_byte::GB18030),
            "armscii8" => Charset::SingleByte(&tables::ARMSCII8),
            "cp1250" => Charset::SingleByte(&tables::CP1250),
            "cp1251" => Charset::SingleByte(&tables::CP1251),
            "cp1256" => Charset::SingleByte(&tables::CP1256),
            "cp1257" => Charset::SingleByte(&tables::CP1257),
            "cp850" => Charset::SingleByte(&tables::CP850),
            "cp852" => Charset::SingleByte(&tables::CP852),
            "cp866" => Charset::SingleByte(&tables::CP866),
            "dec8" => Charset::SingleByte(&tables::DEC8),
            "geostd8" => Charset::SingleByte(&tables::GEOSTD8),
            "greek" => Charset::SingleByte(&tables::GREEK),
            "hebrew" => Charset::SingleByte(&tables::HEBREW),
            "hp8" => Charset::SingleByte(&tables::HP8),
            "keybcs2" => Charset::SingleByte(&tables::KEYBCS2),
            "koi8r" => Charset::SingleByte(&tables::KOI8R),
            "koi8u" => Charset::SingleByte(&tables::KOI8U),
            "latin1" => Charset::SingleByte(&tables::LATIN1),
            "latin2" => Charset::SingleByte(&tables::LATIN2),
            "latin5" => Charset::SingleByte(&tables::LATIN5),
            "latin7" => Charset::SingleByte(&tables::LATIN7),
            "macce" => Charset::SingleByte(&tables::MACCE),
            "macroman" => Charset::SingleByte(&tables::MACROMAN),
            "swe7" => Charset::SingleByte(&tables::SWE7),
            "tis620" => Charset::SingleByte(&tables::TIS620),
            _ => return None,
        })
    }

    /// Returns the character set of a collation; `None` if it is not known or `binary`.
    pub fn by_collation(collation: u32) -> Option<Charset> {
        charset_of_collation(collation).and_then(Charset::by_name)
    }

    /// Decodes `bytes` and passes the characters to `take` in pieces.
    pub fn decode(self, bytes: &[u8], mut take: impl FnMut(&str)) {
        match self {
            Charset::Utf8 => {
                // Nearly every text is valid UTF-8, and checking a whole text is several times faster than splitting it
                // into valid parts.
                if let Ok(text) = std::str::from_utf8(bytes) {
                    return take(text);
                }
                for chunk in bytes.utf8_chunks() {
                    take(chunk.valid());
                    if !chunk.invalid().is_empty() {
                        take("\u{fffd}");
                    }
                }
            }
            Charset::SingleByte(table) => {
                let mut buffer = [0; 4];
                for byte in bytes {
                    let unit = table.get(usize::from(*byte)).copied().unwrap_or(0xfffd);
                    take(character(u32::from(unit)).encode_utf8(&mut buffer));
                }
            }
            Charset::MultiByte(set) => set.decode(bytes, take),
            Charset::Utf16 => utf16(bytes, u16::from_be_bytes, take),
            Charset::Utf16Le => utf16(bytes, u16::from_le_bytes, take),
            Charset::Utf32 => {
                let mut buffer = [0; 4];
                for unit in bytes.chunks(4) {
                    let unit = <[u8; 4]>::try_from(unit).map_or(0xfffd, u32::from_be_bytes);
                    take(character(unit).encode_utf8(&mut buffer));
                }
            }
        }
    }

    /// Decodes a whole text.
    pub fn decode_to_string(self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        self.decode(bytes, |piece| text.push_str(piece));
        text
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, mut take: impl FnMut(&str)) {
    let units = bytes.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map_or(0xfffd, unit));
    let mut buffer = [0; 4];
    for character in char::decode_utf16(units) {
        take(character.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut buffer));
    }
}

fn character(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(charset: &str, bytes: &[u8], text: &str) {
        assert_eq!(Charset::by_name(charset).unwrap().decode_to_string(bytes), text, "{charset}");
    }

    #[test]
    fn text_of_every_kind_of_charset_is_decoded() {
        check("utf8mb4", "ñ😀".as_bytes(), "ñ😀");
        check("utf8mb4", b"a\xffb", "a\u{fffd}b");
        check("latin1", b"\x80\xf1", "€ñ");
        check("cp850", b"\x80\xa4", "Çñ");
        check("ucs2", &[0, 0x41, 0x20, 0xac], "A€");
        check("utf16", &[0xd8, 0x3d, 0xde, 0], "😀");
        check("utf16le", &[0x41, 0, 0xac, 0x20], "A€");
        check("utf32", &[0, 1, 0xf6, 0, 0, 0, 0, 0x41], "😀A");
        check("sjis", &[0x83, 0x65], "テ");
        check("sjis", b"a\x81\x60\xb1b", "a〜ｱb");
        check("cp932", b"a\x81\x60\xb1b", "a～ｱb");
        check("eucjpms", b"x\x8f\xf3\xf3y\xa4\xa2\xfe\xfe", "xⅰyあ\u{e3ab}");
        check("eucjpms", b"\x8f\xf3", "\u{fffd}");
        check("gb2312", b"\xa1\xa4", "・");
        check("gb18030", &[0x94, 0x39, 0xfc, 0x36], "😀");
        check("koi8u", &[0xa4], "є");
    }

    #[test]
    fn collations_of_both_servers_name_their_charset() {
        for (collation, charset) in
            [(255, "utf8mb4"), (8, "latin1"), (63, "binary"), (2304, "utf8mb4"), (33, "utf8mb3"), (1, "big5")]
        {
            assert_eq!(charset_of_collation(collation), Some(charset));
        }
        assert_eq!(charset_of_collation(999_999), None);
        assert_eq!(charset_of_collation(0), None);
    }
}
