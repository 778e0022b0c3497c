//! One encoder for each kind of column: stored bytes in, JSON out.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use bitacora_binlog::value::{self, Date, DateTime, Decimal, Timestamp};
use bitacora_binlog::{Error, json as binary_json};

use super::rewrite::Rewrite;
use crate::charset::Charset;
use crate::json::{
    StringWriter, write_base64, write_double, write_float, write_integer, write_plain_string, write_unsigned,
};
use crate::scratch::Scratch;

/// How the stored bytes of a column become JSON.
#[derive(Debug, Clone)]
pub(crate) enum Encoder {
    Signed,
    /// Unsigned of up to 32 bits.
    Unsigned,
    /// Unsigned of 64 bits, printed as the signed number of the same bits.
    UnsignedWrapping,
    Boolean,
    Bits,
    Float,
    FloatAsDouble,
    Double,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Text(Charset),
    InflatedText(Charset),
    Bytes,
    InflatedBytes,
    /// BINARY(n): the log omits trailing zero bytes, which are added again.
    PaddedBytes(usize),
    Json,
    JsonText,
    /// Labels as JSON strings.
    Enum(Vec<Vec<u8>>),
    /// Labels as JSON strings without their quotes.
    Set(Vec<Vec<u8>>),
    Year,
    Date,
    Time(Temporal),
    DateTime(Temporal),
    Timestamp(Temporal),
    Geometry,
    Point,
    Vector,
    Uuid,
    Inet4,
    Inet6,
    /// The same JSON for every value.
    Constant(Vec<u8>),
    /// What another encoder writes, changed.
    Rewritten(Box<(Encoder, Rewrite)>),
}

/// How a temporal value is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Temporal {
    /// Before MySQL 5.6, without a fraction.
    Old,
    /// With this many fractional digits.
    Digits(u8),
}

