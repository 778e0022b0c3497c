//! Reads the server's greeting and writes the client's answer.
//!
//! Format: "Protocol::HandshakeV10" and "Protocol::HandshakeResponse41" in the MySQL Server Developer Documentation.

use super::auth::NONCE;
use super::read::{Reader, put_bytes};

/// Capability flags that this client knows.
pub(super) mod capability {
    /// Long password hashes.
    pub(crate) const LONG_PASSWORD: u32 = 1;
    /// Longer column flags.
    pub(crate) const LONG_FLAG: u32 = 1 << 2;
    /// Protocol 4.1.
    pub(crate) const PROTOCOL_41: u32 = 1 << 9;
    /// TLS after the greeting.
    pub(crate) const SSL: u32 = 1 << 11;
    /// Status flags in OK packets.
    pub(crate) const TRANSACTIONS: u32 = 1 << 13;
    /// Authentication of 4.1.
    pub(crate) const SECURE_CONNECTION: u32 = 1 << 15;
    /// Named authentication plugins.
    pub(crate) const PLUGIN_AUTH: u32 = 1 << 19;
    /// Connection attributes.
    pub(crate) const CONNECT_ATTRS: u32 = 1 << 20;
    /// Authentication data that follows its length.
    pub(crate) const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
}

/// The server's first packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Version text.
    pub version: String,
    /// The server's number of this connection.
    pub connection_id: u32,
    /// Random bytes for the scramble.
    pub nonce: Vec<u8>,
    /// The server's capabilities.
    pub capabilities: u32,
    /// The plugin that the nonce is meant for; empty on very old servers.
    pub plugin: Vec<u8>,
}

impl Greeting {
    /// Reads a greeting of protocol version 10; `None` for anything else.
    pub(super) fn parse(packet: &[u8]) -> Option<Greeting> {
        let mut reader = Reader::new(packet);
        if reader.u8()? != 10 {
            return None;
        }
        let version = String::from_utf8_lossy(reader.until_zero()).into_owned();
        let connection_id = reader.u32()?;
        let mut nonce = reader.bytes(8)?.to_vec();
        reader.u8()?;
        let low = reader.u16()?;
        let _charset = reader.u8()?;
        let _status = reader.u16()?;
        let high = reader.u16()?;
        let capabilities = u32::from(low) | u32::from(high) << 16;
        let nonce_length = usize::from(reader.u8()?);
        reader.bytes(10)?;
        let later = nonce_length.saturating_sub(8).max(13).min(reader.rest().len());
        nonce.extend_from_slice(reader.bytes(later)?);
        nonce.truncate(NONCE);
        let plugin =
            if capabilities & capability::PLUGIN_AUTH != 0 { reader.until_zero().to_vec() } else { Vec::new() };
        (nonce.len() == NONCE).then_some(Greeting { version, connection_id, nonce, capabilities, plugin })
    }
}

/// The client's answer to a greeting.
#[derive(Clone, Debug)]
pub(super) struct Response<'a> {
    /// Capabilities to use; a subset of the server's.
    pub capabilities: u32,
    /// Account name.
    pub user: &'a str,
    /// First answer of the plugin.
    pub auth: &'a [u8],
    /// Name of the plugin.
    pub plugin: &'a str,
    /// Names and values shown in `performance_schema.session_connect_attrs`.
    pub attributes: &'a [(&'a str, &'a str)],
}

/// Collation id of the session: `utf8mb4_general_ci`, known to every supported server.
const UTF8MB4: u8 = 45;

impl Response<'_> {
    /// Writes the fixed first part of the answer, which alone is the request for TLS.
    pub(super) fn put_tls_request(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.capabilities.to_le_bytes());
        out.extend_from_slice(&(1_u32 << 30).to_le_bytes());
        out.push(UTF8MB4);
        out.extend_from_slice(&[0; 23]);
    }

    /// Writes the whole answer.
    #[expect(clippy::cast_possible_truncation, reason = "a scramble: PLUGIN_AUTH_LENENC stands for longer ones")]
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        self.put_tls_request(out);
        out.extend_from_slice(self.user.as_bytes());
        out.push(0);
        if self.capabilities & capability::PLUGIN_AUTH_LENENC != 0 {
            put_bytes(out, self.auth);
        } else {
            out.push(self.auth.len() as u8);
            out.extend_from_slice(self.auth);
        }
        if self.capabilities & capability::PLUGIN_AUTH != 0 {
            out.extend_from_slice(self.plugin.as_bytes());
            out.push(0);
        }
        if self.capabilities & capability::CONNECT_ATTRS != 0 {
            let mut attributes = Vec::new();
            for (name, value) in self.attributes {
                put_bytes(&mut attributes, name.as_bytes());
                put_bytes(&mut attributes, value.as_bytes());
            }
            put_bytes(out, &attributes);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    fn greeting() -> Vec<u8> {
        let mut packet = vec![10];
        packet.extend_from_slice(b"8.4.2\0");
        packet.extend_from_slice(&77_u32.to_le_bytes());
        packet.extend_from_slice(b"ABCDEFGH\0");
        packet.extend_from_slice(&[0xff, 0xff, 45, 2, 0, 0xff, 0xdf, 21]);
        packet.extend_from_slice(&[0; 10]);
        packet.extend_from_slice(b"IJKLMNOPQRST\0caching_sha2_password\0");
        packet
    }

    #[test]
    fn a_greeting_is_read() {
        let greeting = Greeting::parse(&greeting()).unwrap();
        assert_eq!(greeting.version, "8.4.2");
        assert_eq!(greeting.connection_id, 77);
        assert_eq!(greeting.nonce, b"ABCDEFGHIJKLMNOPQRST");
        assert_eq!(greeting.plugin, b"caching_sha2_password");
        assert_ne!(greeting.capabilities & capability::SSL, 0);
    }

    proptest! {
        #[test]
        fn cut_and_changed_greetings_do_not_panic(cut in 0_usize..90, at in 0_usize..90, byte: u8) {
            let mut packet = greeting();
            let length = packet.len();
            packet[at % length] = byte;
            packet.truncate(cut);
            let _ = Greeting::parse(&packet);
        }

        #[test]
        fn any_bytes_do_not_panic(packet: Vec<u8>) {
            let _ = Greeting::parse(&packet);
        }
    }
}
