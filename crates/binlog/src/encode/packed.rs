//! The packed forms of DECIMAL and the temporal types.

use crate::value::{Date, DateTime, Time, Timestamp, decimal_bytes, group_bytes};

/// Why a value does not fit; the writer adds which column and value.
pub(super) type Reason = &'static str;

/// Appends a DECIMAL. Leading zeros do not count, missing digits behind the point are zeros.
pub(super) fn decimal(text: &[u8], precision: u8, scale: u8, out: &mut Vec<u8>) -> Result<(), Reason> {
    const GROUP: usize = 9;
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    let whole = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or_default();
    let are_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    if !are_digits || whole.len() + fraction.len() == 0 {
        return Err("it is not a decimal number");
    }
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    let whole = whole.get(zeros..).unwrap_or_default();
    let (whole_digits, scale_digits) = (usize::from(precision - scale.min(precision)), usize::from(scale));
    if whole.len() > whole_digits {
        return Err("it has more digits before the point than the column");
    }
    let (fraction, beyond) = fraction.split_at(fraction.len().min(scale_digits));
    if beyond.iter().any(|digit| *digit != b'0') {
        return Err("it has more digits behind the point than the column");
    }
    if decimal_bytes(precision, scale).is_none() {
        return Err("the column has no such precision and scale");
    }
    let digit = |index: usize| -> u32 {
        // Index 0 is the first digit of the column, whole digits first.
        let found = match index.checked_sub(whole_digits) {
            None => (index + whole.len()).checked_sub(whole_digits).and_then(|index| whole.get(index)),
            Some(index) => fraction.get(index),
        };
        found.map_or(0, |digit| u32::from(digit - b'0'))
    };
    let start = out.len();
    let mut at = 0;
    let mut group = |digits: usize, out: &mut Vec<u8>| {
        let value = (at..at + digits).fold(0u32, |value, index| value * 10 + digit(index));
        at += digits;
        let bytes = value.to_be_bytes();
        out.extend_from_slice(bytes.get(4 - group_bytes(digits)..).unwrap_or_default());
    };
    group(whole_digits % GROUP, out);
    for _ in 0..whole_digits / GROUP {
        group(GROUP, out);
    }
    for _ in 0..scale_digits / GROUP {
        group(GROUP, out);
    }
    group(scale_digits % GROUP, out);
    let is_zero = out.iter().skip(start).all(|byte| *byte == 0);
    if let Some(first) = out.get_mut(start) {
        *first ^= 0x80;
    }
    if is_negative && !is_zero {
        out.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

/// Appends a DATE.
pub(super) fn date(date: Date, out: &mut Vec<u8>) {
    let packed = u32::from(date.year) << 9 | u32::from(date.month & 0x0f) << 5 | u32::from(date.day & 0x1f);
    out.extend(packed.to_le_bytes().into_iter().take(3));
}

/// Appends a DATETIME in the form from before MySQL 5.6.
pub(super) fn datetime_old(value: DateTime, out: &mut Vec<u8>) {
    let date = u64::from(value.date.year) * 10_000 + u64::from(value.date.month) * 100 + u64::from(value.date.day);
    let time = u64::from(value.hour) * 10_000 + u64::from(value.minute) * 100 + u64::from(value.second);
    out.extend_from_slice(&(date * 1_000_000 + time).to_le_bytes());
}

/// Appends a DATETIME.
pub(super) fn datetime(value: DateTime, digits: u8, out: &mut Vec<u8>) -> Result<(), Reason> {
    let months = u64::from(value.date.year) * 13 + u64::from(value.date.month);
    let days = months << 5 | u64::from(value.date.day & 0x1f);
    let packed = days << 17
        | u64::from(value.hour & 0x1f) << 12
        | u64::from(value.minute & 0x3f) << 6
        | u64::from(value.second & 0x3f);
    out.extend((packed ^ 1 << 39).to_be_bytes().into_iter().skip(3));
    fraction(value.microsecond, digits, out)
}

/// Appends a TIMESTAMP.
pub(super) fn timestamp(value: Timestamp, digits: u8, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.extend_from_slice(&value.seconds.to_be_bytes());
    fraction(value.microsecond, digits, out)
}

/// Appends a TIME in the form from before MySQL 5.6.
pub(super) fn time_old(value: Time, out: &mut Vec<u8>) {
    let span = i32::from(value.hour) * 10_000 + i32::from(value.minute) * 100 + i32::from(value.second);
    let packed = if value.is_negative { -span } else { span };
    out.extend(packed.to_le_bytes().into_iter().take(3));
}

/// Appends a TIME: sign and fraction are one number.
pub(super) fn time(value: Time, digits: u8, out: &mut Vec<u8>) -> Result<(), Reason> {
    let seconds =
        i64::from(value.hour & 0x3ff) << 12 | i64::from(value.minute & 0x3f) << 6 | i64::from(value.second & 0x3f);
    let (bytes, unit) = match digits {
        0 => (3, 1_000_000),
        1 | 2 => (4, 10_000),
        3 | 4 => (5, 100),
        5 | 6 => (6, 1),
        _ => return Err("the column has no such number of fractional digits"),
    };
    if !value.microsecond.is_multiple_of(power(digits)) {
        return Err("its fraction has more digits than the column");
    }
    let shift = 8 * (bytes - 3);
    let span = seconds << shift | i64::from(value.microsecond / unit);
    let packed = if value.is_negative { -span } else { span } + (1 << (8 * bytes - 1));
    out.extend(packed.to_be_bytes().into_iter().skip(8 - bytes));
    Ok(())
}

fn fraction(microsecond: u32, digits: u8, out: &mut Vec<u8>) -> Result<(), Reason> {
    if digits > 6 || !microsecond.is_multiple_of(power(digits)) {
        return Err("its fraction has more digits than the column");
    }
    let (value, bytes) = match digits {
        0 => return Ok(()),
        1 | 2 => (microsecond / 10_000, 1),
        3 | 4 => (microsecond / 100, 2),
        _ => (microsecond, 3),
    };
    out.extend(value.to_be_bytes().into_iter().skip(4 - bytes));
    Ok(())
}

/// Millionths in one unit of the last of `digits` digits.
fn power(digits: u8) -> u32 {
    10u32.pow(u32::from(6 - digits.min(6)))
}
