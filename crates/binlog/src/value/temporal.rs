//! DATE, TIME, DATETIME, TIMESTAMP, YEAR.
//!
//! The forms of MySQL 5.6 (`…2`) are big-endian so that they sort, with a fraction of 0 to 3 bytes behind (1–2 digits:
//! hundredths, 3–4: ten-thousandths, 5–6: millionths). DATETIME2 is 5 bytes: year × 13 + month (17 bits), day 5, hour
//! 5, minute 6, second 6, plus 2^39. TIME2 is 3 bytes: hour 10 bits, minute 6, second 6, plus 2^23; a negative time is
//! the negated number *with* its fraction. TIMESTAMP2 is seconds since 1970. Dates may be zero or partly zero.

use super::number::width;
use crate::error::Error;

/// A calendar date; any part may be 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Date {
    /// Year, 0 to 9999.
    pub year: u16,
    /// Month, 0 to 12.
    pub month: u8,
    /// Day, 0 to 31.
    pub day: u8,
}

/// Date and time of day without a zone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct DateTime {
    /// The date.
    pub date: Date,
    /// Hour.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
    /// Fraction in millionths.
    pub microsecond: u32,
}

/// A point in time; 0 seconds is the zero value `0000-00-00 00:00:00`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Timestamp {
    /// Seconds since 1970 (to 2106 in MariaDB from 11.5, to 2038 elsewhere).
    pub seconds: u32,
    /// Fraction in millionths.
    pub microsecond: u32,
}

/// A time span between −838:59:59.999999 and 838:59:59.999999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Time {
    /// Whether the sign is minus.
    pub is_negative: bool,
    /// Hours.
    pub hour: u16,
    /// Minutes.
    pub minute: u8,
    /// Seconds.
    pub second: u8,
    /// Fraction in millionths.
    pub microsecond: u32,
}

/// Reads a DATE (3 bytes).
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a date or time, which its bit field or remainder keeps small"
)]
pub fn date(bytes: &[u8]) -> Result<Date, Error> {
    match *bytes {
        [a, b, c] => {
            let packed = u32::from_le_bytes([a, b, c, 0]);
            Ok(Date { year: (packed >> 9) as u16, month: (packed >> 5 & 0x0f) as u8, day: (packed & 0x1f) as u8 })
        }
        _ => Err(width("a DATE", bytes)),
    }
}

/// Reads a DATETIME in the form from before MySQL 5.6 (8 bytes, decimal `YYYYMMDDhhmmss`).
#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a date or time, which its bit field or remainder keeps small"
)]
pub fn datetime(bytes: &[u8]) -> Result<DateTime, Error> {
    let packed = bytes.try_into().map(u64::from_le_bytes).map_err(|_| width("a DATETIME", bytes))?;
    let part = |divisor: u64| (packed / divisor % 100) as u8;
    let year = packed / 10_000_000_000;
    if year > 9999 {
        return Err(Error::Invalid { what: "a DATETIME", value: packed });
    }
    Ok(DateTime {
        date: Date { year: year as u16, month: part(100_000_000), day: part(1_000_000) },
        hour: part(10_000),
        minute: part(100),
        second: part(1),
        microsecond: 0,
    })
}

/// Reads a DATETIME with `digits` digits behind the second.
#[inline]
pub fn datetime2(bytes: &[u8], digits: u8) -> Result<DateTime, Error> {
    let Some((&[a, b, c, d, e], fraction)) = bytes.split_first_chunk::<5>() else {
        return Err(width("a DATETIME", bytes));
    };
    let packed = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]) ^ 1 << 39;
    let microsecond = microseconds(fraction, digits).ok_or_else(|| width("a DATETIME", bytes))?;
    if packed >> 39 != 0 {
        return Err(Error::Invalid { what: "a DATETIME", value: packed });
    }
    Ok(split_datetime(packed, microsecond))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a date or time, which its bit field or remainder keeps small"
)]
fn split_datetime(packed: u64, microsecond: u32) -> DateTime {
    let months = packed >> 22;
    DateTime {
        date: Date { year: (months / 13) as u16, month: (months % 13) as u8, day: (packed >> 17 & 0x1f) as u8 },
        hour: (packed >> 12 & 0x1f) as u8,
        minute: (packed >> 6 & 0x3f) as u8,
        second: (packed & 0x3f) as u8,
        microsecond,
    }
}

