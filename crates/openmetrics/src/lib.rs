//! Writes the page of `/metrics` in the text format of OpenMetrics 1.0.
//!
//! Different crates have the broker's figures and those of the sources, and `bitacora up` shows both on one page. This
//! crate has what both need.

use std::borrow::Cow;
use std::fmt;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// The content type of [`page`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns the page with the figures of all registries, which must not share a name.
///
/// # Errors
/// [`fmt::Error`] if a collector fails.
pub fn page(registries: &[&Registry]) -> Result<String, fmt::Error> {
    let mut page = String::new();
    for registry in registries {
        text::encode_registry(&mut page, registry)?;
    }
    text::encode_eof(&mut page)?;
    Ok(page)
}

/// Returns a label's value with `\`, `"` and the line break escaped, which would otherwise end the value or its line.
/// `prometheus-client` does not escape values. (Source: OpenMetrics 1.0, "ABNF".)
pub fn label_value(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            plain => out.push(plain),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_label_is_escaped() {
        assert_eq!(label_value("persistent://public/default/pedidos"), "persistent://public/default/pedidos");
        assert_eq!(label_value("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
    }

    #[test]
    fn a_page_of_several_registries_ends_once() {
        let registries = [Registry::default(), Registry::default()];
        assert_eq!(page(&[&registries[0], &registries[1]]), Ok("# EOF\n".to_owned()));
    }
}