impl Encoder {
    /// Returns what is printed for an unrepresentable value if the column is NOT NULL and has no default.
    pub(super) fn zero(&self) -> &'static [u8] {
        match self {
            Encoder::Timestamp(_) => b"\"1970-01-01T00:00:00Z\"",
            _ => b"0",
        }
    }

    /// Returns whether the column holds characters, labels among them.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Encoder::Text(_) | Encoder::InflatedText(_) | Encoder::Enum(_) | Encoder::Set(_))
    }

    /// Returns whether the column holds bytes that are not a number.
    pub(super) fn is_bytes(&self) -> bool {
        matches!(self, Encoder::Bytes | Encoder::InflatedBytes | Encoder::PaddedBytes(_))
    }

    /// Appends the JSON of a value. Returns false, and appends nothing, for a value that Debezium's types cannot hold:
    /// a date that is zero or has a month or day of zero.
    #[allow(clippy::too_many_lines, reason = "one plain match, a few lines for each type")]
    pub(super) fn write(&self, bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<bool, Error> {
        match self {
            Encoder::Signed => write_integer(value::signed(bytes)?, out),
            Encoder::Unsigned => write_unsigned(value::unsigned(bytes)?, out),
            Encoder::UnsignedWrapping => write_integer(value::unsigned(bytes)?.cast_signed(), out),
            Encoder::Boolean => {
                out.extend_from_slice(if value::bit(bytes)? == 0 { b"false" } else { b"true" });
            }
            Encoder::Bits => {
                let little_endian = value::bit(bytes)?.to_le_bytes();
                quoted_base64(little_endian.get(..bytes.len()).unwrap_or(&little_endian), out);
            }
            Encoder::Float => write_float(value::float(bytes)?, out),
            Encoder::FloatAsDouble => write_double(f64::from(value::float(bytes)?), out),
            Encoder::Double => write_double(value::double(bytes)?, out),
            Encoder::Decimal { precision, scale } => decimal(bytes, *precision, *scale, out)?,
            Encoder::Text(charset) => text(*charset, bytes, out),
            Encoder::InflatedText(charset) => text(*charset, scratch.inflater().inflate(bytes)?, out),
            Encoder::Bytes => quoted_base64(bytes, out),
            Encoder::InflatedBytes => quoted_base64(scratch.inflater().inflate(bytes)?, out),
            Encoder::PaddedBytes(length) if bytes.len() < *length => {
                let mut padded = [0; 255];
                if let (Some(padded), true) = (padded.get_mut(..*length), bytes.len() <= *length) {
                    if let Some(start) = padded.get_mut(..bytes.len()) {
                        start.copy_from_slice(bytes);
                    }
                    quoted_base64(padded, out);
                }
            }
            Encoder::PaddedBytes(_) => quoted_base64(bytes, out),
            Encoder::Json => json(bytes, scratch, out)?,
            Encoder::JsonText => compact_json(bytes, out),
            Encoder::Enum(labels) => {
                let index = usize::from(value::enum_index(bytes)?);
                match index.checked_sub(1).and_then(|index| labels.get(index)) {
                    Some(label) => out.extend_from_slice(label),
                    None => out.extend_from_slice(b"\"\""),
                }
            }
            Encoder::Set(labels) => set(value::set_bits(bytes)?, labels, out),
            Encoder::Year => write_integer(i64::from(value::year(bytes)?), out),
            Encoder::Date => match adjusted(value::date(bytes)?).days_since_epoch() {
                Some(days) => write_integer(days, out),
                None => return Ok(false),
            },
            Encoder::Time(stored) => {
                let time = match stored {
                    Temporal::Old => value::time(bytes)?,
                    Temporal::Digits(digits) => value::time2(bytes, *digits)?,
                };
                write_integer(time.microseconds(), out);
            }
            Encoder::DateTime(stored) => {
                let (datetime, digits) = match stored {
                    Temporal::Old => (value::datetime(bytes)?, 0),
                    Temporal::Digits(digits) => (value::datetime2(bytes, *digits)?, *digits),
                };
                let datetime = DateTime { date: adjusted(datetime.date), ..datetime };
                match datetime.microseconds_since_epoch() {
                    Some(microseconds) if digits > 3 => write_integer(microseconds, out),
                    Some(microseconds) => write_integer(microseconds.div_euclid(1_000), out),
                    None => return Ok(false),
                }
            }
            Encoder::Timestamp(stored) => {
                let (timestamp, digits) = match stored {
                    Temporal::Old => (value::timestamp(bytes)?, 0),
                    Temporal::Digits(digits) => (value::timestamp2(bytes, *digits)?, *digits),
                };
                if timestamp.seconds == 0 && timestamp.microsecond == 0 {
                    return Ok(false);
                }
                zoned_timestamp(timestamp, digits, out);
            }
            Encoder::Geometry => geometry(bytes, out),
            Encoder::Point => point(bytes, out),
            Encoder::Vector => vector(bytes, out),
            Encoder::Uuid => uuid(bytes, out),
            Encoder::Inet4 => {
                let mut octets = [0; 4];
                pad_into(bytes, &mut octets);
                quoted(Ipv4Addr::from(octets), out);
            }
            Encoder::Inet6 => {
                let mut octets = [0; 16];
                pad_into(bytes, &mut octets);
                quoted(Ipv6Addr::from(octets), out);
            }
            Encoder::Constant(constant) => out.extend_from_slice(constant),
            Encoder::Rewritten(parts) => {
                let (encoder, rewrite) = &**parts;
                let start = out.len();
                if !encoder.write(bytes, scratch, out)? {
                    return Ok(false);
                }
                rewrite.apply(start, &mut scratch.text, out);
            }
        }
        Ok(true)
    }
}

/// Writes what needs no escape.
fn quoted(address: impl std::fmt::Display, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    write!(out, "\"{address}\"").ok();
}

fn quoted_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_base64(bytes, out);
    out.push(b'"');
}

fn text(charset: Charset, bytes: &[u8], out: &mut Vec<u8>) {
    if matches!(charset, Charset::Utf8) && write_plain_string(bytes, out) {
        return;
    }
    let mut writer = StringWriter::begin(out);
    charset.decode(bytes, |piece| writer.push(piece));
    writer.end();
}

/// Writes the unscaled value in Base64. Its bytes are appended to the output first, and then replaced by their Base64.
fn decimal(bytes: &[u8], precision: u8, scale: u8, out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    Decimal::new(bytes, precision, scale)?.write_unscaled(out)?;
    let mut unscaled = [0; 40];
    let length = out.len() - start;
    if let (Some(copy), Some(written)) = (unscaled.get_mut(..length), out.get(start..)) {
        copy.copy_from_slice(written);
    }
    out.truncate(start);
    quoted_base64(unscaled.get(..length).unwrap_or_default(), out);
    Ok(())
}

