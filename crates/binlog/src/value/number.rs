//! Integers, floats, BIT, ENUM and SET.

use crate::error::Error;

/// Reads a signed TINYINT, SMALLINT, MEDIUMINT, INT or BIGINT (1, 2, 3, 4 or 8 bytes).
#[inline]
pub fn signed(bytes: &[u8]) -> Result<i64, Error> {
    match *bytes {
        [a] => Ok(i64::from(a.cast_signed())),
        [a, b] => Ok(i64::from(i16::from_le_bytes([a, b]))),
        [a, b, c] => Ok(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)),
        [a, b, c, d] => Ok(i64::from(i32::from_le_bytes([a, b, c, d]))),
        [a, b, c, d, e, f, g, h] => Ok(i64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => Err(width("an integer", bytes)),
    }
}

/// Reads an unsigned TINYINT, SMALLINT, MEDIUMINT, INT or BIGINT (1, 2, 3, 4 or 8 bytes).
#[inline]
pub fn unsigned(bytes: &[u8]) -> Result<u64, Error> {
    match bytes.len() {
        1..=4 | 8 => Ok(little_endian(bytes)),
        _ => Err(width("an integer", bytes)),
    }
}

/// Reads a FLOAT.
#[inline]
pub fn float(bytes: &[u8]) -> Result<f32, Error> {
    bytes.try_into().map(f32::from_le_bytes).map_err(|_| width("a FLOAT", bytes))
}

/// Reads a DOUBLE.
#[inline]
pub fn double(bytes: &[u8]) -> Result<f64, Error> {
    bytes.try_into().map(f64::from_le_bytes).map_err(|_| width("a DOUBLE", bytes))
}

/// Reads a BIT of up to 64 bits; the stored bytes are big-endian.
#[inline]
pub fn bit(bytes: &[u8]) -> Result<u64, Error> {
    match bytes.len() {
        1..=8 => Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))),
        _ => Err(width("a BIT", bytes)),
    }
}

/// Reads the index of an ENUM: 1 is the first label, 0 the empty string that stands for an invalid value.
#[inline]
pub fn enum_index(bytes: &[u8]) -> Result<u16, Error> {
    match *bytes {
        [a] => Ok(u16::from(a)),
        [a, b] => Ok(u16::from_le_bytes([a, b])),
        _ => Err(width("an ENUM", bytes)),
    }
}

/// Reads the members of a SET: bit 0 is the first label.
#[inline]
pub fn set_bits(bytes: &[u8]) -> Result<u64, Error> {
    match bytes.len() {
        1..=8 => Ok(little_endian(bytes)),
        _ => Err(width("a SET", bytes)),
    }
}

#[inline]
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Returns the error for a value whose stored width its type does not have.
#[cold]
pub(super) fn width(what: &'static str, bytes: &[u8]) -> Error {
    Error::Width { what, bytes: bytes.len() }
}
