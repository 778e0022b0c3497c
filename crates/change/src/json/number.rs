//! Numbers: integers plainly, floating point numbers in the layout of Java's `Double.toString` with the fewest digits
//! that give the same number back.

use std::io::Write as _;

/// Writes an integer.
pub fn write_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes an unsigned integer.
pub fn write_unsigned(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a double; NaN and infinities, which no server stores, become strings as Jackson quotes them.
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        let mut buffer = ryu::Buffer::new();
        let shortest = buffer.format_finite(value);
        if value.is_subnormal() && has_one_digit(shortest) {
            // Writing to a vector cannot fail.
            let _ = write!(out, "{value:.1E}");
        } else {
            java_layout(shortest, out);
        }
    } else {
        not_finite(value.is_nan(), value > 0.0, out);
    }
}

/// Returns whether one digit is enough to identify the number. Java writes two digits even then, the two that are
/// nearest to the number: the smallest double is `4.9E-324`, not `5.0E-324`.
fn has_one_digit(shortest: &str) -> bool {
    shortest.trim_start_matches('-').find('e') == Some(1)
}

/// Writes a float.
pub fn write_float(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        let mut buffer = ryu::Buffer::new();
        let shortest = buffer.format_finite(value);
        if value.is_subnormal() && has_one_digit(shortest) {
            let _ = write!(out, "{value:.1E}");
        } else {
            java_layout(shortest, out);
        }
    } else {
        not_finite(value.is_nan(), value > 0.0, out);
    }
}

#[cold]
fn not_finite(is_nan: bool, is_positive: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(match (is_nan, is_positive) {
        (true, _) => b"\"NaN\"",
        (_, true) => b"\"Infinity\"",
        _ => b"\"-Infinity\"",
    });
}

/// Lays out the digits that `ryu` found: plain from 0.001 up to, not including, ten million; else `d.ddE±n`.
fn java_layout(shortest: &str, out: &mut Vec<u8>) {
    if is_plain(shortest.as_bytes()) {
        return out.extend_from_slice(shortest.as_bytes());
    }
    let (mantissa, exponent) = match shortest.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().unwrap_or(0)),
        None => (shortest, 0),
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = [0u8; 40];
    let mut count = 0;
    let mut point = i32::try_from(whole.len()).unwrap_or(i32::MAX) + exponent;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if count == 0 && byte == b'0' {
            point -= 1;
            continue;
        }
        if let Some(slot) = digits.get_mut(count) {
            *slot = byte;
            count += 1;
        }
    }
    while count > 1 && digits.get(count - 1) == Some(&b'0') {
        count -= 1;
    }
    let digits = digits.get(..count).unwrap_or_default();
    out.extend_from_slice(sign.as_bytes());
    let (first, rest) = digits.split_first().map_or((b'0', &[][..]), |(first, rest)| (*first, rest));
    match point {
        1..=7 => {
            let point = point.unsigned_abs() as usize;
            for index in 0..point.max(count) {
                if index == point {
                    out.push(b'.');
                }
                out.push(digits.get(index).copied().unwrap_or(b'0'));
            }
            if count <= point {
                out.extend_from_slice(b".0");
            }
        }
        -2..=0 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
            out.extend_from_slice(digits);
        }
        _ => {
            out.extend_from_slice(&[first, b'.']);
            out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
            out.push(b'E');
            write_integer(i64::from(point) - 1, out);
        }
    }
}

/// Returns whether `ryu`'s digits are in Java's layout already, as most numbers' are: one to seven digits before the
/// point, the first not a zero, and no exponent.
fn is_plain(shortest: &[u8]) -> bool {
    let digits = shortest.strip_prefix(b"-").unwrap_or(shortest);
    let point = digits.iter().take(8).position(|byte| *byte == b'.');
    digits.first() != Some(&b'0')
        && point.is_some_and(|point| digits.get(point..).is_some_and(|fraction| !fraction.contains(&b'e')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn double(value: f64) -> String {
        let mut out = Vec::new();
        write_double(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_layout_is_javas() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1.5, "1.5"),
            (-2.25, "-2.25"),
            (100.0, "100.0"),
            (9_999_999.0, "9999999.0"),
            (9_999_999.5, "9999999.5"),
            (10_000_000.0, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (1e10, "1.0E10"),
            (5e-324, "4.9E-324"),
            (-1e-323, "-9.9E-324"),
            (1.234e100, "1.234E100"),
            (0.001, "0.001"),
            (0.00123, "0.00123"),
            (0.000999, "9.99E-4"),
            (1e-5, "1.0E-5"),
            (0.1f32 as f64, "0.10000000149011612"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
        ] {
            assert_eq!(double(value), text);
        }
        let mut out = Vec::new();
        write_float(0.1, &mut out);
        write_float(16_777_216.0, &mut out);
        assert_eq!(out, b"0.11.6777216E7");
    }

    proptest! {
        #[test]
        fn the_number_comes_back(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            prop_assert_eq!(double(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
