//! Text of a result cell → bytes of a row image.
//!
//! The inverse of what the binlog decoder does with a value; formats: "Binary Log Encoding of Data Types" in the MySQL
//! Server Developer Documentation. Nothing is allocated.

use bitacora_binlog::table::{Column, ColumnType};

/// Largest decimal: 81 digits before, 38 after the point would still fit.
const DECIMAL_BYTES: usize = 40;

/// Bytes of 0 to 9 decimal digits.
const DIGIT_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// Appends the value; `None` when the text is not one of the column's type.
#[inline]
pub fn put(column: &Column, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match column.kind {
        ColumnType::TINY => integer(text, 1, out),
        ColumnType::SHORT => integer(text, 2, out),
        ColumnType::INT24 => integer(text, 3, out),
        ColumnType::LONG => integer(text, 4, out),
        ColumnType::LONGLONG => integer(text, 8, out),
        ColumnType::VARCHAR | ColumnType::STRING => {
            if column.max_bytes() > 255 {
                prefixed(text, 2, out)
            } else {
                prefixed(text, 1, out)
            }
        }
        ColumnType::BLOB | ColumnType::JSON_TEXT | ColumnType::GEOMETRY | ColumnType::VECTOR => {
            prefixed(text, usize::from(column.meta), out)
        }
        ColumnType::NEWDECIMAL => decimal(text, usize::from(column.precision()), usize::from(column.scale()), out),
        ColumnType::DATETIME2 => datetime(text, column.fractional_digits(), out),
        ColumnType::TIMESTAMP2 => timestamp(text, column.fractional_digits(), out),
        ColumnType::TIME2 => time(text, column.fractional_digits(), out),
        ColumnType::DATE => {
            let date = Date::read(&mut Digits(text))?;
            let packed = date.day | date.month << 5 | date.year << 9;
            out.extend_from_slice(packed.to_le_bytes().get(..3)?);
            Some(())
        }
        ColumnType::YEAR => {
            let year = unsigned(text)?;
            out.push(if year == 0 { 0 } else { u8::try_from(year.checked_sub(1900)?).ok()? });
            Some(())
        }
        ColumnType::FLOAT => {
            let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            out.extend_from_slice(&(value as f32).to_le_bytes());
            Some(())
        }
        ColumnType::DOUBLE => {
            let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            out.extend_from_slice(&value.to_le_bytes());
            Some(())
        }
        ColumnType::ENUM | ColumnType::SET => integer(text, usize::from(column.meta), out),
        ColumnType::BIT => {
            let bytes = usize::from(column.bits()).div_ceil(8);
            let padding = bytes.checked_sub(text.len())?;
            out.resize(out.len() + padding, 0);
            out.extend_from_slice(text);
            Some(())
        }
        _ => None,
    }
}

#[inline]
fn prefixed(bytes: &[u8], width: usize, out: &mut Vec<u8>) -> Option<()> {
    let length = (bytes.len() as u64).to_le_bytes();
    if width < 8 && (bytes.len() as u64) >> (8 * width) != 0 {
        return None;
    }
    out.extend_from_slice(length.get(..width)?);
    out.extend_from_slice(bytes);
    Some(())
}

