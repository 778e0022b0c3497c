//! Computes what the password plugins send: scrambles, and the password encrypted with the server's RSA key.
//!
//! Sources: "Native Authentication" and "Caching_sha2_password information" in the MySQL Server Developer
//! Documentation. The password itself leaves this process only inside TLS or encrypted with an RSA key, as `trust`
//! allows.
//!
//! `mysql_native_password` never sends the password, but its scramble is weak: an attacker who answers in the server's
//! place can guess a short password with two SHA-1 per try, and one who also has the server's stored hash can log in
//! with what a single scramble reveals.

use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::Secret;

/// Length of the server's nonce.
pub(super) const NONCE: usize = 20;

/// Plugins that this client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    /// `mysql_native_password`.
    Native,
    /// `caching_sha2_password`.
    CachingSha2,
    /// `sha256_password`.
    Sha256,
}

impl Plugin {
    /// Returns the plugin of the name that the server uses; `None` if this client does not speak it.
    pub(super) fn named(name: &[u8]) -> Option<Plugin> {
        match name {
            b"mysql_native_password" => Some(Plugin::Native),
            b"caching_sha2_password" => Some(Plugin::CachingSha2),
            b"sha256_password" => Some(Plugin::Sha256),
            _ => None,
        }
    }

    /// Returns the name that the server uses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Plugin::Native => "mysql_native_password",
            Plugin::CachingSha2 => "caching_sha2_password",
            Plugin::Sha256 => "sha256_password",
        }
    }

    /// Returns the first answer to the server's nonce. An empty password has an empty answer.
    pub(super) fn answer(self, password: &Secret, nonce: &[u8]) -> Vec<u8> {
        let password = password.expose().as_bytes();
        if password.is_empty() {
            return match self {
                Plugin::Sha256 => vec![0],
                _ => Vec::new(),
            };
        }
        match self {
            Plugin::Native => {
                let once = Sha1::digest(password);
                let mask = Sha1::new().chain_update(nonce).chain_update(Sha1::digest(once)).finalize();
                xor(&once, &mask)
            }
            Plugin::CachingSha2 => {
                let once = Sha256::digest(password);
                let mask = Sha256::new().chain_update(Sha256::digest(once)).chain_update(nonce).finalize();
                xor(&once, &mask)
            }
            // The plugin has no scramble, and the server waits for the password itself.
            Plugin::Sha256 => Vec::new(),
        }
    }
}

/// Returns the password with its closing zero byte, for use inside TLS.
pub(super) fn clear(password: &Secret) -> Vec<u8> {
    let mut bytes = password.expose().as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// Reads a public key in PEM, as a server keeps it in its data folder, or sends it with a zero byte at the end.
pub(super) fn public_key(pem: &[u8]) -> Option<RsaPublicKey> {
    let pem = std::str::from_utf8(pem).ok()?;
    RsaPublicKey::from_public_key_pem(pem.trim_end_matches(['\0', '\n', ' '])).ok()
}

/// Encrypts the password with a public key: masked with the nonce, then by OAEP with SHA-1.
pub(super) fn under_key(password: &Secret, nonce: &[u8], key: &RsaPublicKey) -> Option<Vec<u8>> {
    let masked: Vec<u8> = clear(password).iter().zip(nonce.iter().cycle()).map(|(a, b)| a ^ b).collect();
    key.encrypt(&mut rand::thread_rng(), rsa::Oaep::new::<Sha1>(), &masked).ok()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The server's side of the check: with SHA1(SHA1(password)) stored, the answer must give back SHA1(password).
    #[test]
    fn the_native_answer_passes_the_servers_check() {
        let nonce = *b"0123456789abcdefghij";
        let answer = Plugin::Native.answer(&Secret::new("dbz"), &nonce);
        let stored = Sha1::digest(Sha1::digest(b"dbz"));
        let mask = Sha1::new().chain_update(nonce).chain_update(stored).finalize();
        assert_eq!(hex(&Sha1::digest(xor(&answer, &mask))), hex(&stored));
    }

    #[test]
    fn the_caching_sha2_answer_passes_the_servers_check() {
        let nonce = *b"0123456789abcdefghij";
        let answer = Plugin::CachingSha2.answer(&Secret::new("dbz"), &nonce);
        let stored = Sha256::digest(Sha256::digest(b"dbz"));
        let mask = Sha256::new().chain_update(stored).chain_update(nonce).finalize();
        assert_eq!(hex(&Sha256::digest(xor(&answer, &mask))), hex(&stored));
    }

    #[test]
    fn an_empty_password_has_an_empty_answer() {
        assert!(Plugin::Native.answer(&Secret::default(), b"x").is_empty());
        assert!(Plugin::CachingSha2.answer(&Secret::default(), b"x").is_empty());
    }

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        assert!(public_key(b"-----BEGIN PUBLIC KEY-----\n").is_none());
        assert!(public_key(&[0xff]).is_none());
    }
}
