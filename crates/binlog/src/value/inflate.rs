//! MariaDB's COMPRESSED columns (types 140 and 141), whose stored bytes carry their own compression.
//!
//! A byte `mmmm r lll`: method m (0: the plain bytes follow; 8: zlib), r set for a raw stream without zlib's header,
//! bytes of the length; then the plain length (big-endian) and the stream. No bytes at all are the empty value. Source:
//! MariaDB `sql/compression` of columns.

use crate::error::Error;
use flate2::Decompress;

const WHAT: &str = "a COMPRESSED column";

/// Inflates values of COMPRESSED columns; kept and reused.
#[derive(Debug)]
pub struct ColumnInflater {
    zlib: Decompress,
    raw: Decompress,
    plain: Vec<u8>,
    limit: usize,
}

impl ColumnInflater {
    /// Creates an inflater whose values may have at most `limit_bytes` bytes.
    pub fn new(limit_bytes: usize) -> Self {
        Self { zlib: Decompress::new(true), raw: Decompress::new(false), plain: Vec::new(), limit: limit_bytes }
    }

    /// Returns the plain bytes of a stored value.
    pub fn inflate<'a>(&'a mut self, stored: &'a [u8]) -> Result<&'a [u8], Error> {
        let Some((&head, rest)) = stored.split_first() else { return Ok(&[]) };
        match head >> 4 {
            0 => return Ok(rest),
            8 => {}
            method => {
                return Err(Error::Invalid { what: "the method of a COMPRESSED column", value: u64::from(method) });
            }
        }
        let length_bytes = usize::from(head & 0x07);
        let Some((length, input)) = rest.split_at_checked(length_bytes) else {
            return Err(Error::Truncated { what: WHAT, needed: length_bytes, available: rest.len() });
        };
        let announced = length.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
        let Some(announced) = usize::try_from(announced).ok().filter(|announced| *announced <= self.limit) else {
            return Err(Error::TooLong { what: WHAT, announced, limit: self.limit as u64 });
        };
        let is_raw = head & 0x08 != 0;
        let inflater = if is_raw { &mut self.raw } else { &mut self.zlib };
        inflater.reset(!is_raw);
        crate::compressed::run(WHAT, inflater, input, announced, &mut self.plain)?;
        Ok(&self.plain)
    }
}
