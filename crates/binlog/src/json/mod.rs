//! MySQL's binary JSON to text, in the server's own spelling.
//!
//! Format (MySQL source documentation, `json_binary.h`): a type byte and a value. Objects and arrays: element count and
//! total size (u16 in the small form, u32 in the large one), in an object key entries (offset u16/u32, length u16),
//! then value entries (type u8, then the value itself where it fits, else an offset u16/u32), then keys and values;
//! offsets count from the container's start. Strings and opaque values have a length of 7 bits a byte. Opaque values
//! are a column type and its bytes: DECIMAL, dates, times, or anything else.
//!
//! Spelling: keys in stored order; doubles in the fewest digits that read back the same, always with a point or an
//! exponent; temporal values quoted with six digits; bytes as `"base64:typeN:…"`. Known errors of the servers' own text
//! conversion are not repeated.
//!
//! Damaged documents: nesting is limited. A document whose parts overlap could print without end; it is refused,
//! because each byte of the document may be printed only once.

mod number;
mod opaque;

use number::write_double;

use crate::error::Error;

/// White space in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum JsonStyle {
    /// `{"a":1,"b":[1,2]}`, as Debezium's stream prints.
    #[default]
    Compact,
    /// `{"a": 1, "b": [1, 2]}`, as the server prints.
    Spaced,
}

/// Deepest nesting; the servers' own limit.
pub const MAX_DEPTH: usize = 100;

const WHAT: &str = "a JSON document";

/// Appends the text of a binary document. No bytes at all are `null`, as the servers read them.
///
/// # Errors
/// When the bytes are no such document; what was appended until then stays.
pub fn write_text(binary: &[u8], style: JsonStyle, out: &mut Vec<u8>) -> Result<(), Error> {
    let Some((&kind, value)) = binary.split_first() else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let mut writer = Writer { out, style, budget: binary.len() };
    writer.value(kind, value, 0)
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    style: JsonStyle,
    /// Bytes of the document that have not been printed yet.
    budget: usize,
}