/// Reads a TIMESTAMP in the form from before MySQL 5.6 (4 bytes).
pub fn timestamp(bytes: &[u8]) -> Result<Timestamp, Error> {
    let seconds = bytes.try_into().map(u32::from_le_bytes).map_err(|_| width("a TIMESTAMP", bytes))?;
    Ok(Timestamp { seconds, microsecond: 0 })
}

/// Reads a TIMESTAMP with `digits` digits behind the second.
#[inline]
pub fn timestamp2(bytes: &[u8], digits: u8) -> Result<Timestamp, Error> {
    let Some((seconds, fraction)) = bytes.split_first_chunk::<4>() else { return Err(width("a TIMESTAMP", bytes)) };
    let microsecond = microseconds(fraction, digits).ok_or_else(|| width("a TIMESTAMP", bytes))?;
    Ok(Timestamp { seconds: u32::from_be_bytes(*seconds), microsecond })
}

/// Reads a TIME in the form from before MySQL 5.6 (3 bytes, decimal `hhmmss`, signed).
#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a date or time, which its bit field or remainder keeps small"
)]
pub fn time(bytes: &[u8]) -> Result<Time, Error> {
    let packed = match *bytes {
        [a, b, c] => i32::from_le_bytes([0, a, b, c]) >> 8,
        _ => return Err(width("a TIME", bytes)),
    };
    let span = packed.unsigned_abs();
    Ok(Time {
        is_negative: packed < 0,
        hour: (span / 10_000) as u16,
        minute: (span / 100 % 100) as u8,
        second: (span % 100) as u8,
        microsecond: 0,
    })
}

/// Reads a TIME with `digits` digits behind the second.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a date or time, which its bit field or remainder keeps small"
)]
pub fn time2(bytes: &[u8], digits: u8) -> Result<Time, Error> {
    let Some((&[a, b, c], fraction)) = bytes.split_first_chunk::<3>() else { return Err(width("a TIME", bytes)) };
    if fraction.len() != usize::from(digits.div_ceil(2)) {
        return Err(width("a TIME", bytes));
    }
    // Time and fraction are one number with one sign, so the fraction is widened to three bytes before the offset is
    // subtracted.
    let (number, unit) = match *fraction {
        [] => (i64::from(u32::from_be_bytes([0, a, b, c])) - (1 << 23), 0),
        [d] => (i64::from(u32::from_be_bytes([a, b, c, d])) - (1 << 31), 1),
        [d, e] => (i64::from_be_bytes([0, 0, 0, a, b, c, d, e]) - (1 << 39), 2),
        [d, e, f] => (i64::from_be_bytes([0, 0, a, b, c, d, e, f]) - (1 << 47), 3),
        _ => return Err(width("a TIME", bytes)),
    };
    let span = number.unsigned_abs();
    let (seconds, fraction) = match unit {
        0 => (span, 0),
        1 => (span >> 8, (span & 0xff) * 10_000),
        2 => (span >> 16, (span & 0xffff) * 100),
        _ => (span >> 24, span & 0x00ff_ffff),
    };
    Ok(split_time(number < 0, seconds, fraction as u32))
}

fn split_time(is_negative: bool, packed: u64, microsecond: u32) -> Time {
    Time {
        is_negative,
        hour: (packed >> 12 & 0x3ff) as u16,
        minute: (packed >> 6 & 0x3f) as u8,
        second: (packed & 0x3f) as u8,
        microsecond,
    }
}

/// Reads a YEAR (1 byte): 1901 to 2155, or 0.
#[inline]
pub fn year(bytes: &[u8]) -> Result<u16, Error> {
    match *bytes {
        [0] => Ok(0),
        [year] => Ok(1900 + u16::from(year)),
        _ => Err(width("a YEAR", bytes)),
    }
}

/// Splits the 64-bit form that binary JSON has for DATE, DATETIME and TIMESTAMP.
pub(crate) fn packed_datetime(packed: i64) -> DateTime {
    let packed = packed.unsigned_abs();
    split_datetime(packed >> 24 & 0x7f_ffff_ffff, (packed & 0x00ff_ffff) as u32)
}

/// Splits the 64-bit form that binary JSON has for TIME.
pub(crate) fn packed_time(packed: i64) -> Time {
    let span = packed.unsigned_abs();
    split_time(packed < 0, span >> 24, (span & 0x00ff_ffff) as u32)
}

