//! Names of topics and schemas.

/// Returns the name of a table's topic: `prefix.database.table`, characters outside `[A-Za-z0-9._-]` replaced by `_`.
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

/// Returns the name of a table's topic that no other table's topic has: in the names of database and table, characters
/// outside `[A-Za-z0-9_-]` are written as `_x`, their number in hexadecimal, and `_`; so is an underscore in front of
/// an `x`.
pub fn escaped_table_topic(prefix: &str, database: &str, table: &str) -> String {
    let mut topic = prefix.to_owned();
    for part in [database, table] {
        topic.push('.');
        let mut rest = part.chars().peekable();
        while let Some(character) = rest.next() {
            let reads_as_escape = character == '_' && rest.peek() == Some(&'x');
            if is_allowed(character) && character != '.' && !reads_as_escape {
                topic.push(character);
            } else {
                topic.push_str(&format!("_x{:x}_", u32::from(character)));
            }
        }
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

    /// a.b + c and a + b.c, names in Chinese, a blank and a dollar: each pair met in one topic.
    #[test]
    fn escaped_names_never_meet() {
        let tables = [
            ("cj", "订单"),
            ("cj", "用户"),
            ("a.b", "c"),
            ("a", "b.c"),
            ("s", "s p"),
            ("s", "s$p"),
            ("s", "s_p"),
            ("s", "s_x20_p"),
            ("s", "s_"),
        ];
        let topics: std::collections::BTreeSet<String> =
            tables.iter().map(|(database, table)| escaped_table_topic("p", database, table)).collect();
        assert_eq!(topics.len(), tables.len(), "{topics:?}");
        assert_eq!(escaped_table_topic("p", "shop", "order_items-2"), "p.shop.order_items-2");
        assert_eq!(escaped_table_topic("p", "a.b", "订"), "p.a_x2e_b._x8ba2_");
    }
}
