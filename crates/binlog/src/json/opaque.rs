//! Values of other column types inside a JSON document.

use crate::{
    error::Error,
    table::ColumnType,
    value::{Decimal, packed_datetime, packed_time},
};

const WHAT: &str = "an opaque JSON value";

/// Appends the value: a number for DECIMAL, a quoted text for everything else.
pub(super) fn write(column_type: u8, data: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    match ColumnType(column_type) {
        ColumnType::NEWDECIMAL => {
            let Some((&[precision, scale], digits)) = data.split_first_chunk::<2>() else {
                return Err(Error::Truncated { what: WHAT, needed: 2, available: data.len() });
            };
            Decimal::new(digits, precision, scale)?.write_text(out)
        }
        ColumnType::DATE | ColumnType::NEWDATE => quoted(out, data, |packed, out| {
            packed_datetime(packed).date.write_text(out);
        }),
        ColumnType::DATETIME | ColumnType::TIMESTAMP | ColumnType::DATETIME2 | ColumnType::TIMESTAMP2 => {
            quoted(out, data, |packed, out| packed_datetime(packed).write_text(6, out))
        }
        ColumnType::TIME | ColumnType::TIME2 => quoted(out, data, |packed, out| packed_time(packed).write_text(6, out)),
        _ => {
            out.extend_from_slice(b"\"base64:type");
            out.extend_from_slice(itoa::Buffer::new().format(column_type).as_bytes());
            out.push(b':');
            write_base64(data, out);
            out.push(b'"');
            Ok(())
        }
    }
}

fn quoted(out: &mut Vec<u8>, data: &[u8], write: impl FnOnce(i64, &mut Vec<u8>)) -> Result<(), Error> {
    let packed: [u8; 8] =
        data.try_into().map_err(|_| Error::Truncated { what: WHAT, needed: 8, available: data.len() })?;
    out.push(b'"');
    write(i64::from_le_bytes(packed), out);
    out.push(b'"');
    Ok(())
}

/// Standard alphabet with padding; the server breaks the line after each 76 characters, and a JSON string shows the
/// break as `\\n`.
fn write_base64(data: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.reserve(data.len().div_ceil(3) * 4);
    const LINE_CHUNKS: usize = 76 / 4;
    for (index, chunk) in data.chunks(3).enumerate() {
        if index > 0 && index % LINE_CHUNKS == 0 {
            out.extend_from_slice(b"\\n");
        }
        let mut group = [0u8; 3];
        for (slot, byte) in group.iter_mut().zip(chunk) {
            *slot = *byte;
        }
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let is_padding = index > chunk.len();
            let symbol = ALPHABET.get((bits >> shift & 0x3f) as usize).copied().unwrap_or(b'=');
            out.push(if is_padding { b'=' } else { symbol });
        }
    }
}
