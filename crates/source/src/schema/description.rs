//! `information_schema` in the terms of a table description.

use bitacora_change::{ColumnDefault, ColumnDescription, TableDescription};

use super::facts::quoted_text;
use super::{ColumnFacts, TableFacts};
use crate::Flavor;

impl TableFacts {
    /// Describes the table as DDL would.
    pub fn description(&self, flavor: Flavor) -> TableDescription {
        TableDescription {
            database: self.name.database.clone(),
            table: self.name.table.clone(),
            columns: self.columns.iter().map(|column| column.description(flavor)).collect(),
            primary_key: self.primary_key.iter().map(|(name, _)| name.clone()).collect(),
            unique_keys: self.unique_keys.iter().map(|(_, columns)| columns.clone()).collect(),
            default_charset: self.charset().map(str::to_owned),
            comment: Some(self.comment.clone()).filter(|comment| !comment.is_empty()),
        }
    }

    /// Character set of the default collation.
    fn charset(&self) -> Option<&str> {
        let collation = self.collation.as_deref()?;
        Some(collation.split('_').next().unwrap_or(collation))
    }
}

impl ColumnFacts {
    /// Describes the column as DDL would.
    pub fn description(&self, flavor: Flavor) -> ColumnDescription {
        let (length, scale) = self.parameters();
        ColumnDescription {
            name: self.name.clone(),
            type_name: self.type_name(),
            length,
            scale,
            charset: self.charset.clone(),
            collation: self.collation.clone(),
            is_nullable: self.nullable,
            default: match flavor {
                Flavor::Mysql => self.mysql_default(),
                Flavor::Mariadb => self.mariadb_default(),
            },
            is_auto_increment: self.has_extra("AUTO_INCREMENT"),
            is_updated_to_now: self.has_extra("ON UPDATE CURRENT_TIMESTAMP"),
            is_generated: self.is_generated(),
            comment: Some(self.comment.clone()).filter(|comment| !comment.is_empty()),
            labels: self.labels(),
        }
    }

    fn type_name(&self) -> String {
        let mut name = self.data_type.to_ascii_uppercase();
        if name == "GEOMCOLLECTION" {
            name = "GEOMETRYCOLLECTION".to_owned();
        }
        if self.labels().is_empty() {
            let column_type = self.column_type.to_ascii_lowercase();
            for word in ["unsigned", "zerofill"] {
                if column_type.split([' ', ')']).any(|part| part == word) {
                    name.push(' ');
                    name.push_str(&word.to_ascii_uppercase());
                }
            }
        }
        name
    }

    /// Reads the numbers in the parentheses of the type; labels are none.
    fn parameters(&self) -> (Option<u32>, Option<u32>) {
        if !self.labels().is_empty() {
            return (None, None);
        }
        let inside = self.column_type.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        let mut numbers = inside.map(|(inside, _)| inside).unwrap_or_default().split(',');
        let mut next = || numbers.next().and_then(|number| number.trim().parse().ok());
        (next(), next())
    }

    /// MySQL prints a literal without quotes, and marks expressions.
    fn mysql_default(&self) -> ColumnDefault {
        match &self.default {
            None => self.without_default(),
            Some(text) if self.has_extra("DEFAULT_GENERATED") || is_current_timestamp(text) => {
                ColumnDefault::Expression(text.clone())
            }
            Some(text) => ColumnDefault::Literal(text.clone()),
        }
    }

    /// MariaDB prints the clause as written: quoted literals, bare numbers, `NULL`, expressions.
    fn mariadb_default(&self) -> ColumnDefault {
        let Some(text) = &self.default else { return ColumnDefault::Absent };
        if text == "NULL" {
            return self.without_default();
        }
        if let Some(quoted) = text.strip_prefix('\'') {
            let mut rest = quoted.chars();
            let literal = quoted_text(&mut rest);
            return match rest.as_str() {
                "" => ColumnDefault::Literal(literal),
                _ => ColumnDefault::Expression(text.clone()),
            };
        }
        let number = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        if number || text.starts_with("b'") || text.starts_with("x'") {
            ColumnDefault::Literal(text.clone())
        } else {
            ColumnDefault::Expression(text.clone())
        }
    }

