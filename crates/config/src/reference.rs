//! The reference in `docs/configuration.md`, made from the table of options.

use std::fmt::Write as _;

use super::environment::variable_of;
use super::option::{Effect, GROUPS, OptionSpec, Scope};

const HEAD: &str = "# Configuration

<!-- Made from the table of options (crates/config/src/option); `UPDATE_DOCS=1 cargo test -p bitacora-config reference_is_current` writes it again. -->

Bitácora runs from a source file of Pulsar IO's Debezium connector (YAML, `bitacora source localrun --source-config-file`),
unchanged, or from its own `bitacora.toml` (`bitacora up -c`).

- **Strict.** An unknown key is an error that names the nearest known one, with file, line and path; a wrong value names what is allowed. All problems are reported at once.
- **Environment.** A source's key is overridden by `BITACORA_` and the key in upper case, dots and dashes as underscores: `database.password` → `BITACORA_DATABASE_PASSWORD`. With several sources in one file the source's name comes first: `BITACORA_SHOP_DATABASE_PASSWORD`.
- **Secrets.** Any value may hold `${env:NAME}`, `${file:/path}` (the whole file without its last line break) or `${file:/path:key}` (a line of a properties file).
- **Known without effect.** Keys of Debezium that nothing here depends on are accepted and listed once at start.
- **Refused.** Keys of Debezium that would change the events and are not implemented are errors; their default value is accepted.
- **Outbox tables.** In a Pulsar IO file a transform of type `io.debezium.transforms.outbox.EventRouter` makes the captured tables outboxes; in `bitacora.toml` each `[[source.outbox]]` makes one. The environment does not override their keys. A created row, or one that a snapshot reads, is one message with the row's own topic; one producer writes to each topic, so nothing else can.
- In YAML, values may be texts, numbers or booleans. A Pulsar IO file selects the form of Debezium 1.9 and prints NULL as the column's default, as that connector does.

```toml
data_dir = \"bitacora-data\"

[broker]
listen = \"127.0.0.1:6650\"
http = \"127.0.0.1:8080\"

[[source]]
name = \"shop\"
topic_prefix = \"shop\"
snapshot = \"initial\"

[source.server]
host = \"127.0.0.1\"
user = \"debezium\"
password = \"${env:SHOP_PASSWORD}\"

[source.tables]
include = [\"shop.orders\", \"shop.customers\", \"shop.outbox\"]

# What is not for every reader of the events; the log says where a rule hides nothing.
[source.columns]
exclude = [\"shop.customers.notes\"]
truncate = [{ columns = \"shop.orders.comment\", chars = 200 }]
mask = [
    { columns = [\"shop.customers.card\", \"shop.customers.password\"], chars = 8 },
    { columns = \"shop.customers.email\", hash = \"SHA-256\", salt = \"${env:SHOP_SALT}\" },
]

# Rows of this table are messages, not events about it.
[[source.outbox]]
table = \"shop.outbox\"
topic = \"shop.${aggregatetype}\"
on_error = \"dead_letter\"

# Without this, events go into the embedded broker.
[source.destination]
url = \"pulsar://broker.example.com:6650\"
```
";

/// Writes the whole reference as Markdown.
pub fn markdown() -> String {
    let mut out = HEAD.to_owned();
    for group in GROUPS {
        let _ = write!(out, "\n## {}\n", group.title);
        let used: Vec<&OptionSpec> = group
            .options
            .iter()
            .filter(|option| !matches!(option.effect, Effect::Unused(_) | Effect::Refused { .. }))
            .collect();
        if !used.is_empty() {
            out.push_str("\n| Key | In `bitacora.toml` | Takes | Default | |\n|---|---|---|---|---|\n");
        }
        for option in used {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                keys(option, group.scope),
                toml(option, group.scope),
                cell(&option.effect.expectation()),
                default(option),
                cell(option.text)
            );
        }
        list(&mut out, "Refused", group.options, |effect| match effect {
            Effect::Refused { accepted, because } => {
                let values: Vec<String> =
                    accepted.iter().filter(|value| !value.is_empty()).map(|value| format!("`{value}`")).collect();
                let hint = if values.is_empty() { String::new() } else { format!("; accepted: {}", values.join(", ")) };
                Some(format!("{because}{hint}"))
            }
            _ => None,
        });
        list(&mut out, "Known without effect", group.options, |effect| match effect {
            Effect::Unused(reason) => Some((*reason).to_owned()),
            _ => None,
        });
    }
    out
}

fn keys(option: &OptionSpec, scope: Scope) -> String {
    if scope == Scope::OwnSource {
        return "–".to_owned();
    }
    if scope == Scope::Engine {
        return format!("`{}`", variable_of(None, option.key));
    }
    let root = if scope == Scope::Outbox { "transforms.<name>." } else { "" };
    let mut keys = option.keys().map(|key| format!("`{root}{key}`"));
    let first = keys.next().unwrap_or_default();
    let older: Vec<String> = keys.collect();
    if older.is_empty() { first } else { format!("{first} (also {})", older.join(", ")) }
}

fn toml(option: &OptionSpec, scope: Scope) -> String {
    let root = match scope {
        Scope::Engine => "",
        Scope::Outbox => "source.outbox.",
        _ => "source.",
    };
    let paths: Vec<String> = option.toml.iter().map(|path| format!("`{root}{path}`")).collect();
    if paths.is_empty() { "–".to_owned() } else { paths.join(", ") }
}

fn default(option: &OptionSpec) -> String {
    let shown = |value: &str| if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") };
    match (option.default, option.default_pulsar_io) {
        _ if option.required => "required".to_owned(),
        (Some(own), Some(pulsar_io)) => format!("{}; in a Pulsar IO file {}", shown(own), shown(pulsar_io)),
        (Some(value), None) | (None, Some(value)) => shown(value),
        (None, None) => "–".to_owned(),
    }
}

/// A list of options, one line for each reason.
fn list(out: &mut String, title: &str, options: &[OptionSpec], reason: impl Fn(&Effect) -> Option<String>) {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for option in options {
        let Some(reason) = reason(&option.effect) else { continue };
        let keys: Vec<String> = option.keys().map(|key| format!("`{key}`")).collect();
        match lines.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, list)) => list.extend(keys),
            None => lines.push((reason, keys)),
        }
    }
    if lines.is_empty() {
        return;
    }
    let _ = write!(out, "\n{title}:\n");
    for (reason, keys) in lines {
        let _ = writeln!(out, "- {}: {reason}.", keys.join(", "));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
