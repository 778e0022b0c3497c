//! Rules for columns, from both kinds of file.

use bitacora_change::{ColumnRules, ColumnSelection, HashVersion, Mask};

use super::*;

const YAML: &str = "name: s\nconfigs:\n  database.hostname: h\n  database.user: u\n  topic.prefix: p\n";
const TOML: &str = "[[source]]\nname = \"s\"\ntopic_prefix = \"p\"\nserver = { host = \"h\", user = \"u\" }\n";

fn yaml(lines: &str) -> Result<EngineConfig, ConfigError> {
    let environment = Environment::of([("SALT", "s4lz")]);
    parse_pulsar_io(&format!("{YAML}{lines}\n"), "source.yaml", &environment)
}

fn toml(lines: &str) -> Result<EngineConfig, ConfigError> {
    let environment = Environment::of([("SALT", "s4lz")]);
    parse_toml_config(&format!("{TOML}[source.columns]\n{lines}\n"), "bitacora.toml", &environment)
}

fn rules(config: Result<EngineConfig, ConfigError>) -> ColumnRules {
    config.unwrap_or_else(|error| panic!("{error}")).sources.remove(0).columns
}

/// Returns each mask as text, with those of the columns that it matches.
fn masks(rules: &ColumnRules, columns: &[&str]) -> Vec<String> {
    let shown = |mask: &Mask| match mask {
        Mask::Asterisks(number) => format!("{number}"),
        Mask::Hash(hash) if hash.version() == HashVersion::V1 => "v1".to_owned(),
        Mask::Hash(_) => "v2".to_owned(),
    };
    let matched = |list: &bitacora_change::PatternList| {
        columns.iter().filter(|column| list.matches(column)).copied().collect::<Vec<_>>().join(" ")
    };
    rules.masks.iter().map(|(list, mask)| format!("{} {}", shown(mask), matched(list))).collect()
}

#[test]
fn both_kinds_of_file_say_the_same() {
    let debezium = rules(yaml(
        "  column.mask.hash.v2.SHA-256.with.salt.a.b: s.u.c\n  column.mask.hash.MD5.with.salt.${env:SALT}: s.u.b\n  \
         column.mask.with.8.chars: 's\\.u\\.a,s\\.v\\..*'\n  column.truncate.to.20.chars: s.u.bio\n  column.blacklist: \
         s.u.x",
    ));
    let own = rules(toml(
        "mask = [{ columns = [\"s\\\\.u\\\\.a\", 's\\.v\\..*'], chars = 8 },\n { columns = \"s.u.b\", hash = \"md5\", \
         salt = \"${env:SALT}\", hash_version = 1 },\n { columns = \"s.u.c\", hash = \"SHA-256\", salt = \"a.b\" \
         }]\ntruncate = { columns = \"s.u.bio\", chars = 20 }\nexclude = [\"s.u.x\"]",
    ));
    for rules in [debezium, own] {
        assert_eq!(masks(&rules, &["s.u.a", "s.v.z", "s.u.b", "s.u.c"]), ["8 s.u.a s.v.z", "v1 s.u.b", "v2 s.u.c"]);
        assert_eq!(rules.truncations.len(), 1);
        assert!(rules.truncations[0].0.matches("s.u.bio") && rules.truncations[0].1 == 20);
        assert!(matches!(&rules.selection, ColumnSelection::Exclude(list) if list.matches("S.U.X")));
    }
}

#[test]
fn without_rules_every_column_is_published_as_it_is() {
    assert!(rules(yaml("  column.include.list: ''")).is_empty());
    assert!(rules(toml("")).is_empty());
    let included = rules(toml("include = 's\\.u\\.(a|b)'"));
    assert!(included.prints("s", "u", "a") && !included.prints("s", "u", "c"));
}

#[test]
fn what_cannot_be_a_rule_is_named() {
    for (line, expected) in [
        ("column.mask.with.x.chars: a", "\"x\" is not a number of characters from 0 to 1024"),
        ("column.mask.with.8: a", "write column.mask.with.<characters>.chars, column.mask.hash."),
        ("column.mask.other: a", "write column.mask.with.<characters>.chars"),
        ("column.mask.with.8.chars: ''", "column.mask names no column; write database.table.column"),
        (
            "column.mask.with.8.chars: 'a('",
            "a( in column.mask cannot be used (Opening parenthesis without closing parenthesis)",
        ),
        ("column.mask.with.8.chars: {a: b}", "a list of regular expressions is expected"),
        ("column.truncate.to.chars: a", "write column.truncate.to.<characters>.chars"),
        ("column.truncate.to.4294967295.chars: a", "is not a number of characters from 0 to 2147483647"),
        (
            "column.include.list: a\n  column.exclude.list: b",
            "column.include.list and column.exclude.list are both given",
        ),
        (
            "column.include.list: 'a('",
            "a( in column.include.list cannot be used (Opening parenthesis without closing parenthesis)",
        ),
    ] {
        let message = problems(yaml(&format!("  {line}")));
        assert!(message.starts_with("source.yaml") && message.contains(expected), "{message}");
    }
    for (line, expected) in [
        ("mask = \"a\"", "write { columns = \"database.table.column\", chars = 8 }, or {"),
        ("mask = [{ chars = 8 }]", "write { columns = \"database.table.column\", chars = 8 }, or {"),
        ("mask = [{ columns = \"a\", chars = 8, hash = \"MD5\", salt = \"x\" }]", "write { columns"),
        ("mask = [{ columns = \"a\", characters = 8 }]", "\"characters\" is not known here; write { columns"),
        ("mask = [{ columns = \"a\", hash = \"MD5\" }]", "a hash needs a salt; add salt"),
        ("mask = [{ columns = \"a\", hash = \"MD5\", salt = \"\" }]", "the salt is empty"),
        (
            "mask = [{ columns = \"a\", hash = \"MD2\", salt = \"x\" }]",
            "\"MD2\" is not a hash function that can be used: MD5, SHA-1, ",
        ),
        ("mask = [{ columns = \"a\", hash = \"MD5\", salt = \"x\", hash_version = 3 }]", "\"3\" is not a hash_version"),
        ("truncate = [{ columns = \"a\" }]", "write { columns = \"database.table.column\", chars = 20 }"),
        ("truncates = []", "the nearest known key is source.columns.truncate"),
    ] {
        let message = problems(toml(line));
        assert!(message.contains(expected), "{message}");
    }
}

/// Debezium's keys hold the salt, so messages, which show keys, must leave it out.
#[test]
fn a_salt_shows_nowhere() {
    let key = "column.mask.hash.SHA-256.with.salt.s4lz";
    let config = yaml(&format!("  {key}: a.b.c\n  column.mask.hash.MD5.with.salt.${{env:SALT}}: a.b.d")).unwrap();
    assert!(!format!("{config:?}").contains("s4lz"));
    for line in [
        format!("  {key}: 'a('"),
        format!("  {key}: {{}}"),
        "  column.mask.hash.MD2.with.salt.${env:SALT}: a".to_owned(),
    ] {
        let message = problems(yaml(&line));
        assert!(
            message.starts_with("source.yaml:6: configs.column.mask.hash.") && !message.contains("s4lz"),
            "{message}"
        );
    }
    let message = problems(toml("mask = [{ columns = \"a\", hash = \"MD2\", salt = \"s4lz\" }]"));
    assert!(!message.contains("s4lz"), "{message}");
}
