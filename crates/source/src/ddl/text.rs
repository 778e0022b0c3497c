//! Bytes of a statement as text.
//!
//! A statement stands in the log as the client sent it, in the client's character set, which a query event names
//! (`Q_CHARSET_CODE`). Text must be decoded before it is read as SQL: in sjis, gbk, big5 and gb18030 the second byte of
//! a character may be a backslash, a quote or a backtick.
//!
//! The servers write some statements themselves, among them the `CREATE TABLE` of `CREATE TABLE … SELECT`, of `LIKE` a
//! temporary table, and of a generated invisible primary key. Those have the form of `SHOW CREATE TABLE` and are in
//! UTF-8 whatever the event says.

use bitacora_change::charset::Charset;

/// Decodes a statement; `client_collation` is the collation that its event names. What is not understood becomes
/// U+FFFD.
pub fn statement_text(bytes: &[u8], client_collation: Option<u16>) -> String {
    let charset = client_collation.and_then(|collation| Charset::by_collation(u32::from(collation)));
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() || is_of_server(text) => text.to_owned(),
        // The text of a client that names `binary`, or a set that is not known, is taken for UTF-8, as the server takes
        // its names.
        _ => charset.unwrap_or(Charset::Utf8).decode_to_string(bytes),
    }
}

/// Decodes the statement that a server logs before its rows for people to read. MariaDB names no character set for it;
/// text that is not UTF-8 is then taken for latin1, which keeps every byte.
pub fn annotation_text(bytes: &[u8], client_collation: Option<u16>) -> String {
    const LATIN1: u16 = 8;
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    statement_text(bytes, client_collation.or((!is_utf8).then_some(LATIN1)))
}

/// Whether a text begins as `SHOW CREATE TABLE` does: the first column stands in a line of its own.
fn is_of_server(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("CREATE TABLE `") else { return false };
    // A backtick in the name is doubled.
    rest.replace("``", "").split_once('`').is_some_and(|(_, behind)| behind.starts_with(" (\n  `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATIN1: u16 = 8;

    #[test]
    fn text_is_in_the_character_set_that_its_event_names() {
        for (bytes, collation, text) in [
            (&b"ALTER TABLE `a\xf1o` ADD b INT"[..], Some(LATIN1), "ALTER TABLE `a\u{f1}o` ADD b INT"),
            (b"DEFAULT '\x95\x5c'", Some(13), "DEFAULT '表'"),
            (b"`\x81`` (id INT)", Some(28), "`乣` (id INT)"),
            (b"`\xa5\x5c`", Some(1), "`功`"),
            ("'ñ😀'".as_bytes(), Some(255), "'ñ😀'"),
            ("'ñ'".as_bytes(), Some(63), "'ñ'"),
            ("'ñ'".as_bytes(), None, "'ñ'"),
            (b"'ni\xf1o'", None, "'ni\u{fffd}o'"),
            // Two letters of latin1 that could be one of UTF-8.
            (b"CREATE TABLE `\xc3\xb1` (a INT)", Some(LATIN1), "CREATE TABLE `Ã±` (a INT)"),
            (
                "CREATE TABLE `ñ``x` (\n  `año` int DEFAULT '3'\n)".as_bytes(),
                Some(LATIN1),
                "CREATE TABLE `ñ``x` (\n  `año` int DEFAULT '3'\n)",
            ),
        ] {
            assert_eq!(statement_text(bytes, collation), text, "{collation:?}");
        }
        assert_eq!(annotation_text(b"'ni\xf1o'", None), "'niño'");
        assert_eq!(annotation_text("'niño'".as_bytes(), None), "'niño'");
        assert_eq!(annotation_text("'ni\u{c3}\u{b1}o'".as_bytes(), Some(255)), "'niÃ±o'");
    }
}