#[inline]
fn unsigned(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { value.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

#[inline]
fn integer(text: &[u8], width: usize, out: &mut Vec<u8>) -> Option<()> {
    let value = match text.split_first() {
        Some((b'-', digits)) => unsigned(digits)?.wrapping_neg(),
        _ => unsigned(text)?,
    };
    out.extend_from_slice(value.to_le_bytes().get(..width)?);
    Some(())
}

/// Packs digits in groups of nine, big-endian; the first bit is inverted, all bits of a negative number are.
fn decimal(text: &[u8], precision: usize, scale: usize, out: &mut Vec<u8>) -> Option<()> {
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let (whole, fraction) = text.split_at_checked(point)?;
    let fraction = fraction.get(1..).unwrap_or_default();
    // A number below one prints a zero that has no place where precision and scale are equal.
    let whole = match whole.iter().position(|digit| *digit != b'0') {
        Some(first) => whole.get(first..)?,
        None => &[],
    };
    let whole_digits = precision.checked_sub(scale)?;
    if whole.len() > whole_digits || fraction.len() > scale {
        return None;
    }
    let start = out.len();
    let leading = whole_digits % 9;
    let at = |index: usize| -> u8 {
        // Digit of the whole part, counted from its full width.
        let missing = whole_digits - whole.len();
        index.checked_sub(missing).and_then(|index| whole.get(index)).copied().unwrap_or(b'0')
    };
    let mut group = |digits: &mut dyn Iterator<Item = u8>, count: usize| -> Option<()> {
        let mut value = 0_u32;
        for digit in digits {
            let digit = digit.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u32::from(digit);
        }
        let bytes = value.to_be_bytes();
        out.extend_from_slice(bytes.get(4 - DIGIT_BYTES.get(count)?..)?);
        Some(())
    };
    if leading > 0 {
        group(&mut (0..leading).map(at), leading)?;
    }
    let mut index = leading;
    while index < whole_digits {
        group(&mut (index..index + 9).map(at), 9)?;
        index += 9;
    }
    let mut index = 0;
    while index < scale {
        let count = (scale - index).min(9);
        group(&mut (index..index + count).map(|i| fraction.get(i).copied().unwrap_or(b'0')), count)?;
        index += count;
    }
    let packed = out.get_mut(start..)?;
    debug_assert!(packed.len() <= DECIMAL_BYTES);
    if let Some(first) = packed.first_mut() {
        *first ^= 0x80;
    }
    if negative {
        packed.iter_mut().for_each(|byte| *byte = !*byte);
    }
    Some(())
}

/// Digits and separators of a date or time, taken from the front.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    /// Takes a number and the separator behind it.
    #[inline]
    fn number(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        let mut count = 0;
        while let Some((byte, rest)) = self.0.split_first() {
            self.0 = rest;
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.checked_mul(10)?.checked_add(u32::from(digit))?;
            count += 1;
        }
        (count > 0).then_some(value)
    }

    /// Takes the fraction of a second as microseconds.
    #[inline]
    fn microseconds(&mut self) -> Option<u32> {
        let mut value = 0;
        if self.0.len() > 6 {
            return None;
        }
        for index in 0..6 {
            let digit = self.0.get(index).map_or(0, |byte| byte.wrapping_sub(b'0'));
            if digit > 9 {
                return None;
            }
            value = value * 10 + u32::from(digit);
        }
        Some(value)
    }
}

struct Date {
    year: u32,
    month: u32,
    day: u32,
}

impl Date {
    #[inline]
    fn read(digits: &mut Digits<'_>) -> Option<Date> {
        let date = Date { year: digits.number()?, month: digits.number()?, day: digits.number()? };
        (date.year <= 9999 && date.month <= 12 && date.day <= 31).then_some(date)
    }

    /// Days since 1970-01-01 of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    fn days(&self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * shifted + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }
}

struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    microsecond: u32,
}

impl Clock {
    #[inline]
    fn read(digits: &mut Digits<'_>) -> Option<Clock> {
        let clock = Clock {
            hour: digits.number()?,
            minute: digits.number()?,
            second: digits.number()?,
            microsecond: digits.microseconds()?,
        };
        (clock.hour <= 838 && clock.minute <= 59 && clock.second <= 59).then_some(clock)
    }
}

/// Appends the fraction in as many bytes as its digits need.
#[inline]
fn fraction(microsecond: u32, digits: u8, out: &mut Vec<u8>) -> Option<()> {
    match digits {
        0 => {}
        1 | 2 => out.push(u8::try_from(microsecond / 10_000).ok()?),
        3 | 4 => out.extend_from_slice(&u16::try_from(microsecond / 100).ok()?.to_be_bytes()),
        _ => out.extend_from_slice(microsecond.to_be_bytes().get(1..)?),
    }
    Some(())
}

fn datetime(text: &[u8], digits: u8, out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Digits(text);
    let date = Date::read(&mut reader)?;
    let clock = Clock::read(&mut reader)?;
    let day = u64::from(date.year * 13 + date.month) << 5 | u64::from(date.day);
    let second = u64::from(clock.hour << 12 | clock.minute << 6 | clock.second);
    let packed = (day << 17 | second) + 0x80_0000_0000;
    out.extend_from_slice(packed.to_be_bytes().get(3..)?);
    fraction(clock.microsecond, digits, out)
}

