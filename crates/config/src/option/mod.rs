//! The table of options. Each row says everything about one option: names, default, allowed values, effect, text.
//!
//! The parsers, the defaults, the checks, the environment overrides and the reference in `docs/configuration.md` use
//! only these rows, so a new option needs only a new row. A row belongs to a [`Scope`], the place in a file where the
//! option may be set. Source options have two names: Debezium's key (used in Pulsar IO files and for environment
//! variables) and a path in our own TOML.

mod connection;
mod engine;
mod event;
mod history;
mod large_rows;
mod operation;
mod outbox;
mod pulsar_io;
mod selection;
mod signal;
mod snapshot;
mod spec;
mod topic;
mod value;

use self::spec::Group;
pub(super) use self::spec::{Choice, Effect, OptionSpec, Scope};

/// The table, in the order of the reference.
pub(super) static GROUPS: &[Group] = &[
    Group { title: "Process and embedded broker", scope: Scope::Engine, options: engine::OPTIONS },
    Group { title: "Top level of a Pulsar IO file", scope: Scope::PulsarIo, options: pulsar_io::TOP_LEVEL },
    Group { title: "Source", scope: Scope::OwnSource, options: pulsar_io::OWN },
    Group { title: "Destination", scope: Scope::Source, options: pulsar_io::DESTINATION },
    Group { title: "Connection", scope: Scope::Source, options: connection::OPTIONS },
    Group { title: "TLS", scope: Scope::Source, options: connection::TLS },
    Group { title: "What is captured", scope: Scope::Source, options: selection::OPTIONS },
    Group { title: "Snapshot", scope: Scope::Source, options: snapshot::OPTIONS },
    Group { title: "Events", scope: Scope::Source, options: event::OPTIONS },
    Group { title: "Values", scope: Scope::Source, options: value::OPTIONS },
    Group { title: "Large rows", scope: Scope::Source, options: large_rows::OPTIONS },
    Group { title: "Topics", scope: Scope::Source, options: topic::OPTIONS },
    Group { title: "Outbox tables", scope: Scope::Outbox, options: outbox::OPTIONS },
    Group { title: "Schema changes and history", scope: Scope::Source, options: history::OPTIONS },
    Group { title: "Signals and notifications", scope: Scope::Source, options: signal::OPTIONS },
    Group { title: "Operation", scope: Scope::Source, options: operation::OPTIONS },
];

/// Returns all rows of these scopes.
pub(super) fn of_scopes(scopes: &[Scope]) -> impl Iterator<Item = &'static OptionSpec> {
    GROUPS.iter().filter(move |group| scopes.contains(&group.scope)).flat_map(|group| group.options)
}

/// Returns the row with this key. An exact name takes precedence over one with `*`.
pub(super) fn find(scope: Scope, key: &str) -> Option<&'static OptionSpec> {
    let exact = of_scopes(&[scope]).find(|option| option.keys().any(|name| name == key));
    exact.or_else(|| of_scopes(&[scope]).find(|option| option.answers_to(key)))
}

/// Returns the row with this path in our own TOML.
pub(super) fn find_toml(scopes: &[Scope], path: &str) -> Option<&'static OptionSpec> {
    of_scopes(scopes).find(|option| option.toml.contains(&path))
}
