//! The decision about one request.

use http::{HeaderMap, HeaderName, Method, Uri, header};

use crate::authority::{Authority, Host, NameError};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The names by which a server is meant to be reached, beside the loopback ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    names: Vec<Authority>,
}

/// Which names a request may call the server by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// Loopback names, addresses and configured names.
    Known,
    /// Any: for what a monitor asks, by whatever name it finds the server, and what tells a stranger nothing.
    Any,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request calls the server by a name that nobody configured.
    #[error("the server is not known by the name `{0}`")]
    Host(String),
    /// The request comes from a page of another origin.
    #[error("the request comes from the foreign page `{0}`")]
    Origin(String),
    /// The browser says that the request comes from a page of another site.
    #[error("the request comes from a page of another site")]
    Site,
}

impl Guard {
    /// Creates a guard with further names: `host` for every port, or `host:port`.
    ///
    /// # Errors
    /// [`NameError`] for a text that is neither.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Guard, NameError> {
        let parse =
            |name: N| Authority::parse(name.as_ref()).ok_or_else(|| NameError { name: name.as_ref().to_owned() });
        Ok(Guard { names: names.into_iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// Checks where a request comes from.
    ///
    /// # Errors
    /// The [`Refusal`] says which header is of a foreign page.
    pub fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap, rule: HostRule) -> Result<(), Refusal> {
        let mut hosts: Vec<String> = texts(headers, &header::HOST);
        hosts.extend(uri.authority().map(|authority| authority.as_str().to_owned()));
        let mut own = Vec::new();
        for text in hosts {
            match Authority::parse(&text) {
                Some(host) if rule == HostRule::Any || self.is_known(&host) => own.push(host),
                _ if rule == HostRule::Any => {}
                _ => return Err(Refusal::Host(text)),
            }
        }
        let origins = texts(headers, &header::ORIGIN);
        for text in &origins {
            let is_own = Authority::of_origin(text).is_some_and(|origin| self.may_ask(&origin, text, &own));
            if !is_own {
                return Err(Refusal::Origin(text.clone()));
            }
        }
        if origins.is_empty() && comes_from_elsewhere(method, headers) {
            return Err(Refusal::Site);
        }
        Ok(())
    }

    fn is_known(&self, host: &Authority) -> bool {
        matches!(host.host, Host::Address(_)) || host.host.is_loopback() || self.is_configured(host)
    }

    fn is_configured(&self, asked: &Authority) -> bool {
        let is_same = |name: &Authority| name.host == asked.host && (name.port.is_none() || name.port == asked.port);
        self.names.iter().any(is_same)
    }

    /// Returns whether a page of this origin may ask a server that was called `own`: it is a page of the same server,
    /// by the same name or by another loopback name, or one that the configuration names. A server in front may have
    /// added TLS, so that the page's port is the usual one of its scheme and `Host` has none.
    fn may_ask(&self, origin: &Authority, text: &str, own: &[Authority]) -> bool {
        let usual = if text.starts_with("https:") { 443 } else { 80 };
        let is_own = |host: &Authority| {
            let same_host = host.host == origin.host || (host.host.is_loopback() && origin.host.is_loopback());
            let same_port = host.port.or(Some(usual)) == origin.port;
            same_host && same_port
        };
        own.iter().any(is_own) || self.is_configured(origin)
    }
}

/// Returns whether the browser says that the request comes from a page of another site. A link from there may be
/// followed, as long as it only reads.
fn comes_from_elsewhere(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name: &HeaderName, value: &str| texts(headers, name).iter().any(|text| text.eq_ignore_ascii_case(value));
    let is_link = matches!(*method, Method::GET | Method::HEAD) && is(&SEC_FETCH_MODE, "navigate");
    (is(&SEC_FETCH_SITE, "cross-site") || is(&SEC_FETCH_SITE, "same-site")) && !is_link
}

/// Returns all values of a header. Bytes that are not text become a value that equals no name.
fn texts(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::HeaderValue;

    use super::*;

    fn ask(method: Method, lines: &[(&'static str, &str)], rule: HostRule) -> Result<(), Refusal> {
        let guard = Guard::new(["broker", "admin.example:8443", "192.0.2.9"]).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        guard.check(&method, &Uri::from_static("/admin/v2/clusters"), &headers, rule)
    }

    #[test]
    fn a_name_that_nobody_configured_is_refused_with_every_method() {
        for (host, is_known) in [
            ("localhost:8080", true),
            ("LOCALHOST.:8080", true),
            ("node.localhost", true),
            ("127.0.0.1:8080", true),
            ("127.9.9.9", true),
            ("[::1]:8080", true),
            ("10.1.2.3:8080", true),
            ("broker:8080", true),
            ("Broker.", true),
            ("admin.example:8443", true),
            ("admin.example:8080", false),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.0.0.1:8080@evil.example", false),
            ("evil.example:8080:1", false),
            ("[::1", false),
            ("", false),
        ] {
            for method in [Method::GET, Method::POST, Method::OPTIONS] {
                let outcome = ask(method, &[("host", host)], HostRule::Known);
                assert_eq!(outcome.is_ok(), is_known, "{host}: {outcome:?}");
            }
            assert_eq!(ask(Method::GET, &[("host", host)], HostRule::Any), Ok(()), "{host}");
        }
        let two = ask(Method::GET, &[("host", "localhost"), ("host", "evil.example")], HostRule::Known);
        assert_eq!(two, Err(Refusal::Host("evil.example".into())));
        assert_eq!(ask(Method::GET, &[], HostRule::Known), Ok(()), "HTTP/1.0 names no host; a browser always does");
    }

    #[test]
    fn a_foreign_page_is_refused_whatever_it_asks() {
        for (host, origin, is_own) in [
            ("localhost:8080", "http://localhost:8080", true),
            ("127.0.0.1:8080", "http://localhost:8080", true),
            ("[::1]:8080", "http://127.0.0.1:8080", true),
            ("localhost:8080", "http://localhost:3000", false),
            ("localhost:8080", "http://localhost", false),
            ("localhost", "https://localhost", true),
            ("localhost:8080", "http://evil.example", false),
            ("localhost:8080", "http://evil.example:8080", false),
            ("localhost:8080", "null", false),
            ("localhost:8080", "", false),
            ("localhost:8080", "file://", false),
            ("localhost:8080", "http://localhost:8080.evil.example", false),
            ("10.0.0.1:8080", "http://10.0.0.2:8080", false),
            ("10.0.0.1:8080", "http://10.0.0.1:8080", true),
            ("localhost:8080", "https://admin.example:8443", true),
            ("broker:8080", "http://broker:9999", true),
        ] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let outcome = ask(method, &[("host", host), ("origin", origin)], HostRule::Known);
                assert_eq!(outcome.is_ok(), is_own, "{host} {origin}: {outcome:?}");
            }
        }
        let mixed = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example")];
        assert!(ask(Method::POST, &mixed, HostRule::Known).is_err());
        // Where every name is good, a page under a rebound name is still a page of that name only.
        let rebound = [("host", "localhost:8080"), ("origin", "http://evil.example:8080")];
        assert!(ask(Method::GET, &rebound, HostRule::Any).is_err());
    }

    #[test]
    fn the_browsers_own_word_counts_where_there_is_no_origin() {
        let site = |method, site, mode| {
            ask(method, &[("host", "localhost"), ("sec-fetch-site", site), ("sec-fetch-mode", mode)], HostRule::Known)
        };
        assert_eq!(site(Method::GET, "cross-site", "no-cors"), Err(Refusal::Site));
        assert_eq!(site(Method::GET, "same-site", "no-cors"), Err(Refusal::Site));
        assert_eq!(site(Method::GET, "cross-site", "navigate"), Ok(()));
        assert_eq!(site(Method::POST, "cross-site", "navigate"), Err(Refusal::Site));
        assert_eq!(site(Method::POST, "same-origin", "cors"), Ok(()));
        assert_eq!(site(Method::GET, "none", "navigate"), Ok(()));
    }

    #[test]
    fn a_configured_name_is_a_name() {
        for name in ["http://broker", "broker/x", "bro ker", "broker:x", "broker:70000", "", "*"] {
            assert!(Guard::new([name]).is_err(), "{name}");
        }
    }
}
