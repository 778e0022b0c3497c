//! Host and port out of a `Host` header, an `Origin` or a configured name.

use std::net::{IpAddr, Ipv6Addr};

/// A configured name that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no host name; write a name as broker.example, with its port if only that one is meant")]
pub struct NameError {
    /// What was written.
    pub name: String,
}

/// Host, and port where one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

/// A host as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    /// In small letters, without the closing dot.
    Name(String),
}

impl Authority {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`; `None` on anything else, user names included.
    pub(crate) fn parse(text: &str) -> Option<Authority> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, behind) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                let port = if behind.is_empty() { None } else { Some(port(behind.strip_prefix(':')?)?) };
                (Host::Address(IpAddr::V6(address).to_canonical()), port)
            }
            None => match text.split_once(':') {
                Some((host, behind)) => (Host::parse(host)?, Some(port(behind)?)),
                None => (Host::parse(text)?, None),
            },
        };
        Some(Authority { host, port })
    }

    /// Reads the authority of `http://host:port`; the port of the scheme counts where none is written.
    pub(crate) fn of_origin(origin: &str) -> Option<Authority> {
        let (scheme, authority) = origin.split_once("://")?;
        let usual = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = Authority::parse(authority)?;
        Some(Authority { port: authority.port.or(Some(usual)), ..authority })
    }
}

impl Host {
    fn parse(text: &str) -> Option<Host> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Host::Address(address.to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_name = !name.is_empty()
            && name.len() <= 253
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        // A browser turns "0x7f.1" and "127.1" into addresses before it sends them, so here such a text is only a name.
        is_name.then(|| Host::Name(name.to_ascii_lowercase()))
    }

    /// Returns whether the host is this machine by its very name.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Host::Address(address) => address.is_loopback(),
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

fn port(digits: &str) -> Option<u16> {
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}
