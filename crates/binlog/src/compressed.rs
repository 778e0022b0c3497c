//! MariaDB's compressed parts (`log_bin_compress`): a byte `1aaa.lll` (algorithm, 0 is zlib; bytes of the length), the
//! length of the plain data (big-endian), a zlib stream. In a rows event only the images are compressed, in a query
//! event only the statement.

use crate::{cursor::Cursor, error::Error};
use flate2::{Decompress, FlushDecompress, Status};

/// Inflates into `out` (cleared before), whose length never passes `limit`.
pub(crate) fn inflate(data: &[u8], limit: usize, inflater: &mut Decompress, out: &mut Vec<u8>) -> Result<(), Error> {
    const WHAT: &str = "a compressed part";
    let mut cursor = Cursor::new(data);
    let head = cursor.u8(WHAT)?;
    if head & 0x80 == 0 || head & 0x70 != 0 {
        return Err(Error::Invalid { what: "the head of a compressed part", value: u64::from(head) });
    }
    let length_bytes = cursor.take(usize::from(head & 0x07), WHAT)?;
    let announced = length_bytes.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
    let Some(announced) = usize::try_from(announced).ok().filter(|announced| *announced <= limit) else {
        return Err(Error::TooLong { what: WHAT, announced, limit: limit as u64 });
    };
    inflater.reset(true);
    run(WHAT, inflater, cursor.rest(), announced, out)
}

/// Runs a reset inflater over `input` until its end, which must come after exactly `announced` bytes.
pub(crate) fn run(
    what: &'static str,
    inflater: &mut Decompress,
    mut input: &[u8],
    announced: usize,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    out.clear();
    loop {
        // The buffer grows with the data that really comes, so that an announced length alone reserves no memory.
        out.reserve((announced + 1 - out.len()).min((64 * 1024).max(input.len() * 4)));
        let (in_before, out_before) = (inflater.total_in(), out.len());
        let status = inflater
            .decompress_vec(input, out, FlushDecompress::None)
            .map_err(|error| Error::Decompress { what, cause: std::io::Error::other(error) })?;
        let used = usize::try_from(inflater.total_in() - in_before).unwrap_or(usize::MAX);
        input = input.get(used..).unwrap_or_default();
        let is_end = status == Status::StreamEnd;
        if out.len() > announced || (is_end && out.len() < announced) {
            return Err(Error::Invalid { what: "a plain length beside compressed data", value: announced as u64 });
        }
        if is_end {
            return Ok(());
        }
        if used == 0 && out.len() == out_before {
            return Err(Error::Truncated { what, needed: announced, available: out.len() });
        }
    }
}