/// Reads a fraction; `None` if its bytes are not those of `digits` digits.
#[inline]
fn microseconds(fraction: &[u8], digits: u8) -> Option<u32> {
    let expected = usize::from(digits.div_ceil(2));
    let value = match *fraction {
        _ if fraction.len() != expected => return None,
        [] => 0,
        [a] => u32::from(a) * 10_000,
        [a, b] => u32::from(u16::from_be_bytes([a, b])) * 100,
        [a, b, c] => u32::from_be_bytes([0, a, b, c]),
        _ => return None,
    };
    Some(value)
}

impl Date {
    /// Returns whether all parts are 0.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether the date is one of the calendar (no zero part, the day exists in the month).
    pub fn is_valid(&self) -> bool {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let last = match self.month {
            2 => 28 + u8::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return false,
        };
        (1..=last).contains(&self.day)
    }

    /// Returns the days since 1970-01-01 in the proleptic Gregorian calendar; `None` unless [`Date::is_valid`].
    pub fn days_since_epoch(&self) -> Option<i64> {
        if !self.is_valid() {
            return None;
        }
        // Years begin in March here, so that the leap day is the last day of a year.
        let month = i64::from(self.month);
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(era * 146_097 + day_of_era - 719_468)
    }

    /// Returns the date that many days after 1970-01-01; years beyond 0 to 9999 are cut.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a month, a day, and a year that is cut"
    )]
    pub fn from_days_since_epoch(days: i64) -> Self {
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: year.clamp(0, 9999) as u16,
            month: month as u8,
            day: (day_of_year - (153 * shifted + 2) / 5 + 1) as u8,
        }
    }

    /// Appends `YYYY-MM-DD`.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        push(out, u32::from(self.year), 4);
        out.push(b'-');
        push(out, u32::from(self.month), 2);
        out.push(b'-');
        push(out, u32::from(self.day), 2);
    }
}

impl DateTime {
    /// Returns the microseconds since 1970-01-01 00:00:00, taken as UTC; `None` unless the date is valid.
    pub fn microseconds_since_epoch(&self) -> Option<i64> {
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some((self.date.days_since_epoch()? * 86_400 + seconds) * 1_000_000 + i64::from(self.microsecond))
    }

    /// Appends `YYYY-MM-DD hh:mm:ss`, and with digits a point and that many of them.
    pub fn write_text(&self, digits: u8, out: &mut Vec<u8>) {
        self.date.write_text(out);
        out.push(b' ');
        push(out, u32::from(self.hour), 2);
        push_rest(out, self.minute, self.second, self.microsecond, digits);
    }
}

impl Timestamp {
    /// Returns the microseconds since 1970-01-01 00:00:00 UTC.
    pub fn microseconds_since_epoch(&self) -> i64 {
        i64::from(self.seconds) * 1_000_000 + i64::from(self.microsecond)
    }

    /// Returns the calendar's date and time in UTC; the zero value is the zero date, as the server prints it.
    pub fn to_datetime(&self) -> DateTime {
        if *self == Self::default() {
            return DateTime::default();
        }
        let second_of_day = self.seconds % 86_400;
        DateTime {
            date: Date::from_days_since_epoch(i64::from(self.seconds / 86_400)),
            hour: (second_of_day / 3600) as u8,
            minute: (second_of_day / 60 % 60) as u8,
            second: (second_of_day % 60) as u8,
            microsecond: self.microsecond,
        }
    }
}

impl Time {
    /// Returns the span in microseconds, signed.
    pub fn microseconds(&self) -> i64 {
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        let span = seconds * 1_000_000 + i64::from(self.microsecond);
        if self.is_negative { -span } else { span }
    }

    /// Appends `[-]hh:mm:ss` (three digits of hours where needed), and with digits a point and that many of them.
    pub fn write_text(&self, digits: u8, out: &mut Vec<u8>) {
        if self.is_negative {
            out.push(b'-');
        }
        push(out, u32::from(self.hour), if self.hour > 99 { 3 + usize::from(self.hour > 999) } else { 2 });
        push_rest(out, self.minute, self.second, self.microsecond, digits);
    }
}

fn push_rest(out: &mut Vec<u8>, minute: u8, second: u8, microsecond: u32, digits: u8) {
    out.push(b':');
    push(out, u32::from(minute), 2);
    out.push(b':');
    push(out, u32::from(second), 2);
    if digits > 0 {
        out.push(b'.');
        let start = out.len();
        push(out, microsecond, 6);
        out.truncate(start + usize::from(digits.min(6)));
    }
}

/// Appends the last `digits` digits of a number.
fn push(out: &mut Vec<u8>, mut value: u32, digits: usize) {
    let start = out.len();
    out.resize(start + digits, b'0');
    for slot in out.iter_mut().skip(start).rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}
