//! Decides who may receive the password itself: one rule for every plugin that sends it.
//!
//! A scramble does not reveal a good password. The password itself, inside TLS or encrypted with an RSA key, can be
//! read by whoever holds the private key. So somebody must vouch for the key: a CA, a pinned key file, or the operator
//! by an option. A server without TLS sends its RSA key, but so does a man in the middle. Across a network, TLS with a
//! certificate that nobody checked is no better. On the loopback interface it is enough, because nobody is between.
//!
//! The model is MySQL's own client (`--server-public-key-path`, `--get-server-public-key`). The rule for `preferred` is
//! stricter, because otherwise the man in the middle would only have to offer TLS.

use std::net::IpAddr;

use rsa::RsaPublicKey;
use rustls::ClientConfig;

use super::auth::{self, Plugin};
use super::tls;
use crate::error::NoTrust;
use crate::{Error, PublicKeyRetrieval, ServerConfig, TlsMode};

/// The keys in the files of a configuration, read before the first byte is sent.
#[derive(Debug)]
pub(super) struct Keys {
    /// The mode that applies; a CA file may have raised it.
    pub mode: TlsMode,
    /// The TLS client; `None` if TLS is never used.
    pub client: Option<ClientConfig>,
    /// The server's RSA key, if the configuration names it.
    pub pinned: Option<RsaPublicKey>,
    retrieval: PublicKeyRetrieval,
}

/// How the connection is protected when the password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// Plain TCP.
    Plain,
    /// TLS.
    Tls {
        /// Address of the other end.
        peer: Option<IpAddr>,
    },
}

/// How the password may be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way<'a> {
    /// In clear, inside TLS.
    Clear,
    /// Encrypted with this key.
    Pinned(&'a RsaPublicKey),
    /// Encrypted with the key that the server sends when asked.
    Retrieved,
}

impl Keys {
    /// Reads the files that the configuration names, even if the connection will not need them.
    ///
    /// # Errors
    /// [`Error::TlsFile`] for a file that is missing or holds something else, [`Error::CaWithoutTls`].
    pub(super) fn read(config: &ServerConfig) -> Result<Keys, Error> {
        let mode = config.tls.effective_mode()?;
        let client = tls::client_config(&config.tls, mode)?;
        let pinned = config.tls.server_public_key_file.as_deref();
        let pinned = pinned.map(|path| {
            let failed = |reason: String| Error::TlsFile { path: path.to_owned(), reason };
            let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
            auth::public_key(&pem).ok_or_else(|| failed("it holds no RSA public key".into()))
        });
        Ok(Keys {
            mode,
            client: (mode != TlsMode::Disabled).then_some(client),
            pinned: pinned.transpose()?,
            retrieval: config.tls.public_key_retrieval,
        })
    }

    /// Returns how the password may be sent over this channel.
    ///
    /// # Errors
    /// [`Error::UntrustedKey`] if nobody vouches for the key at the other end.
    pub(super) fn way(&self, channel: Channel, plugin: Plugin, address: &str) -> Result<Way<'_>, Error> {
        let allowed = self.retrieval == PublicKeyRetrieval::Allowed;
        let refused = |reason| Error::UntrustedKey { address: address.to_owned(), plugin: plugin.name(), reason };
        match (channel, &self.pinned) {
            (Channel::Tls { peer }, _) => {
                let is_local = peer.is_some_and(|peer| peer.to_canonical().is_loopback());
                match self.mode {
                    TlsMode::VerifyCa | TlsMode::VerifyIdentity | TlsMode::Required => Ok(Way::Clear),
                    TlsMode::Preferred | TlsMode::Disabled if is_local || allowed => Ok(Way::Clear),
                    TlsMode::Preferred | TlsMode::Disabled => Err(refused(NoTrust::Certificate)),
                }
            }
            (Channel::Plain, Some(key)) => Ok(Way::Pinned(key)),
            (Channel::Plain, None) if allowed => Ok(Way::Retrieved),
            (Channel::Plain, None) => Err(refused(NoTrust::PublicKey)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys(mode: TlsMode, retrieval: PublicKeyRetrieval) -> Keys {
        Keys { mode, client: None, pinned: None, retrieval }
    }

    /// The columns are the mode, the channel, whether the operator allowed any key, and whether the password is sent.
    #[test]
    fn the_password_leaves_only_to_keys_that_somebody_vouches_for() {
        use PublicKeyRetrieval::{Allowed, Refused};
        let local = Channel::Tls { peer: Some("::ffff:127.0.0.1".parse().unwrap()) };
        let remote = Channel::Tls { peer: Some("192.0.2.7".parse().unwrap()) };
        let unknown = Channel::Tls { peer: None };
        for (mode, channel, retrieval, leaves) in [
            (TlsMode::Preferred, Channel::Plain, Refused, false),
            (TlsMode::Preferred, Channel::Plain, Allowed, true),
            (TlsMode::Disabled, Channel::Plain, Refused, false),
            (TlsMode::Disabled, Channel::Plain, Allowed, true),
            (TlsMode::Preferred, local, Refused, true),
            (TlsMode::Preferred, remote, Refused, false),
            (TlsMode::Preferred, remote, Allowed, true),
            (TlsMode::Preferred, unknown, Refused, false),
            (TlsMode::Required, remote, Refused, true),
            (TlsMode::VerifyCa, remote, Refused, true),
            (TlsMode::VerifyIdentity, remote, Refused, true),
        ] {
            for plugin in [Plugin::CachingSha2, Plugin::Sha256] {
                let outcome = keys(mode, retrieval);
                let outcome = outcome.way(channel, plugin, "db:3306");
                assert_eq!(outcome.is_ok(), leaves, "{mode:?} {channel:?} {retrieval:?}: {outcome:?}");
            }
        }
    }
}
