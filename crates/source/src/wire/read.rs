//! Checked reading of protocol integers and strings from one packet.

/// Takes fields from the front of a packet. A method returns `None` if the packet is too short for the field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Creates a reader at the first byte of a packet.
    pub(super) fn new(packet: &'a [u8]) -> Reader<'a> {
        Reader { rest: packet }
    }

    /// Returns the bytes that were not taken yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns whether all bytes were taken.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes `count` bytes.
    #[inline]
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// Takes one byte.
    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Takes a 16-bit integer.
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.bytes(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    /// Takes a 32-bit integer.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.bytes(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    /// Takes an integer of one to nine bytes, whose first byte says how long it is (`int<lenenc>`).
    #[inline]
    pub(super) fn length_encoded(&mut self) -> Option<u64> {
        let width = match self.u8()? {
            value @ 0..=250 => return Some(u64::from(value)),
            0xfc => 2,
            0xfd => 3,
            0xfe => 8,
            _ => return None,
        };
        let taken = self.bytes(width)?;
        Some(taken.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// Takes a string that follows its length (`string<lenenc>`).
    #[inline]
    pub(super) fn length_encoded_bytes(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.length_encoded()?).ok()?;
        self.bytes(count)
    }

    /// Takes a string up to a zero byte, or up to the end if there is none.
    pub(super) fn until_zero(&mut self) -> &'a [u8] {
        match memchr::memchr(0, self.rest) {
            Some(at) => {
                let taken = self.bytes(at).unwrap_or_default();
                self.rest = self.rest.get(1..).unwrap_or_default();
                taken
            }
            None => std::mem::take(&mut self.rest),
        }
    }
}

/// Appends an integer as `int<lenenc>`.
#[expect(clippy::cast_possible_truncation, reason = "the arm has the bound")]
pub(crate) fn put_length(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=250 => out.push(value as u8),
        251..=0xffff => {
            out.push(0xfc);
            out.extend_from_slice(&(value as u16).to_le_bytes());
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            out.extend(value.to_le_bytes().iter().take(3));
        }
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Appends a string as `string<lenenc>`.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_length_is_read_as_written(value: u64) {
            for value in [value, value >> 24, value >> 40, value >> 48, value >> 56] {
                let mut out = Vec::new();
                put_length(&mut out, value);
                let mut reader = Reader::new(&out);
                prop_assert_eq!(reader.length_encoded(), Some(value));
                prop_assert!(reader.is_empty());
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while !reader.is_empty() {
                let before = reader.rest().len();
                if reader.length_encoded_bytes().is_none() { reader.until_zero(); }
                if reader.rest().len() == before { break; }
            }
        }
    }

    #[test]
    fn a_string_ends_at_zero_or_at_the_end() {
        let mut reader = Reader::new(b"ab\0cd");
        assert_eq!(reader.until_zero(), b"ab");
        assert_eq!(reader.until_zero(), b"cd");
        assert!(reader.is_empty());
    }
}
