//! Which pages may talk to us.

use axum::http::{HeaderMap, HeaderValue, header};

/// Tells whether a request comes from a page of the host that it asks, or from a program that is no browser. A browser sends
/// `Origin` with each websocket and each request that changes something; the scheme is not compared, for a proxy may add TLS.
pub fn es_propio(headers: &HeaderMap) -> bool {
    let texto = |valor: Option<&HeaderValue>| valor.and_then(|valor| valor.to_str().ok()).map(str::to_owned);
    if headers.get(header::ORIGIN).is_none() {
        return true;
    }
    let (Some(origen), Some(host)) = (texto(headers.get(header::ORIGIN)), texto(headers.get(header::HOST))) else {
        return false;
    };
    origen.split_once("://").is_some_and(|(_, autoridad)| autoridad.eq_ignore_ascii_case(&host))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::es_propio;

    #[test]
    fn pages_of_other_hosts_are_refused() {
        let check = |origen: Option<&'static [u8]>, propio| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:5678"));
            if let Some(origen) = origen {
                headers.insert(header::ORIGIN, HeaderValue::from_bytes(origen).unwrap());
            }
            assert_eq!(es_propio(&headers), propio, "{origen:?}");
        };
        check(None, true);
        check(Some(b"http://localhost:5678"), true);
        check(Some(b"https://LOCALHOST:5678"), true);
        check(Some(b"http://localhost:5679"), false);
        check(Some(b"http://localhost"), false);
        check(Some(b"http://mala.example"), false);
        check(Some(b"null"), false);
        check(Some(b"http://localhost:5678\xff"), false);
        check(Some(b""), false);
    }
}
