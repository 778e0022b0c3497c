//! Salted hashes of text, as Debezium's `column.mask.hash` makes them.
//!
//! The hash is the digest of salt and text, in lower-case hexadecimal digits. Version 1 digests the text as Java
//! serialises a string: a head of four bytes, a mark with the length, and modified UTF-8 (U+0000 as two bytes, each
//! half of a character beyond the BMP as three; Java Object Serialization Specification, "Object Serialization Stream
//! Protocol"). Version 2 digests its UTF-8 alone, which every language makes alike.

use std::fmt;
use std::sync::Arc;

use md5::Md5;
use md5::digest::Digest;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::json::{Piece, Pieces};

/// Which form of a text is digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashVersion {
    /// The text as Java serialises it (`column.mask.hash.<algorithm>`).
    V1,
    /// Its UTF-8 (`column.mask.hash.v2.<algorithm>`).
    V2,
}

/// A hash function that has already digested its salt.
#[derive(Clone)]
pub struct SaltedHash {
    version: HashVersion,
    state: Arc<State>,
}

/// Names of the algorithms that can be used, for messages.
pub const ALGORITHMS: &str =
    "MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512, SHA-512/224, SHA-512/256, SHA3-224, SHA3-256, SHA3-384, SHA3-512";

macro_rules! states {
    ($($digest:ident),*) => {
        #[derive(Clone)]
        #[allow(clippy::large_enum_variant, reason = "there is one for each masked column")]
        enum State {
            $($digest($digest),)*
        }

        impl State {
            fn salted(&self, version: HashVersion, text: &Pieces<'_>, characters: usize, out: &mut Vec<u8>) {
                match self {
                    $(State::$digest(state) => digest(state.clone(), version, text, characters, out),)*
                }
            }
        }
    };
}

states!(Md5, Sha1, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256, Sha3_224, Sha3_256, Sha3_384, Sha3_512);

impl SaltedHash {
    /// Prepares a hash function by the name that Java gives it; `None` for a name that is not in [`ALGORITHMS`].
    pub fn new(version: HashVersion, algorithm: &str, salt: &str) -> Option<SaltedHash> {
        fn salted<D: Digest>(salt: &str) -> D {
            D::new_with_prefix(salt)
        }
        let state = match algorithm.to_ascii_uppercase().as_str() {
            "MD5" => State::Md5(salted(salt)),
            "SHA" | "SHA1" | "SHA-1" => State::Sha1(salted(salt)),
            "SHA-224" => State::Sha224(salted(salt)),
            "SHA-256" => State::Sha256(salted(salt)),
            "SHA-384" => State::Sha384(salted(salt)),
            "SHA-512" => State::Sha512(salted(salt)),
            "SHA-512/224" => State::Sha512_224(salted(salt)),
            "SHA-512/256" => State::Sha512_256(salted(salt)),
            "SHA3-224" => State::Sha3_224(salted(salt)),
            "SHA3-256" => State::Sha3_256(salted(salt)),
            "SHA3-384" => State::Sha3_384(salted(salt)),
            "SHA3-512" => State::Sha3_512(salted(salt)),
            _ => return None,
        };
        Some(SaltedHash { version, state: Arc::new(state) })
    }

    /// Which form of a text is digested.
    pub fn version(&self) -> HashVersion {
        self.version
    }

    /// Appends the first `characters` of the hash of a text.
    pub(crate) fn write(&self, text: &Pieces<'_>, characters: usize, out: &mut Vec<u8>) {
        self.state.salted(self.version, text, characters, out);
    }
}

impl fmt::Debug for SaltedHash {
    /// Prints nothing of the salt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaltedHash").field("version", &self.version).finish_non_exhaustive()
    }
}

fn digest<D: Digest>(mut digest: D, version: HashVersion, text: &Pieces<'_>, characters: usize, out: &mut Vec<u8>) {
    match version {
        HashVersion::V1 => java_string(text, |bytes| digest.update(bytes)),
        HashVersion::V2 => utf8(text, |bytes| digest.update(bytes)),
    }
    let hash = digest.finalize();
    let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    out.extend(
        digits.take(characters).map(|nibble| b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'0')),
    );
}

