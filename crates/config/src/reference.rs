//! Makes the reference in `docs/configuration.md` from the table of options.

use std::fmt::Write as _;

use super::environment::variable_of;
use super::option::{Effect, GROUPS, OptionSpec, Scope};

const HEAD: &str = include_str!("reference_head.md");

/// Returns the reference as Markdown.
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

/// Writes a list of options, with one line for each reason.
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
