#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod alter;
mod create;
mod noise;
mod record;
mod statement;

use super::*;

fn scan_plain(sql: &str) -> Facts {
    scan(sql, "d", SqlMode::default())
}

/// Returns the only statement of a text, which must be understood without a warning.
fn statement(sql: &str) -> Statement {
    let mut facts = scan_plain(sql);
    assert!(facts.warnings.is_empty(), "{sql}: {:?}", facts.warnings);
    assert_eq!(facts.statements.len(), 1, "{sql}");
    facts.statements.remove(0)
}

fn charset(name: &str) -> CharsetChoice {
    CharsetChoice { charset: Some(name.to_owned()), collation: None }
}

/// Returns the catalog of a utf8mb4 server after these statements; none may give a warning.
fn catalog(statements: &[&str]) -> Catalog {
    let mut catalog = Catalog::new(charset("utf8mb4"));
    for sql in statements {
        let facts = scan_plain(sql);
        assert!(facts.warnings.is_empty(), "{sql}: {:?}", facts.warnings);
        catalog.apply(&facts);
    }
    catalog
}

/// Returns one line for each column of `d.t`: name, type, and every attribute that is not the default.
fn columns(catalog: &Catalog) -> Vec<String> {
    catalog.table("d", "t").expect("table d.t").columns.iter().map(shown).collect()
}

fn shown(column: &ColumnDefinition) -> String {
    let mut text = format!("{} {}", column.name, column.type_name);
    match (column.length, column.scale) {
        (Some(length), Some(scale)) => text += &format!("({length},{scale})"),
        (Some(length), None) => text += &format!("({length})"),
        _ => {}
    }
    if !column.labels.is_empty() {
        text += &format!("{:?}", column.labels);
    }
    if let Some(charset) = column.charset.resolved().filter(|charset| *charset != "utf8mb4") {
        text += &format!(" {charset}");
    }
    if column.nullable == Some(false) {
        text += " NOT NULL";
    }
    match &column.default {
        None | Some(DefaultValue::Null) => {}
        Some(default) => text += &format!(" {default:?}"),
    }
    for (flag, name) in
        [(column.auto_increment, "AUTO"), (column.on_update_now, "ON UPDATE"), (column.invisible, "INVISIBLE")]
    {
        if flag {
            text += &format!(" {name}");
        }
    }
    if let Some(generated) = &column.generated {
        text += &format!(" AS {generated}");
    }
    if let Some(comment) = &column.comment {
        text += &format!(" -- {comment}");
    }
    text
}
