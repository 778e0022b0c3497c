//! Verifies the CRC-32 behind an event and takes it off the body.

use crate::{
    cursor::Cursor,
    error::Error,
    event::{FormatDescription, has_checksum},
    header::{CHECKSUM_BYTES, ChecksumAlgorithm, EventHeader, HEADER_BYTES},
};

pub(super) fn read_format(header: &EventHeader, event: &[u8]) -> Result<FormatDescription, Error> {
    let body = event.get(HEADER_BYTES..).unwrap_or_default();
    // Whether there is a checksum depends on the version inside: bytes 2 to 52 of the body.
    let version = body.get(2..52).unwrap_or_default();
    let version = String::from_utf8_lossy(version.split(|byte| *byte == 0).next().unwrap_or_default());
    let (body, stored) = match body.split_last_chunk::<CHECKSUM_BYTES>() {
        Some((body, stored)) if has_checksum(&version) => (body, Some(u32::from_le_bytes(*stored))),
        _ => (body, None),
    };
    let mut cursor = Cursor::new(body);
    let format =
        FormatDescription::read(&mut cursor).map_err(|error| header.locate(HEADER_BYTES + cursor.offset(), error))?;
    if let (Some(stored), ChecksumAlgorithm::Crc32) = (stored, format.checksum) {
        // The checksum is of the event as it was written, before the flag "in use" was set in the open file.
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(event.get(..17).unwrap_or_default());
        let flags = header.flags & !EventHeader::FLAG_IN_USE;
        hasher.update(&flags.to_le_bytes());
        hasher.update(body);
        compare(header, event, hasher.finalize(), stored)?;
    }
    Ok(format)
}

/// Verifies the checksum, if there is one, and returns the body.
pub(super) fn verify<'a>(
    header: &EventHeader,
    event: &'a [u8],
    checksum: ChecksumAlgorithm,
) -> Result<&'a [u8], Error> {
    let body = event.get(HEADER_BYTES..).unwrap_or_default();
    if checksum == ChecksumAlgorithm::None {
        return Ok(body);
    }
    let Some((body, stored)) = body.split_last_chunk::<CHECKSUM_BYTES>() else {
        let fault =
            Error::Truncated { what: "the checksum of an event", needed: CHECKSUM_BYTES, available: body.len() };
        return Err(header.locate(HEADER_BYTES, fault));
    };
    let covered = event.get(..event.len() - CHECKSUM_BYTES).unwrap_or_default();
    compare(header, event, crc32fast::hash(covered), u32::from_le_bytes(*stored))?;
    Ok(body)
}

/// Takes the checksum off the artificial rotate with which a dump begins, if there is one.
///
/// Whether that event has a checksum depends on the file that it names, and nothing has said so yet. Four bytes at the
/// end that are the CRC of the rest are taken for one.
pub(super) fn strip_if_present<'a>(
    header: &EventHeader,
    event: &'a [u8],
    checksum: ChecksumAlgorithm,
) -> Result<&'a [u8], Error> {
    match verify(header, event, ChecksumAlgorithm::Crc32) {
        Err(_) if checksum == ChecksumAlgorithm::None => verify(header, event, ChecksumAlgorithm::None),
        result => result,
    }
}

fn compare(header: &EventHeader, event: &[u8], computed: u32, stored: u32) -> Result<(), Error> {
    if computed == stored {
        return Ok(());
    }
    Err(header.locate(event.len().saturating_sub(CHECKSUM_BYTES), Error::Checksum { computed, stored }))
}
