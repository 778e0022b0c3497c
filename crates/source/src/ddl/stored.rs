//! Computes the value that the server stores for a literal default (MySQL manual, "Data Type Default Values",
//! "Hexadecimal Literals").
//!
//! A statement may write a default in another form than the column stores: with more digits, as a year of two digits,
//! as bytes. `SHOW CREATE TABLE` prints the stored form already, which stays unchanged.

use std::net::Ipv6Addr;

use bitacora_change::StoredDefault;
use bitacora_change::charset::Charset;
use serde::{Deserialize, Serialize};

use super::column::has_charset;
use super::facts::{ColumnDefinition, DefaultValue};
use super::name_case::is_same_in_lower_case;

/// What a server does with fractional digits of a second that a column does not store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fractions {
    /// MySQL rounds.
    #[default]
    Rounded,
    /// MariaDB cuts.
    Cut,
}

/// Returns the stored value of a column's literal default. `None` if the column has no literal default, or if the
/// literal is the stored value.
pub(super) fn stored_default(column: &ColumnDefinition, fractions: Fractions) -> Option<StoredDefault> {
    let default = column.default.as_ref()?;
    let base = column.type_name.split(' ').next().unwrap_or_default();
    if matches!(base, "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB") {
        return match default {
            DefaultValue::Text(text) | DefaultValue::Number(text) => {
                Some(StoredDefault::Bytes(text.clone().into_bytes()))
            }
            _ => bytes(default).map(StoredDefault::Bytes),
        };
    }
    if has_charset(&column.type_name) {
        return characters(column, base, default).map(StoredDefault::Text);
    }
    let literal = match default {
        DefaultValue::Text(text) | DefaultValue::Number(text) => text.trim().to_owned(),
        // The digits of a bit literal in a column of bits are the value itself.
        DefaultValue::Bits(_) if base == "BIT" => return None,
        DefaultValue::Bits(_) | DefaultValue::Hex(_) => number(&bytes(default)?)?,
        _ => return None,
    };
    let digits = column.length.unwrap_or_default().min(6);
    let text = match base {
        "YEAR" => year(&literal, matches!(default, DefaultValue::Text(_))),
        "DECIMAL" | "DEC" | "NUMERIC" | "FIXED" => rounded(&literal, column.scale.unwrap_or_default()),
        "FLOAT" | "DOUBLE" | "REAL" => column.scale.and_then(|scale| rounded(&literal, scale)),
        "DATETIME" | "TIMESTAMP" => datetime(&literal, digits, fractions),
        "TIME" => time(&literal, digits, fractions),
        "UUID" => Some(literal.to_ascii_lowercase()),
        "INET6" => literal.parse::<Ipv6Addr>().ok().map(|address| address.to_string()),
        "DATE" => calendar(&literal).map(|(date, _)| shown(date)),
        _ => rounded(&literal, 0),
    };
    text.or(Some(literal)).map(StoredDefault::Text)
}

/// Returns the bytes of a hexadecimal or bit literal; zeros before its digits complete the first byte.
fn bytes(default: &DefaultValue) -> Option<Vec<u8>> {
    let (digits, per_byte, radix) = match default {
        DefaultValue::Hex(digits) => (digits, 2, 16),
        DefaultValue::Bits(digits) => (digits, 8, 2),
        _ => return None,
    };
    let missing = digits.len().next_multiple_of(per_byte) - digits.len();
    let padded = "0".repeat(missing) + digits;
    let pieces = padded.as_bytes().chunks(per_byte).map(|piece| std::str::from_utf8(piece).ok());
    pieces.map(|piece| u8::from_str_radix(piece?, radix).ok()).collect()
}

fn number(bytes: &[u8]) -> Option<String> {
    let value = bytes.iter().try_fold(0u64, |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)))?;
    Some(value.to_string())
}

/// Returns the default of a column of characters, or the label of an ENUM or the members of a SET that it means.
fn characters(column: &ColumnDefinition, base: &str, default: &DefaultValue) -> Option<String> {
    let text = match default {
        DefaultValue::Text(text) | DefaultValue::Number(text) => text.clone(),
        _ => {
            let charset = column.charset.resolved().and_then(Charset::by_name).unwrap_or(Charset::Utf8);
            charset.decode_to_string(&bytes(default)?)
        }
    };
    Some(match base {
        // A CHAR does not keep blanks at its end.
        "CHAR" | "CHARACTER" | "NCHAR" if !column.type_name.contains("VAR") => text.trim_end_matches(' ').to_owned(),
        "ENUM" if !column.labels.contains(&text) => {
            let same = |label: &&String| is_same_in_lower_case(label, text.trim_end_matches(' '));
            column.labels.iter().find(same).cloned().unwrap_or(text)
        }
        "SET" => members(&column.labels, text),
        _ => text,
    })
}

