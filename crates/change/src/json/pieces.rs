//! The text of a string that was written as JSON, in pieces and without a copy.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Characters of the BMP in UTF-8, as they are.
    Plain(&'a [u8]),
    /// One UTF-16 unit that was escaped: a character, or half of one beyond the BMP.
    Unit(u16),
}

/// The pieces of what [`super::StringWriter`] wrote, from quote to quote.
#[derive(Debug, Clone)]
pub(crate) struct Pieces<'a> {
    /// What is left, without the closing quote.
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// Reads a written string; its characters beyond the BMP are escaped. Anything else than a string has no pieces.
    pub(crate) fn of(written: &'a [u8]) -> Pieces<'a> {
        let text = written.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        Pieces { rest: text.unwrap_or_default() }
    }

    /// Returns the number of bytes that are left.
    pub(crate) fn byte_count(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let plain = memchr::memchr(b'\\', self.rest).unwrap_or(self.rest.len());
        if plain > 0 {
            let (piece, rest) = self.rest.split_at_checked(plain)?;
            self.rest = rest;
            return Some(Piece::Plain(piece));
        }
        let (unit, length) = match *self.rest.get(1)? {
            b'u' => {
                let digits = self.rest.get(2..6).and_then(|digits| std::str::from_utf8(digits).ok())?;
                (u16::from_str_radix(digits, 16).ok()?, 6)
            }
            b'b' => (0x08, 2),
            b't' => (0x09, 2),
            b'n' => (0x0a, 2),
            b'f' => (0x0c, 2),
            b'r' => (0x0d, 2),
            letter => (u16::from(letter), 2),
        };
        self.rest = self.rest.get(length..)?;
        Some(Piece::Unit(unit))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::write_string;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_units_of_a_written_text_come_back(text in any::<String>()) {
            let mut written = Vec::new();
            write_string(&text, &mut written);
            let mut units = Vec::new();
            for piece in Pieces::of(&written) {
                match piece {
                    Piece::Plain(bytes) => units.extend(std::str::from_utf8(bytes).unwrap().encode_utf16()),
                    Piece::Unit(unit) => units.push(unit),
                }
            }
            prop_assert_eq!(String::from_utf16(&units).unwrap(), text);
        }
    }
}