fn utf8(text: &Pieces<'_>, mut take: impl FnMut(&[u8])) {
    let mut high = None;
    for piece in text.clone() {
        match piece {
            Piece::Plain(bytes) => take(bytes),
            Piece::Unit(unit @ 0xd800..=0xdbff) => high = Some(unit),
            Piece::Unit(unit) => {
                let units = high.take().into_iter().chain([unit]);
                for character in char::decode_utf16(units) {
                    take(character.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }
}

/// Returns what Java's `ObjectOutputStream` writes for a string.
fn java_string(text: &Pieces<'_>, mut take: impl FnMut(&[u8])) {
    const STREAM_HEAD: [u8; 4] = [0xac, 0xed, 0, 5];
    const SHORT_STRING: u8 = 0x74;
    const LONG_STRING: u8 = 0x7c;
    let mut length = 0u64;
    modified_utf8(text, |bytes| length += bytes.len() as u64);
    take(&STREAM_HEAD);
    match u16::try_from(length) {
        Ok(length) => {
            take(&[SHORT_STRING]);
            take(&length.to_be_bytes());
        }
        Err(_) => {
            take(&[LONG_STRING]);
            take(&length.to_be_bytes());
        }
    }
    modified_utf8(text, take);
}

#[expect(clippy::cast_possible_truncation, reason = "each byte takes six or seven bits of the unit")]
fn modified_utf8(text: &Pieces<'_>, mut take: impl FnMut(&[u8])) {
    for piece in text.clone() {
        match piece {
            Piece::Plain(bytes) => take(bytes),
            Piece::Unit(unit @ 1..=0x7f) => take(&[unit as u8]),
            Piece::Unit(unit @ (0 | 0x80..=0x7ff)) => take(&[0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8]),
            Piece::Unit(unit) => {
                take(&[0xe0 | (unit >> 12) as u8, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::write_string;

    fn hash(version: HashVersion, algorithm: &str, salt: &str, text: &str) -> String {
        let (mut written, mut out) = (Vec::new(), Vec::new());
        write_string(text, &mut written);
        SaltedHash::new(version, algorithm, salt).unwrap().write(&Pieces::of(&written), usize::MAX, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// What Debezium's own suite expects of its connector (`BinlogConnectorIT`, version 3.6.1).
    #[test]
    fn hashes_are_debeziums() {
        for (text, expected) in [
            ("sally.thomas@acme.com", "d540e71abf15be8b51c7967397ba359db27d6f6ae85a297fe8d0d7005ffd0e82"),
            ("gbailey@foobar.com", "b1f1a1a63559c1d3a98bd7bb5c363d7e21a37463a7266bc2ff341eaef7ac8ef3"),
            ("ed@walker.com", "bbe1de7b1068bc8f86bbb19f432ce1d44fbd461339916f42544b3f7ebff674d6"),
            ("annek@noanswer.org", "ff21be44fb224e57d822ea9a51d343d77e4c49ac3dedd3d144024ac2012af0a1"),
        ] {
            assert_eq!(hash(HashVersion::V1, "SHA-256", "CzQMA0cB5K", text), expected);
        }
    }

    /// Digests of `salt` and text as other programs compute them.
    #[test]
    fn version_2_digests_salt_and_text() {
        for (algorithm, text, expected) in V2 {
            assert_eq!(hash(HashVersion::V2, algorithm, "salt", text), expected, "{algorithm} {text}");
        }
    }

    #[test]
    fn java_serialises_in_modified_utf8() {
        let serialised = |text: &str| {
            let (mut written, mut bytes) = (Vec::new(), Vec::new());
            write_string(text, &mut written);
            java_string(&Pieces::of(&written), |part| bytes.extend_from_slice(part));
            bytes
        };
        assert_eq!(serialised("a\0ñ\n"), b"\xac\xed\0\x05\x74\0\x06a\xc0\x80\xc3\xb1\n");
        assert_eq!(serialised("€😀"), b"\xac\xed\0\x05\x74\0\x09\xe2\x82\xac\xed\xa0\xbd\xed\xb8\x80");
        let long = serialised(&"x".repeat(70_000));
        assert_eq!(long.get(..13).unwrap(), b"\xac\xed\0\x05\x7c\0\0\0\0\0\x01\x11\x70");
        assert_eq!(long.len(), 70_013);
    }

    #[test]
    fn every_algorithm_that_is_named_can_be_used() {
        for name in ALGORITHMS.split(", ") {
            assert!(SaltedHash::new(HashVersion::V2, &name.to_lowercase(), "").is_some(), "{name}");
        }
        assert!(SaltedHash::new(HashVersion::V2, "MD2", "").is_none());
        assert!(!format!("{:?}", SaltedHash::new(HashVersion::V1, "MD5", "geheim")).contains("geheim"));
    }

    #[rustfmt::skip]
    const V2: [(&str, &str, &str); 14] = [
        ("MD5", "hola", "01a8d26448b3d10a3139ef35905ff5ca"),
        ("SHA-1", "hola", "4f021f6ca93f30d2c3c54f7fd14e45b4d886322a"),
        ("SHA-224", "hola", "6226bcfb7f955169bcf7a21264f6f730f0a0ce66665e43eb44342ce2"),
        ("SHA-256", "hola", "55c289b5bbc3e6d61a5dd718087ee3578a7c7f7fe7a2a578ec73d74e7686ff36"),
        ("SHA-384", "hola",
            "e71be024f6ad07cb94ae3d4d0b4eaf0181053d250a5b9050b9673123cda84e8bd5b3e798209efa17a45d02f4a3b76973"),
        ("SHA-512", "hola", "db9bcb99b50271ccfb7e4488f885863545d6528a5f7b0a626544dd9e95e00e43\
             68bd3f12d2b31f775091a111d1519dba81aa07f8377360dccd4a0f151e7c80a0"),
        ("SHA-512/224", "hola", "01429e12a8ea7ca2dcf1eded697d10d99988f3d7b8a4749059b7d584"),
        ("SHA-512/256", "hola", "b1ea9f9d1a9c957ae6501075430d482b0e9c1a437bfb77cea18bc406a342e961"),
        ("SHA3-224", "hola", "f2eacd3ae31b00175cd05dc13f3a719eb810cfab99babc7d6ce8fe38"),
        ("SHA3-256", "hola", "816ed68fff44d6f00b6df087898a2b327bac694e2f69d01df676d8930675f6be"),
        ("SHA3-384", "hola",
            "a0fda75dfdb106a4ba4020536d708f6671f19847286d9e23af6b16b0c4791bf3ee1b1931490378e8a117e95d7378f220"),
        ("SHA3-512", "hola", "a734a29bc0bb4597fb37bb568bde94b954f488b323b7f0d13ea220c72ad9cea8\
             149c28a0f20b70d3b79d251d4d9c82dc9f49eeb467cdd42ad6a289cdc7222d8b"),
        ("SHA-256", "Año \"1\"\n€😀\0", "29a1442f926168552ba68728e61308e83a6b79f3e85d30fe0d84ee12a7ab9780"),
        ("SHA-256", "", "63479ad69a090b258277ec8fba6f99419a2ffb248981510657c944ccd1148e97"),
    ];
}
