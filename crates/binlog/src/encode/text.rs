//! Values as the text protocol of a SQL session gives them.

use super::{Value, packed::Reason};
use crate::{
    table::{Column, ColumnType},
    value::{Date, DateTime, Time, Timestamp},
};
use std::str::FromStr;

/// Reads the text of a value of `column`.
pub(super) fn parse<'a>(column: &Column, text: &'a [u8]) -> Result<Value<'a>, Reason> {
    Ok(match column.kind {
        ColumnType::TINY | ColumnType::SHORT | ColumnType::INT24 | ColumnType::LONG | ColumnType::LONGLONG => {
            if column.unsigned { Value::Unsigned(number(text)?) } else { Value::Signed(number(text)?) }
        }
        ColumnType::FLOAT => Value::Float(number(text)?),
        ColumnType::DOUBLE => Value::Double(number(text)?),
        ColumnType::NEWDECIMAL => Value::Decimal(std::str::from_utf8(text).map_err(|_| "it is not a decimal number")?),
        ColumnType::DATE | ColumnType::NEWDATE => Value::Date(date(text)?),
        ColumnType::DATETIME | ColumnType::DATETIME2 => Value::DateTime(datetime(text)?),
        ColumnType::TIMESTAMP | ColumnType::TIMESTAMP2 => Value::Timestamp(timestamp(text)?),
        ColumnType::TIME | ColumnType::TIME2 => Value::Time(time(text)?),
        ColumnType::YEAR => Value::Year(number(text)?),
        ColumnType::BIT if text.len() <= 8 => {
            Value::Unsigned(text.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
        }
        ColumnType::ENUM => Value::Unsigned(label_index(column, text)?),
        ColumnType::SET => Value::Unsigned(members(column, text)?),
        _ => Value::Bytes(text),
    })
}

fn number<T: FromStr>(text: &[u8]) -> Result<T, Reason> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not a number")?;
    text.parse().map_err(|_| "it is not a number of the column's range")
}

/// Returns the index of an ENUM's label; the empty text is 0, the server's mark of an invalid value, unless a label is
/// empty.
fn label_index(column: &Column, text: &[u8]) -> Result<u64, Reason> {
    match column.labels.iter().position(|label| label == text) {
        Some(index) => Ok(index as u64 + 1),
        None if text.is_empty() => Ok(0),
        None => Err("it is no label of the column"),
    }
}

/// Returns the members of a SET as its bits. The text is split at commas, because no label of a SET holds one.
fn members(column: &Column, text: &[u8]) -> Result<u64, Reason> {
    if text.is_empty() {
        return Ok(0);
    }
    text.split(|byte| *byte == b',').try_fold(0u64, |members, member| {
        match column.labels.iter().take(64).position(|label| label == member) {
            Some(index) => Ok(members | 1 << index),
            None => Err("it holds a label that the column does not have"),
        }
    })
}

const NOT_TEMPORAL: Reason = "it is not a date or time as the server prints one";

/// Splits the text at fixed separators and digits; the parts are decimal.
struct Parts<'a>(&'a [u8]);

impl Parts<'_> {
    /// Reads all digits up to the next other byte.
    fn number(&mut self) -> Result<u32, Reason> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || digits > 7 {
            return Err(NOT_TEMPORAL);
        }
        let (head, tail) = self.0.split_at(digits);
        self.0 = tail;
        Ok(head.iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0')))
    }

    fn most(&mut self, most: u16) -> Result<u16, Reason> {
        u16::try_from(self.number()?).ok().filter(|value| *value <= most).ok_or(NOT_TEMPORAL)
    }

    fn part(&mut self, most: u8) -> Result<u8, Reason> {
        u8::try_from(self.most(u16::from(most))?).map_err(|_| NOT_TEMPORAL)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Reason> {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                Ok(())
            }
            _ => Err(NOT_TEMPORAL),
        }
    }

    fn date(&mut self) -> Result<Date, Reason> {
        let year = self.most(9999)?;
        self.expect(b'-')?;
        let month = self.part(12)?;
        self.expect(b'-')?;
        Ok(Date { year, month, day: self.part(31)? })
    }

    /// Reads `:mm:ss[.f]` to the end of the text.
    fn minutes(&mut self) -> Result<(u8, u8, u32), Reason> {
        self.expect(b':')?;
        let minute = self.part(59)?;
        self.expect(b':')?;
        let second = self.part(59)?;
        let mut microsecond = 0;
        if !self.0.is_empty() {
            self.expect(b'.')?;
            let digits = u32::try_from(self.0.len()).ok().filter(|digits| *digits <= 6).ok_or(NOT_TEMPORAL)?;
            microsecond = self.number()? * 10u32.pow(6 - digits);
        }
        self.end()?;
        Ok((minute, second, microsecond))
    }

    fn end(&self) -> Result<(), Reason> {
        if self.0.is_empty() { Ok(()) } else { Err(NOT_TEMPORAL) }
    }
}

fn date(text: &[u8]) -> Result<Date, Reason> {
    let mut parts = Parts(text);
    let date = parts.date()?;
    parts.end()?;
    Ok(date)
}

fn datetime(text: &[u8]) -> Result<DateTime, Reason> {
    let mut parts = Parts(text);
    let date = parts.date()?;
    parts.expect(b' ')?;
    let hour = parts.part(23)?;
    let (minute, second, microsecond) = parts.minutes()?;
    Ok(DateTime { date, hour, minute, second, microsecond })
}

fn timestamp(text: &[u8]) -> Result<Timestamp, Reason> {
    let value = datetime(text)?;
    if value == DateTime::default() {
        return Ok(Timestamp::default());
    }
    let microseconds = value.microseconds_since_epoch().ok_or(NOT_TEMPORAL)?;
    let seconds =
        u32::try_from(microseconds.div_euclid(1_000_000)).map_err(|_| "it lies outside of a timestamp's range")?;
    Ok(Timestamp { seconds, microsecond: value.microsecond })
}

fn time(text: &[u8]) -> Result<Time, Reason> {
    let (is_negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let mut parts = Parts(text);
    let hour = parts.most(838)?;
    let (minute, second, microsecond) = parts.minutes()?;
    Ok(Time { is_negative, hour, minute, second, microsecond })
}
