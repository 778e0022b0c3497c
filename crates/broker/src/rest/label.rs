//! Label values as Prometheus reads them.

use std::borrow::Cow;

/// Escapes what would end a label's value, or its line: `\\`, `"` and the line break. (Source: OpenMetrics 1.0,
/// "ABNF".)
pub(super) fn escaped(value: &str) -> Cow<'_, str> {
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