/// Returns the members of a SET in the order of its labels.
fn members(labels: &[String], text: String) -> String {
    let is_member = |label: &&String| text.split(',').any(|member| is_same_in_lower_case(member, label));
    let members: Vec<&str> = labels.iter().filter(is_member).map(String::as_str).collect();
    if members.len() == text.split(',').count() { members.join(",") } else { text }
}

/// Returns the value of a YEAR. Two digits mean a year from 1970 to 2069; the number 0 is the year 0, but the text '0'
/// is the year 2000.
fn year(literal: &str, is_text: bool) -> Option<String> {
    let year: u32 = rounded(literal, 0)?.parse().ok()?;
    Some(match year {
        0 if !is_text || literal.len() > 2 => "0".to_owned(),
        0..=69 => (year + 2_000).to_string(),
        70..=99 => (year + 1_900).to_string(),
        _ => year.to_string(),
    })
}

/// Returns a decimal number with at most `scale` digits after the point, rounded half away from zero.
fn rounded(literal: &str, scale: u32) -> Option<String> {
    let (sign, digits) = literal.strip_prefix('-').map_or(("", literal), |rest| ("-", rest));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().ok()?;
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if all.is_empty() || !all.iter().all(u8::is_ascii_digit) || exponent.unsigned_abs() > 400 {
        return None;
    }
    if exponent == 0 && fraction.len() <= scale as usize {
        return Some(literal.to_owned());
    }
    // `point` counts the digits before the decimal point, `kept` those that remain in total.
    let point = i64::from(exponent) + i64::try_from(whole.len()).ok()?;
    let kept = point + i64::from(scale);
    let digit =
        |place: i64| usize::try_from(place).ok().and_then(|place| all.get(place)).map_or(0, |digit| digit - b'0');
    let mut result: Vec<u8> = (point.min(0)..kept).map(digit).collect();
    if digit(kept) >= 5 {
        let nines = result.iter().rev().take_while(|digit| **digit == 9).count();
        let carried = result.len() - nines;
        result.iter_mut().skip(carried).for_each(|digit| *digit = 0);
        match carried.checked_sub(1).and_then(|place| result.get_mut(place)) {
            Some(digit) => *digit += 1,
            None => result.insert(0, 1),
        }
    }
    let behind = result.len().saturating_sub(scale as usize);
    let (front, back) = result.split_at_checked(behind)?;
    let text = |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
    let front = text(front).trim_start_matches('0').to_owned();
    let front = if front.is_empty() { "0" } else { &front };
    let point = if back.is_empty() { "" } else { "." };
    Some(format!("{sign}{front}{point}{}", text(back)))
}

/// Returns a fraction of a second with the column's digits, and whether rounding carries into the second.
fn fraction(text: &str, digits: u32, fractions: Fractions) -> Option<(String, bool)> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: u64 = format!("{text:0<9}").get(..9)?.parse().ok()?;
    let unit = 10u64.pow(9 - digits.min(9));
    let half = if fractions == Fractions::Rounded { unit / 2 } else { 0 };
    let units = (nanoseconds + half) / unit;
    let full = 10u64.pow(digits.min(9));
    let shown = if digits == 0 { String::new() } else { format!(".{:0width$}", units % full, width = digits as usize) };
    Some((shown, units >= full))
}

/// Returns the stored value of `[-]HH:MM:SS[.f]`.
fn time(literal: &str, digits: u32, fractions: Fractions) -> Option<String> {
    let (sign, text) = literal.strip_prefix('-').map_or(("", literal), |rest| ("-", rest));
    let (clock, behind) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let (shown, is_full) = fraction(behind, digits, fractions)?;
    let total = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?;
    let total = total + u32::from(is_full);
    Some(format!("{sign}{:02}:{:02}:{:02}{shown}", total / 3600, total / 60 % 60, total % 60))
}

/// Returns the stored value of `YYYY-MM-DD[ HH:MM:SS[.f]]` or of another spelling of it.
fn datetime(literal: &str, digits: u32, fractions: Fractions) -> Option<String> {
    let (date, clock) = calendar(literal)?;
    let clock = time(&clock, digits, fractions)?;
    Some(match clock.strip_prefix("24:") {
        Some(rest) => format!("{} 00:{rest}", shown(next_day(date))),
        None => format!("{} {clock}", shown(date)),
    })
}

