//! DECIMAL: digits in groups of nine, each in four bytes, big-endian; the outermost groups of either side are shorter
//! (1 to 4 bytes). The first bit of a value that is not negative is set; all bits of a negative value are inverted.

use super::number::width;
use crate::error::Error;

const GROUP: u32 = 9;
const GROUP_BYTES: usize = 4;
/// Digits of a partial group by its bytes, and back.
const DIGIT_BYTES: [u8; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// Returns the length in bytes of a group of up to nine digits.
pub(crate) const fn group_bytes(digits: usize) -> usize {
    #[allow(clippy::indexing_slicing, reason = "a remainder of nine is below ten, and the function is const")]
    let bytes = DIGIT_BYTES[digits % 10];
    bytes as usize
}

/// Returns the length in bytes of a DECIMAL of that precision and scale; `None` where no server has such a type.
#[expect(clippy::cast_possible_truncation, reason = "at most 81 digits: 40 bytes")]
pub const fn decimal_bytes(precision: u8, scale: u8) -> Option<u16> {
    const DIGITS: usize = GROUP as usize;
    if precision == 0 || precision > 81 || scale > precision {
        return None;
    }
    let whole = (precision - scale) as usize;
    let scale = scale as usize;
    let bytes = whole / DIGITS * GROUP_BYTES
        + group_bytes(whole % DIGITS)
        + scale / DIGITS * GROUP_BYTES
        + group_bytes(scale % DIGITS);
    Some(bytes as u16)
}

/// A DECIMAL, read from its stored bytes.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    bytes: &'a [u8],
    precision: u8,
    scale: u8,
}

impl<'a> Decimal<'a> {
    /// Takes the stored bytes of a column of that precision and scale.
    pub fn new(bytes: &'a [u8], precision: u8, scale: u8) -> Result<Self, Error> {
        match decimal_bytes(precision, scale) {
            Some(expected) if usize::from(expected) == bytes.len() => Ok(Self { bytes, precision, scale }),
            _ => Err(width("a DECIMAL", bytes)),
        }
    }

    /// Returns the number of digits behind the point.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// Returns whether the sign is minus (a zero is never negative in a log).
    pub fn is_negative(&self) -> bool {
        self.bytes.first().is_some_and(|byte| byte & 0x80 == 0)
    }

    /// Appends the text as the server prints it: sign, digits without leading zeros but at least one, all digits of the
    /// scale.
    pub fn write_text(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.is_negative() {
            out.push(b'-');
        }
        let start = out.len();
        let whole = usize::from(self.precision - self.scale);
        let mut has_point = self.scale == 0;
        self.groups(|digits, value, is_fraction| {
            if is_fraction && !has_point {
                has_point = true;
                if out.len() == start {
                    out.push(b'0');
                }
                out.push(b'.');
            }
            push_digits(out, value, digits, is_fraction || out.len() > start);
        })?;
        if whole == 0 && self.scale == 0 || out.len() == start {
            out.push(b'0');
        }
        Ok(())
    }

    /// Appends the number without its point (the unscaled value) as a big-endian two's complement of the fewest bytes,
    /// which is how Connect and Avro store a decimal.
    pub fn write_unscaled(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.precision <= 18 {
            let mut unscaled = 0i64;
            self.groups(|digits, value, _| unscaled = unscaled * 10i64.pow(digits) + i64::from(value))?;
            let unscaled = if self.is_negative() { -unscaled } else { unscaled };
            push_trimmed(&unscaled.to_be_bytes(), out);
            return Ok(());
        }
        if self.precision <= 38 {
            let mut unscaled = 0i128;
            self.groups(|digits, value, _| unscaled = unscaled * 10i128.pow(digits) + i128::from(value))?;
            let unscaled = if self.is_negative() { -unscaled } else { unscaled };
            push_trimmed(&unscaled.to_be_bytes(), out);
            return Ok(());
        }
        // 81 digits are below 2^270: nine limbs of 32 bits, least significant first, and one for the sign.
        let mut limbs = [0u32; 10];
        self.groups(|digits, value, _| {
            let mut carry = u64::from(value);
            let factor = 10u64.pow(digits);
            for limb in &mut limbs {
                let product = u64::from(*limb) * factor + carry;
                let [a, b, c, d, ..] = product.to_le_bytes();
                *limb = u32::from_le_bytes([a, b, c, d]);
                carry = product >> 32;
            }
        })?;
        if self.is_negative() {
            let mut carry = true;
            for limb in &mut limbs {
                let (negated, overflow) = (!*limb).overflowing_add(u32::from(carry));
                *limb = negated;
                carry = overflow;
            }
        }
        let mut bytes = [0u8; 40];
        for (slot, limb) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(limbs.iter().rev()) {
            *slot = limb.to_be_bytes();
        }
        push_trimmed(&bytes, out);
        Ok(())
    }

    /// Visits the groups from the most significant one: number of digits, value, whether it stands behind the point.
    fn groups(&self, mut visit: impl FnMut(u32, u32, bool)) -> Result<(), Error> {
        let whole = u32::from(self.precision - self.scale);
        let scale = u32::from(self.scale);
        let mask = if self.is_negative() { 0xff } else { 0x00 };
        let mut rest = self.bytes;
        let mut is_first = true;
        let mut group = |digits: u32, is_fraction: bool| -> Result<(), Error> {
            let (head, tail) =
                rest.split_at_checked(group_bytes(digits as usize)).ok_or_else(|| width("a DECIMAL", self.bytes))?;
            rest = tail;
            let mut value = 0u32;
            for byte in head {
                let mut byte = byte ^ mask;
                if is_first {
                    byte ^= 0x80;
                    is_first = false;
                }
                value = value << 8 | u32::from(byte);
            }
            if u64::from(value) >= 10u64.pow(digits) {
                return Err(Error::Invalid { what: "a group of digits in a DECIMAL", value: u64::from(value) });
            }
            visit(digits, value, is_fraction);
            Ok(())
        };
        if whole % GROUP > 0 {
            group(whole % GROUP, false)?;
        }
        for _ in 0..whole / GROUP {
            group(GROUP, false)?;
        }
        for _ in 0..scale / GROUP {
            group(GROUP, true)?;
        }
        if scale % GROUP > 0 {
            group(scale % GROUP, true)?;
        }
        Ok(())
    }
}

/// Appends a big-endian two's complement without the leading bytes that only repeat the sign.
fn push_trimmed(bytes: &[u8], out: &mut Vec<u8>) {
    let fill = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0x00 };
    let redundant = bytes
        .windows(2)
        .take_while(|pair| matches!(**pair, [first, next] if first == fill && (next ^ fill) & 0x80 == 0));
    out.extend_from_slice(bytes.get(redundant.count()..).unwrap_or_default());
}

/// Appends `digits` digits of `value`, without its leading zeros unless they count.
fn push_digits(out: &mut Vec<u8>, mut value: u32, digits: u32, keeps_zeros: bool) {
    let mut text = [b'0'; GROUP as usize];
    for slot in text.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
    let text = text.get((GROUP - digits.min(GROUP)) as usize..).unwrap_or_default();
    let skip = if keeps_zeros { 0 } else { text.iter().take_while(|digit| **digit == b'0').count() };
    out.extend_from_slice(text.get(skip..).unwrap_or_default());
}
