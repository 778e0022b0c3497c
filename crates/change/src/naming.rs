//! Names of topics and schemas.

/// Name of a table's topic: `prefix.database.table`, characters outside `[A-Za-z0-9._-]` replaced by `_`.
pub fn table_topic(prefix: &str, database: &str, table: &str) -> String {
    let mut topic = String::with_capacity(prefix.len() + database.len() + table.len() + 2);
    for (index, part) in [prefix, database, table].into_iter().enumerate() {
        if index > 0 {
            topic.push('.');
        }
        topic.extend(part.chars().map(|character| if is_allowed(character) { character } else { '_' }));
    }
    topic
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_become_underscores() {
        assert_eq!(table_topic("srv", "golden", "テーブル"), "srv.golden.____");
        assert_eq!(table_topic("a-b", "c$d", "e f"), "a-b.c_d.e_f");
    }
}
