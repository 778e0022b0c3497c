//! Standard Base64 with padding, straight into the output.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Up to this length the loop below is the faster way, by half for the 5 to 16 bytes of a DECIMAL or a `BINARY(16)`;
/// beyond it the crate's is, by as much (`cargo bench -p bitacora-change -- base64`).
const SHORT_BYTES: usize = 32;

/// Writes `bytes` in Base64, without quotes.
pub fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.len() > SHORT_BYTES {
        write_long(bytes, out);
        return;
    }
    out.reserve(bytes.len().div_ceil(3).saturating_mul(4));
    let digit = |value: u32| DIGITS.get((value & 63) as usize).copied().unwrap_or(b'=');
    for chunk in bytes.chunks(3) {
        match *chunk {
            [a, b, c] => {
                let word = u32::from_be_bytes([0, a, b, c]);
                out.extend_from_slice(&[digit(word >> 18), digit(word >> 12), digit(word >> 6), digit(word)]);
            }
            [a, b] => {
                let word = u32::from_be_bytes([0, a, b, 0]);
                out.extend_from_slice(&[digit(word >> 18), digit(word >> 12), digit(word >> 6), b'=']);
            }
            [a] => {
                let word = u32::from_be_bytes([0, a, 0, 0]);
                out.extend_from_slice(&[digit(word >> 18), digit(word >> 12), b'=', b'=']);
            }
            _ => {}
        }
    }
}

fn write_long(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start.saturating_add(bytes.len().div_ceil(3).saturating_mul(4)), b'=');
    // The room is exact, so nothing is left of it and nothing is missing.
    let written = out.get_mut(start..).and_then(|room| STANDARD.encode_slice(bytes, room).ok());
    debug_assert_eq!(written, Some(out.len() - start));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn examples_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = Vec::new();
            write_base64(bytes.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
    #[test]
    fn short_and_long_values_are_written_alike() {
        let bytes: Vec<u8> = (0..=255).cycle().skip(7).take(3 * SHORT_BYTES).collect();
        for length in 0..=bytes.len() {
            let mut out = b"before:".to_vec();
            write_base64(&bytes[..length], &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("before:{}", STANDARD.encode(&bytes[..length])));
        }
    }
}