/// Splits a literal into year, month and day, and the text of its time (MySQL manual, "Date and Time Literals"). Any
/// punctuation may be between the parts, or none, and a year may have two digits.
fn calendar(literal: &str) -> Option<((u32, u32, u32), String)> {
    let whole = literal.split_once('.').map_or(literal, |(whole, _)| whole);
    if whole.len() >= 6 && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let year_digits = if matches!(whole.len(), 8 | 14) { 4 } else { 2 };
        let (year, rest) = literal.split_at_checked(year_digits)?;
        let part = |at: usize| rest.get(at..at + 2);
        let clock =
            format!("{}:{}:{}", part(4).unwrap_or("00"), part(6).unwrap_or("00"), rest.get(8..).unwrap_or("00"));
        return Some(((full_year(year)?, part(0)?.parse().ok()?, part(2)?.parse().ok()?), clock));
    }
    let (date, clock) = literal.split_once([' ', 'T']).unwrap_or((literal, "00:00:00"));
    let mut parts = date.split(|character: char| character.is_ascii_punctuation());
    let date = (full_year(parts.next()?)?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((date, clock.to_owned()))
}

fn full_year(text: &str) -> Option<u32> {
    let year: u32 = text.parse().ok()?;
    Some(match year {
        0..=69 if text.len() == 2 => year + 2_000,
        70..=99 if text.len() == 2 => year + 1_900,
        _ => year,
    })
}

fn shown((year, month, day): (u32, u32, u32)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

fn next_day((year, month, day): (u32, u32, u32)) -> (u32, u32, u32) {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    match (month, day) {
        (12, 31..) => (year + 1, 1, 1),
        (_, day) if day >= days => (year, month + 1, 1),
        (month, day) => (year, month, day + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::CharsetChoice;
    use super::*;

    fn check(type_name: &str, length: Option<u32>, scale: Option<u32>, default: DefaultValue, expected: &str) {
        let charset = CharsetChoice { charset: Some("utf8mb4".into()), collation: None };
        let labels = vec!["a".into(), "Ñ".into()];
        let default = Some(default);
        let column = ColumnDefinition {
            type_name: type_name.into(),
            length,
            scale,
            default,
            charset,
            labels,
            ..ColumnDefinition::default()
        };
        let stored = match stored_default(&column, Fractions::Rounded) {
            Some(StoredDefault::Text(text)) => text,
            Some(StoredDefault::Bytes(bytes)) => format!("{bytes:02x?}"),
            None => "none".to_owned(),
        };
        assert_eq!(stored, expected, "{column:?}");
    }

    #[test]
    fn a_literal_becomes_the_value_that_the_server_makes_of_it() {
        use DefaultValue::{Bits, Hex, Number, Text};
        let number = |text: &str| Number(text.into());
        let text = |text: &str| Text(text.into());
        check("DECIMAL", Some(10), Some(2), number("1.005"), "1.01");
        check("DECIMAL", Some(10), Some(2), number("-99.999"), "-100.00");
        check("DECIMAL", Some(10), Some(0), number("9.5"), "10");
        check("DECIMAL", Some(10), Some(2), number("12e-1"), "1.20");
        check("DECIMAL", Some(10), Some(2), number("12e2"), "1200.00");
        check("DECIMAL", Some(5), Some(3), number("5e-4"), "0.001");
        check("DECIMAL", Some(10), Some(2), number("7"), "7");
        check("INT UNSIGNED", None, None, text("1.5"), "2");
        check("INT", Some(11), None, Hex("0A".into()), "10");
        check("BIT", Some(9), None, Hex("101".into()), "257");
        check("BIT", Some(9), None, Bits("101".into()), "none");
        check("YEAR", None, None, number("70"), "1970");
        check("YEAR", None, None, number("0"), "0");
        check("YEAR", None, None, text("0"), "2000");
        check("DATETIME", Some(2), None, text("2037-12-31 23:59:59.999"), "2038-01-01 00:00:00.00");
        check("TIMESTAMP", Some(3), None, text("2037-01-15 07:35:11.992570"), "2037-01-15 07:35:11.993");
        check("TIMESTAMP", None, None, text("2024-02-28"), "2024-02-28 00:00:00");
        check("DATE", None, None, text("69.2.7"), "2069-02-07");
        check("DATE", None, None, number("20240229"), "2024-02-29");
        check("DATE", None, None, text("0000-00-00"), "0000-00-00");
        check("DATETIME", Some(1), None, number("20240229235959.96"), "2024-03-01 00:00:00.0");
        check("SET", None, None, text("ñ,A"), "a,Ñ");
        check("TIME", Some(1), None, text("-07:35:11.96"), "-07:35:12.0");
        check("VARBINARY", Some(8), None, Hex("0ff10".into()), "[00, ff, 10]");
        check("VARCHAR", Some(8), None, Hex("F09F988078".into()), "😀x");
        check("CHAR", Some(8), None, text("a  "), "a");
        check("ENUM", None, None, text("ñ"), "Ñ");
    }
}