impl Writer<'_> {
    fn value(&mut self, kind: u8, bytes: &[u8], depth: usize) -> Result<(), Error> {
        match kind {
            0x00 => self.container(bytes, depth, Form { is_object: true, is_large: false }),
            0x01 => self.container(bytes, depth, Form { is_object: true, is_large: true }),
            0x02 => self.container(bytes, depth, Form { is_object: false, is_large: false }),
            0x03 => self.container(bytes, depth, Form { is_object: false, is_large: true }),
            0x04 => {
                let literal: &[u8] = match bytes.first() {
                    Some(0) => b"null",
                    Some(1) => b"true",
                    Some(2) => b"false",
                    Some(other) => return Err(Error::Invalid { what: "a JSON literal", value: u64::from(*other) }),
                    None => return Err(truncated(1, 0)),
                };
                self.out.extend_from_slice(literal);
                Ok(())
            }
            0x05 => self.signed(i64::from(i16::from_le_bytes(fixed(bytes)?))),
            0x06 => self.unsigned(u64::from(u16::from_le_bytes(fixed(bytes)?))),
            0x07 => self.signed(i64::from(i32::from_le_bytes(fixed(bytes)?))),
            0x08 => self.unsigned(u64::from(u32::from_le_bytes(fixed(bytes)?))),
            0x09 => {
                self.spend(8)?;
                self.signed(i64::from_le_bytes(fixed(bytes)?))
            }
            0x0a => {
                self.spend(8)?;
                self.unsigned(u64::from_le_bytes(fixed(bytes)?))
            }
            0x0b => {
                self.spend(8)?;
                write_double(f64::from_le_bytes(fixed(bytes)?), self.out)
            }
            0x0c => {
                let text = length_prefixed(bytes)?;
                self.spend(text.len() + 1)?;
                write_string(text, self.out);
                Ok(())
            }
            0x0f => {
                let Some((&column_type, rest)) = bytes.split_first() else { return Err(truncated(1, 0)) };
                let data = length_prefixed(rest)?;
                self.spend(data.len() + 1)?;
                opaque::write(column_type, data, self.out)
            }
            other => Err(Error::Invalid { what: "a JSON value type", value: u64::from(other) }),
        }
    }

    fn container(&mut self, bytes: &[u8], depth: usize, form: Form) -> Result<(), Error> {
        if depth >= MAX_DEPTH {
            return Err(Error::TooDeep { what: WHAT, limit: MAX_DEPTH });
        }
        let word = form.word();
        let count = form.read(bytes, 0)?;
        let size = form.read(bytes, word)?;
        let bytes = bytes.get(..size).ok_or_else(|| truncated(size, bytes.len()))?;
        self.spend(2 * word)?;
        let key_entry = if form.is_object { word + 2 } else { 0 };
        let value_entry = 1 + word;
        let values_at = 2 * word + count * key_entry;
        self.out.push(if form.is_object { b'{' } else { b'[' });
        for index in 0..count {
            if index > 0 {
                self.separator(b',');
            }
            self.spend(key_entry + value_entry)?;
            if form.is_object {
                let entry = 2 * word + index * key_entry;
                let offset = form.read(bytes, entry)?;
                let length = u16::from_le_bytes(fixed(tail(bytes, entry + word)?)?) as usize;
                let key = tail(bytes, offset)?.get(..length).ok_or_else(|| truncated(length, bytes.len()))?;
                self.spend(length)?;
                write_string(key, self.out);
                self.separator(b':');
            }
            let entry = tail(bytes, values_at + index * value_entry)?;
            let Some((&kind, inline)) = entry.split_first() else { return Err(truncated(1, 0)) };
            let is_inline = matches!(kind, 0x04..=0x06) || (form.is_large && matches!(kind, 0x07 | 0x08));
            if is_inline {
                self.value(kind, inline, depth + 1)?;
            } else {
                if matches!(kind, 0x07 | 0x08) {
                    self.spend(4)?;
                }
                let offset = form.read(inline, 0)?;
                self.value(kind, tail(bytes, offset)?, depth + 1)?;
            }
        }
        self.out.push(if form.is_object { b'}' } else { b']' });
        Ok(())
    }

    fn separator(&mut self, byte: u8) {
        self.out.push(byte);
        if self.style == JsonStyle::Spaced {
            self.out.push(b' ');
        }
    }

    fn signed(&mut self, value: i64) -> Result<(), Error> {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        Ok(())
    }

    fn unsigned(&mut self, value: u64) -> Result<(), Error> {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        Ok(())
    }

    /// Subtracts printed bytes from those of the document, each of which may be printed once.
    fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(Error::Invalid {
                what: "a JSON document whose parts overlap: a part's length",
                value: bytes as u64,
            }),
        }
    }
}

#[derive(Clone, Copy)]
struct Form {
    is_object: bool,
    is_large: bool,
}

impl Form {
    fn word(self) -> usize {
        if self.is_large { 4 } else { 2 }
    }

    fn read(self, bytes: &[u8], at: usize) -> Result<usize, Error> {
        let bytes = tail(bytes, at)?;
        Ok(if self.is_large {
            u32::from_le_bytes(fixed(bytes)?) as usize
        } else {
            usize::from(u16::from_le_bytes(fixed(bytes)?))
        })
    }
}

fn truncated(needed: usize, available: usize) -> Error {
    Error::Truncated { what: WHAT, needed, available }
}

fn tail(bytes: &[u8], at: usize) -> Result<&[u8], Error> {
    bytes.get(at..).ok_or_else(|| truncated(at, bytes.len()))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Error> {
    bytes.first_chunk::<N>().copied().ok_or_else(|| truncated(N, bytes.len()))
}

/// Reads a length of 7 bits a byte, least significant first, at most five bytes, and the bytes that follow it.
fn length_prefixed(bytes: &[u8]) -> Result<&[u8], Error> {
    let mut length = 0usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let text = tail(bytes, index + 1)?;
            return text.get(..length).ok_or_else(|| truncated(length, text.len()));
        }
    }
    Err(truncated(1, 0))
}

/// Appends a quoted string with the server's escapes: the short ones, and `\u00xx` for other control characters.
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut plain_from = 0;
    for (index, &byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            0x00..=0x1f => 0,
            _ => continue,
        };
        out.extend_from_slice(text.get(plain_from..index).unwrap_or_default());
        plain_from = index + 1;
        if short == 0 {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0x0f)]);
        } else {
            out.extend_from_slice(&[b'\\', short]);
        }
    }
    out.extend_from_slice(text.get(plain_from..).unwrap_or_default());
    out.push(b'"');
}