    /// `SHOW CREATE TABLE` prints `DEFAULT NULL` for every nullable column but those that cannot have a literal default.
    fn without_default(&self) -> ColumnDefault {
        let large = ["text", "blob", "json", "geom", "point", "line", "polygon", "vector"];
        if !self.nullable || self.is_generated() || large.iter().any(|word| self.data_type.contains(word)) {
            ColumnDefault::Absent
        } else {
            ColumnDefault::Null
        }
    }
}

fn is_current_timestamp(text: &str) -> bool {
    text.to_ascii_uppercase().starts_with("CURRENT_TIMESTAMP")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str, column_type: &str, default: Option<&str>, extra: &str) -> ColumnFacts {
        ColumnFacts {
            data_type: data_type.into(),
            column_type: column_type.into(),
            default: default.map(str::to_owned),
            extra: extra.into(),
            nullable: true,
            ..ColumnFacts::default()
        }
    }

    #[test]
    fn types_are_spelt_as_debezium_does() {
        let described = column("tinyint", "tinyint(3) unsigned zerofill", None, "").description(Flavor::Mysql);
        assert_eq!((described.type_name.as_str(), described.length), ("TINYINT UNSIGNED ZEROFILL", Some(3)));
        let described = column("decimal", "decimal(10,2)", None, "").description(Flavor::Mysql);
        assert_eq!((described.length, described.scale), (Some(10), Some(2)));
        let described = column("enum", "enum('unsigned','(3)')", None, "").description(Flavor::Mysql);
        assert_eq!((described.type_name.as_str(), described.length), ("ENUM", None));
        assert_eq!(described.labels, ["unsigned", "(3)"]);
    }

    #[test]
    fn defaults_of_both_servers_mean_the_same() {
        for (flavor, text, extra, expected) in [
            (Flavor::Mysql, Some("hola"), "", ColumnDefault::Literal("hola".into())),
            (Flavor::Mariadb, Some("'hola'"), "", ColumnDefault::Literal("hola".into())),
            (Flavor::Mariadb, Some("'it''s'"), "", ColumnDefault::Literal("it's".into())),
            (Flavor::Mariadb, Some(r"'a\\''b\n'"), "", ColumnDefault::Literal("a\\'b\n".into())),
            (Flavor::Mysql, None, "", ColumnDefault::Null),
            (Flavor::Mariadb, Some("NULL"), "", ColumnDefault::Null),
            (Flavor::Mariadb, None, "", ColumnDefault::Absent),
            (Flavor::Mysql, Some("7"), "", ColumnDefault::Literal("7".into())),
            (Flavor::Mariadb, Some("-7"), "", ColumnDefault::Literal("-7".into())),
            (Flavor::Mysql, Some("uuid()"), "DEFAULT_GENERATED", ColumnDefault::Expression("uuid()".into())),
            (Flavor::Mysql, Some("CURRENT_TIMESTAMP"), "", ColumnDefault::Expression("CURRENT_TIMESTAMP".into())),
            (
                Flavor::Mariadb,
                Some("current_timestamp()"),
                "on update current_timestamp()",
                ColumnDefault::Expression("current_timestamp()".into()),
            ),
        ] {
            assert_eq!(column("varchar", "varchar(10)", text, extra).description(flavor).default, expected, "{text:?}");
        }
    }

    #[test]
    fn a_generated_default_is_no_generated_column() {
        assert!(!column("timestamp", "timestamp", None, "DEFAULT_GENERATED").is_generated());
        assert!(column("int", "int", None, "STORED GENERATED").is_generated());
        assert!(column("int", "int", None, "VIRTUAL GENERATED INVISIBLE").is_generated());
    }
}
