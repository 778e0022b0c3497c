//! Decodes the bytes of a statement.
//!
//! The log holds a statement as the client sent it, in the client's character set, which the query event names
//! (`Q_CHARSET_CODE`). The text must be decoded before it is read as SQL: in sjis, gbk, big5 and gb18030 the second
//! byte of a character may be a backslash, a quote or a backtick.
//!
//! The servers write some statements themselves: the `CREATE TABLE` of `CREATE TABLE … SELECT`, of `LIKE` a temporary
//! table, of a generated invisible primary key, and others. Those look like `SHOW CREATE TABLE` and are in UTF-8,
//! whatever the event says.

use bitacora_change::charset::Charset;

/// Decodes a statement; `client_collation` is the collation that its event names. Bytes that are not valid in the
/// character set become U+FFFD.
pub fn statement_text(bytes: &[u8], client_collation: Option<u16>) -> String {
    let charset = client_collation.and_then(|collation| Charset::by_collation(u32::from(collation)));
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() || is_of_server(text) => text.to_owned(),
        // With `binary` or an unknown character set the text is read as UTF-8, as the server reads the names in it.
        _ => charset.unwrap_or(Charset::Utf8).decode_to_string(bytes),
    }
}

/// Decodes a statement that a server logs before its row events only for people to read. MariaDB names no character set
/// for such a statement; text that is not UTF-8 is then read as latin1, which loses no byte.
pub fn annotation_text(bytes: &[u8], client_collation: Option<u16>) -> String {
    const LATIN1: u16 = 8;
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    statement_text(bytes, client_collation.or((!is_utf8).then_some(LATIN1)))
}

/// Returns whether a text begins like `SHOW CREATE TABLE`, with the first column on a line of its own.
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
            // Two letters in latin1 whose bytes would be one letter in UTF-8.
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