fn timestamp(text: &[u8], digits: u8, out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Digits(text);
    let date = Date::read(&mut reader)?;
    let clock = Clock::read(&mut reader)?;
    let seconds = if date.year == 0 {
        0
    } else {
        date.days() * 86_400 + i64::from(clock.hour * 3_600 + clock.minute * 60 + clock.second)
    };
    out.extend_from_slice(&u32::try_from(seconds).ok()?.to_be_bytes());
    fraction(clock.microsecond, digits, out)
}

/// Hours, minutes and seconds with an offset; a negative time is the two's complement of the whole, fraction included.
fn time(text: &[u8], digits: u8, out: &mut Vec<u8>) -> Option<()> {
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let clock = Clock::read(&mut Digits(text))?;
    let second = i64::from(clock.hour << 12 | clock.minute << 6 | clock.second);
    let (fraction_bytes, part) = match digits {
        0 => (0, 0),
        1 | 2 => (1, clock.microsecond / 10_000),
        3 | 4 => (2, clock.microsecond / 100),
        _ => (3, clock.microsecond),
    };
    let value = second << (8 * fraction_bytes) | i64::from(part);
    let value = if negative { -value } else { value };
    let packed = (value + (0x80_0000 << (8 * fraction_bytes))) as u64;
    out.extend_from_slice(packed.to_be_bytes().get(8 - 3 - fraction_bytes..)?);
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(kind: ColumnType, meta: u16, text: &str, expected: &[u8]) {
        let mut out = Vec::new();
        assert_eq!(put(&Column::new(kind, meta), text.as_bytes(), &mut out), Some(()), "{text}");
        assert_eq!(out, expected, "{text}");
    }

    #[test]
    fn integers() {
        check(ColumnType::TINY, 0, "-128", &[0x80]);
        check(ColumnType::INT24, 0, "-1", &[0xff; 3]);
        check(ColumnType::LONGLONG, 0, "18446744073709551615", &[0xff; 8]);
        check(ColumnType::LONGLONG, 0, "-9223372036854775808", &[0, 0, 0, 0, 0, 0, 0, 0x80]);
    }

    /// The example of the manual's page on decimals: 1234567890.1234 as DECIMAL(14,4).
    #[test]
    fn decimals() {
        let meta = 14 << 8 | 4;
        check(ColumnType::NEWDECIMAL, meta, "1234567890.1234", &[0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2]);
        check(ColumnType::NEWDECIMAL, meta, "-1234567890.1234", &[0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d]);
        check(ColumnType::NEWDECIMAL, 2 << 8 | 2, "0.05", &[0x85]);
        check(ColumnType::NEWDECIMAL, 3 << 8, "0", &[0x80, 0]);
    }

    #[test]
    fn dates_and_times() {
        check(ColumnType::DATE, 0, "2024-02-29", &[0x5d, 0xd0, 0x0f]);
        check(ColumnType::DATETIME2, 0, "0000-00-00 00:00:00", &[0x80, 0, 0, 0, 0]);
        check(ColumnType::TIMESTAMP2, 3, "1970-01-01 00:00:01.500", &[0, 0, 0, 1, 0x13, 0x88]);
        check(ColumnType::TIMESTAMP2, 0, "0000-00-00 00:00:00", &[0, 0, 0, 0]);
        check(ColumnType::TIMESTAMP2, 0, "2038-01-19 03:14:07", &[0x7f, 0xff, 0xff, 0xff]);
        check(ColumnType::TIME2, 0, "-00:00:01", &[0x7f, 0xff, 0xff]);
        check(ColumnType::TIME2, 2, "-00:00:00.01", &[0x7f, 0xff, 0xff, 0xff]);
        check(ColumnType::YEAR, 0, "0000", &[0]);
        check(ColumnType::YEAR, 0, "2155", &[255]);
    }

    #[test]
    fn other_text_is_refused() {
        for (kind, meta, text) in [
            (ColumnType::LONG, 0, "1x"),
            (ColumnType::LONG, 0, ""),
            (ColumnType::NEWDECIMAL, 3 << 8 | 1, "123.4"),
            (ColumnType::DATE, 0, "20240101"),
            (ColumnType::BIT, 8, "ab"),
            (ColumnType::VARCHAR, 100, &"x".repeat(256)),
        ] {
            assert_eq!(put(&Column::new(kind, meta), text.as_bytes(), &mut Vec::new()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_does_not_panic(kind in 0_u8..=255, meta: u16, text: Vec<u8>) {
            let _ = put(&Column::new(ColumnType(kind), meta), &text, &mut Vec::new());
        }
    }
}
