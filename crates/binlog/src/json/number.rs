//! Doubles as the server prints them in JSON.

use crate::error::Error;

/// Appends the fewest digits that read back the same: plain while the point stands within 15 digits on either side, or
/// anywhere within the digits, else with an exponent; always with a point or an exponent so that the text reads back as
/// a double.
pub(crate) fn write_double(value: f64, out: &mut Vec<u8>) -> Result<(), Error> {
    if !value.is_finite() {
        return Err(Error::Invalid { what: "a number of a JSON document", value: value.to_bits() });
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value);
    let (sign, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if sign {
        out.push(b'-');
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    // The digits without a point, and where the point stands among them.
    let mut digits = [0u8; 32];
    let mut length = 0usize;
    let mut point = i32::try_from(whole.len()).unwrap_or(i32::MAX) + exponent;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if length == 0 && digit == b'0' {
            point -= 1;
            continue;
        }
        if let Some(slot) = digits.get_mut(length) {
            *slot = digit;
            length += 1;
        }
    }
    while length > 0 && digits.get(length - 1) == Some(&b'0') {
        length -= 1;
    }
    let digits = digits.get(..length).unwrap_or_default();
    if digits.is_empty() {
        out.extend_from_slice(b"0.0");
        return Ok(());
    }
    let is_plain =
        (-14..=15).contains(&point) || usize::try_from(point).is_ok_and(|point| (1..length).contains(&point));
    if !is_plain {
        let (first, rest) = digits.split_at(1);
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.push(b'e');
        out.extend_from_slice(itoa::Buffer::new().format(point - 1).as_bytes());
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
        out.extend_from_slice(digits);
    } else {
        let point = point.unsigned_abs() as usize;
        let (whole, fraction) = digits.split_at(point.min(digits.len()));
        out.extend_from_slice(whole);
        out.extend(std::iter::repeat_n(b'0', point - whole.len()));
        out.push(b'.');
        out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
    }
    Ok(())
}
