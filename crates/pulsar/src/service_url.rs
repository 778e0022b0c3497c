//! Service URLs: `pulsar://host:port`, `pulsar+ssl://host:port`, with several addresses separated by commas.

use crate::error::Error;

/// One or more brokers behind a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ServiceUrl {
    pub(crate) tls: TlsUse,
    /// Host and port of each address; never empty.
    pub(crate) addresses: Vec<Address>,
}

/// Whether TLS is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TlsUse {
    Plain,
    Tls,
}

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    /// Without the brackets of an IPv6 literal.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// Prints `host:port`, an IPv6 literal in brackets.
    pub(crate) fn text(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl ServiceUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::ServiceUrl { url: url.to_owned(), reason };
        let (tls, rest, default_port) = match url.split_once("://") {
            Some(("pulsar", rest)) => (TlsUse::Plain, rest, 6650),
            Some(("pulsar+ssl", rest)) => (TlsUse::Tls, rest, 6651),
            Some(_) => return Err(invalid("the scheme is neither pulsar nor pulsar+ssl")),
            None => return Err(invalid("it has no scheme")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let addresses = rest
            .split(',')
            .map(|address| parse_address(address, default_port).ok_or_else(|| invalid("an address is not host:port")))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { tls, addresses })
    }
}

fn parse_address(text: &str, default_port: u16) -> Option<Address> {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => default_port,
    };
    let is_valid = !host.is_empty() && !host.contains(|c: char| c == '/' || c == '@' || c.is_whitespace());
    is_valid.then(|| Address { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(url: &str, printed: &str) {
        let url = ServiceUrl::parse(url).unwrap();
        let scheme = if url.tls == TlsUse::Tls { "pulsar+ssl" } else { "pulsar" };
        let addresses: Vec<String> = url.addresses.iter().map(Address::text).collect();
        assert_eq!(format!("{scheme}://{}", addresses.join(",")), printed);
    }

    #[test]
    fn service_urls_are_read() {
        check("pulsar://localhost", "pulsar://localhost:6650");
        check("pulsar+ssl://a:1/", "pulsar+ssl://a:1");
        check("pulsar://a:1,b", "pulsar://a:1,b:6650");
        check("pulsar://[::1]:7", "pulsar://[::1]:7");
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "",
            "localhost:6650",
            "http://a",
            "pulsar://",
            "pulsar://a:x",
            "pulsar://a:70000",
            "pulsar://a/b",
            "pulsar://u@h:1",
        ] {
            assert!(ServiceUrl::parse(url).is_err(), "{url}");
        }
    }
}
