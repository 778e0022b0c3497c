//! Where the other parts are, from the tutorial's environment variables.
//!
//! `BROKER_HOST` (API) and `PULSAR_ADDRESS` (sidecar, notifications, page) name the broker's host, `AEROALPES_ADDRESS` the
//! API's. A port may stand behind a host. `PULSAR_SERVICE_URL` says the whole URL instead.

use std::env;

use crate::contrato::error::Error;

/// Where the broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Binary protocol: `pulsar://host:6650`.
    pub service_url: String,
}

impl Broker {
    /// Reads the address; `host_variable` is `BROKER_HOST` or `PULSAR_ADDRESS`.
    pub fn del_entorno(host_variable: &str) -> Self {
        let host = texto(host_variable, "localhost");
        Self { service_url: texto("PULSAR_SERVICE_URL", &format!("pulsar://{}", con_puerto(&host, 6650))) }
    }
}

/// Returns the API's base URL out of `AEROALPES_ADDRESS`: a host, a host with port, or a whole URL. The port is 5000.
///
/// # Errors
/// A URL of another kind, such as `https://`: the parts stand beside the API, which speaks HTTP without TLS, and so do they.
pub fn api_del_entorno() -> Result<String, Error> {
    api(&texto("AEROALPES_ADDRESS", "localhost"))
}

fn api(address: &str) -> Result<String, Error> {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| scheme != "http") {
        let reason = "this part stands beside the API and speaks http; write a host, host:port or http:// URL";
        return Err(Error::Address { variable: "AEROALPES_ADDRESS", value: address.to_owned(), reason });
    }
    if scheme.is_some() {
        return Ok(address.trim_end_matches('/').to_owned());
    }
    Ok(format!("http://{}", con_puerto(address, 5000)))
}

/// Returns a variable's text, or the default when it is unset or empty.
pub fn texto(variable: &str, default: &str) -> String {
    env::var(variable).ok().filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned())
}

fn con_puerto(host: &str, port: u16) -> String {
    if sin_puerto(host).len() < host.len() { host.to_owned() } else { format!("{host}:{port}") }
}

/// Cuts the port off; the colons of a bare IPv6 address are none, in brackets it may have one.
fn sin_puerto(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::{api, con_puerto, sin_puerto};

    #[test]
    fn a_port_is_added_once() {
        let check = |host, with, without| {
            assert_eq!((con_puerto(host, 6650).as_str(), sin_puerto(host)), (with, without));
        };
        check("localhost", "localhost:6650", "localhost");
        check("localhost:1", "localhost:1", "localhost");
        check("[::1]", "[::1]:6650", "[::1]");
        check("[::1]:7", "[::1]:7", "[::1]");
    }

    #[test]
    fn the_api_is_asked_over_http_alone() {
        assert_eq!(api("api").unwrap(), "http://api:5000");
        assert_eq!(api("http://api.example.com/").unwrap(), "http://api.example.com");
        let refused = api("https://api.example.com").unwrap_err().to_string();
        assert!(refused.starts_with("AEROALPES_ADDRESS=\"https://api.example.com\" cannot be used"), "{refused}");
    }
}
