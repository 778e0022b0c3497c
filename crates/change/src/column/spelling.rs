//! Texts of a table's definition, spelled as between the quotes of a statement.

/// Returns the text as `SHOW CREATE TABLE` prints it between its quotes: `it''s`, `back\\slash`, `\n` for a line feed.
pub(crate) fn spelled(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' => spelled.push_str("''"),
            '\\' => spelled.push_str("\\\\"),
            '\n' => spelled.push_str("\\n"),
            '\r' => spelled.push_str("\\r"),
            '\0' => spelled.push_str("\\0"),
            other => spelled.push(other),
        }
    }
    spelled
}

/// Returns the parameter `allowed` of an ENUM's or SET's schema: the labels with a comma between them. A comma inside a
/// label is escaped with a backslash, quotes are not escaped, and everything else is spelled as in a statement.
pub(super) fn allowed(labels: &[String]) -> String {
    let labels = labels.iter().map(|label| spelled(label).replace("''", "'").replace(',', "\\,"));
    labels.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A consumer once could not tell `ENUM('a,b')` from `ENUM('a','b')`.
    #[test]
    fn a_comma_in_a_label_is_told_from_one_between_labels() {
        let labels = ["a,b", "it's", "''", "\"dq\"", "back\\slash", "\\,", "two\nlines", ""].map(str::to_owned);
        assert_eq!(allowed(&labels), "a\\,b,it's,'',\"dq\",back\\\\slash,\\\\\\,,two\\nlines,");
    }

    #[test]
    fn texts_can_be_put_into_a_statement() {
        assert_eq!(spelled("it's \\ \"a\"\r\n\0ñ😀"), "it''s \\\\ \"a\"\\r\\n\\0ñ😀");
    }
}
