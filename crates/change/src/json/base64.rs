//! Standard Base64 with padding, straight into the output.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes `bytes` in Base64, without quotes.
pub fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
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
}