/// Writes the document's text as a JSON string: first into the scratch, then escaped into the output.
fn json(bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<(), Error> {
    scratch.text.clear();
    binary_json::write_text(bytes, binary_json::JsonStyle::Compact, &mut scratch.text)?;
    text(Charset::Utf8, &scratch.text, out);
    Ok(())
}

/// Writes the server's own text without the spaces behind `:` and `,`.
fn compact_json(bytes: &[u8], out: &mut Vec<u8>) {
    let mut writer = StringWriter::begin(out);
    let (mut start, mut in_string, mut is_escaped) = (0, false, false);
    for (index, byte) in bytes.iter().enumerate() {
        if in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else if *byte == b'"' {
            in_string = true;
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            Charset::Utf8.decode(bytes.get(start..index).unwrap_or_default(), |piece| writer.push(piece));
            start = index + 1;
        }
    }
    Charset::Utf8.decode(bytes.get(start..).unwrap_or_default(), |piece| writer.push(piece));
    writer.end();
}

fn set(bits: u64, labels: &[Vec<u8>], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut is_first = true;
    for (index, label) in labels.iter().take(64).enumerate() {
        if bits >> index & 1 == 1 {
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            out.extend_from_slice(label);
        }
    }
    out.push(b'"');
}

/// Moves a year of one or two digits to 1970 to 2069, as Debezium's time adjuster does.
pub(super) fn adjusted(date: Date) -> Date {
    match date.year {
        _ if date.is_zero() => date,
        0..=69 => Date { year: date.year + 2_000, ..date },
        70..=99 => Date { year: date.year + 1_900, ..date },
        _ => date,
    }
}

fn zoned_timestamp(timestamp: Timestamp, digits: u8, out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    timestamp.to_datetime().write_text(digits, out);
    // The text is `YYYY-MM-DD HH:MM:SS` with its fraction.
    if let Some(separator) = out.get_mut(start + 10) {
        *separator = b'T';
    }
    out.extend_from_slice(b"Z\"");
}

/// Writes a geometry, which is stored as its SRID (four bytes, little-endian; 0 means none) and its WKB.
fn split_srid(bytes: &[u8]) -> (u32, &[u8]) {
    bytes.split_first_chunk::<4>().map_or((0, bytes), |(srid, wkb)| (u32::from_le_bytes(*srid), wkb))
}

fn geometry(bytes: &[u8], out: &mut Vec<u8>) {
    let (srid, wkb) = split_srid(bytes);
    out.extend_from_slice(b"{\"wkb\":");
    quoted_base64(wkb, out);
    out.extend_from_slice(b",\"srid\":");
    write_srid(srid, out);
    out.push(b'}');
}

fn point(bytes: &[u8], out: &mut Vec<u8>) {
    let (srid, wkb) = split_srid(bytes);
    let coordinate = |at: usize| {
        wkb.get(at..).and_then(|rest| rest.first_chunk::<8>()).map_or(0.0, |bytes| f64::from_le_bytes(*bytes))
    };
    out.extend_from_slice(b"{\"x\":");
    write_double(coordinate(5), out);
    out.extend_from_slice(b",\"y\":");
    write_double(coordinate(13), out);
    out.extend_from_slice(b",\"wkb\":");
    quoted_base64(wkb, out);
    out.extend_from_slice(b",\"srid\":");
    write_srid(srid, out);
    out.push(b'}');
}

fn write_srid(srid: u32, out: &mut Vec<u8>) {
    if srid == 0 {
        out.extend_from_slice(b"null");
    } else {
        write_integer(i64::from(srid), out);
    }
}

fn vector(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, float) in bytes.chunks_exact(4).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_float(<[u8; 4]>::try_from(float).map_or(0.0, f32::from_le_bytes), out);
    }
    out.push(b']');
}

/// Writes a UUID. The log omits its trailing zero bytes, which are added again.
fn uuid(bytes: &[u8], out: &mut Vec<u8>) {
    let mut octets = [0; 16];
    pad_into(bytes, &mut octets);
    out.push(b'"');
    for (index, octet) in octets.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        for nibble in [octet >> 4, octet & 15] {
            out.push(b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'0'));
        }
    }
    out.push(b'"');
}

fn pad_into(bytes: &[u8], octets: &mut [u8]) {
    for (octet, byte) in octets.iter_mut().zip(bytes) {
        *octet = *byte;
    }
}
