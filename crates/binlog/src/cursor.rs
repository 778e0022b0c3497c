//! A checked little-endian reader over the bytes of one event.

use crate::error::Error;

/// Walks a slice from front to back; each read names its field for the error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Returns the number of bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes;
        self.offset += rest.len();
        self.bytes = &[];
        rest
    }

    pub(crate) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Error> {
        match self.bytes.split_at_checked(count) {
            Some((head, tail)) => {
                self.bytes = tail;
                self.offset += count;
                Ok(head)
            }
            None => Err(Error::Truncated { what, needed: count, available: self.bytes.len() }),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        match self.bytes.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.bytes = tail;
                self.offset += N;
                Ok(*head)
            }
            None => Err(Error::Truncated { what, needed: N, available: self.bytes.len() }),
        }
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, Error> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, Error> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u48(&mut self, what: &'static str) -> Result<u64, Error> {
        self.array::<6>(what).map(|[a, b, c, d, e, f]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    pub(crate) fn u56(&mut self, what: &'static str) -> Result<u64, Error> {
        self.array::<7>(what).map(|[a, b, c, d, e, f, g]| u64::from_le_bytes([a, b, c, d, e, f, g, 0]))
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Error> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// Reads a length-encoded integer (manual: "Protocol::LengthEncodedInteger").
    pub(crate) fn lenenc(&mut self, what: &'static str) -> Result<u64, Error> {
        match self.u8(what)? {
            0xfc => self.u16(what).map(u64::from),
            0xfd => self.array::<3>(what).map(|[a, b, c]| u64::from(u32::from_le_bytes([a, b, c, 0]))),
            0xfe => self.u64(what),
            value @ 0..=0xfa => Ok(u64::from(value)),
            value => Err(Error::Invalid { what, value: u64::from(value) }),
        }
    }

    /// Reads a length-encoded integer and as many bytes.
    pub(crate) fn lenenc_bytes(&mut self, what: &'static str) -> Result<&'a [u8], Error> {
        let length = self.lenenc(what)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX), what)
    }

    /// Reads an integer of the serialisation library: the trailing ones of the first byte count the bytes that follow
    /// it.
    pub(crate) fn varlen(&mut self, what: &'static str) -> Result<u64, Error> {
        let first = self.u8(what)?;
        let extra = first.trailing_ones();
        let mut bytes = [0u8; 8];
        let tail = self.take(extra as usize, what)?;
        for (slot, byte) in bytes.iter_mut().zip(tail) {
            *slot = *byte;
        }
        let high = u64::from_le_bytes(bytes);
        // From seven extra bytes on the first byte is all mark and holds no bit of the value.
        if extra >= 7 { Ok(high) } else { Ok(u64::from(first >> (extra + 1)) | high << (7 - extra)) }
    }
}
