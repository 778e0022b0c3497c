//! The table of options. Each row says everything about one option: names, default, allowed values, effect, text.
//!
//! The parsers, the defaults, the checks, the environment overrides and the reference in `docs/configuration.md` are all
//! made from these rows; an option exists by being a row. A row belongs to a [`Scope`], the place in a file where the
//! option may stand. Source options have two names: Debezium's key (used in Pulsar IO files and for environment
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
mod topic;
mod value;

use std::path::PathBuf;

use bitacora_change::NameList;
use bitacora_source::Secret;

use super::draft::Draft;
use super::source_config::FileKind;

/// Where an option may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Top of our own TOML.
    Engine,
    /// `configs` of a Pulsar IO file, and `[[source]]` of our own TOML.
    Source,
    /// `[[source]]` of our own TOML only.
    OwnSource,
    /// Top of a Pulsar IO file.
    PulsarIo,
    /// A transform of type EventRouter in `configs`, and `[[source.outbox]]` of our own TOML.
    Outbox,
}

/// One value of a choice.
pub(super) struct Choice {
    /// Name in messages and in the reference.
    pub(super) name: &'static str,
    /// Other spellings that mean the same.
    pub(super) also: &'static [&'static str],
    /// Takes the choice.
    pub(super) set: fn(&mut Draft),
}

impl Choice {
    const fn new(name: &'static str, set: fn(&mut Draft)) -> Self {
        Choice { name, also: &[], set }
    }

    const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

/// Texts by their names.
pub(super) type Texts = Vec<(String, String)>;

/// Texts, or lists of texts, by their names.
pub(super) type Fields = Vec<(String, NameList)>;

/// What an option takes and does.
pub(super) enum Effect {
    /// Any text.
    Text(fn(&mut Draft, String) -> Result<(), String>),
    /// A text that never appears in messages.
    Secret(fn(&mut Draft, Secret)),
    /// A whole number within bounds.
    Integer { min: u64, max: u64, set: fn(&mut Draft, u64) },
    /// `true` or `false`.
    Boolean(fn(&mut Draft, bool)),
    /// One of a few words.
    Choice(&'static [Choice]),
    /// Regular expressions, separated by commas or as a list.
    List(fn(&mut Draft, NameList) -> Result<(), String>),
    /// Names, separated by commas or as a list.
    Names(fn(&mut Draft, Vec<String>) -> Result<(), String>),
    /// Texts by name; tables in it are dotted names.
    Map(fn(&mut Draft, Texts) -> Result<(), String>),
    /// Rules, any number of them: of a key that names more than the option and of the list that is its value, or of a table.
    Rules {
        keyed: fn(&mut Draft, &str, &NameList) -> Result<(), String>,
        table: fn(&mut Draft, Fields) -> Result<(), String>,
    },
    /// A file or folder.
    Path(fn(&mut Draft, PathBuf)),
    /// Known; nothing here depends on it. Why, without a final stop.
    Unused(&'static str),
    /// Known; leaving it out would change the events. The accepted values mean the same as leaving it out.
    Refused { accepted: &'static [&'static str], because: &'static str },
}

/// A row of the table.
pub(super) struct OptionSpec {
    /// Debezium's or Pulsar's current key; a name that ends in `*` stands for all keys that begin like it.
    pub(super) key: &'static str,
    /// Older and other names of the same option.
    pub(super) aliases: &'static [&'static str],
    /// Paths in our own TOML, the preferred one first; empty if it cannot be set there.
    pub(super) toml: &'static [&'static str],
    /// The default, as it would be written.
    pub(super) default: Option<&'static str>,
    /// The default in Pulsar IO files, where it differs.
    pub(super) default_pulsar_io: Option<&'static str>,
    /// Whether a configuration without it is wrong.
    pub(super) required: bool,
    /// What it takes and does.
    pub(super) effect: Effect,
    /// The sentence for the reference.
    pub(super) text: &'static str,
}

impl OptionSpec {
    const fn new(key: &'static str, effect: Effect, text: &'static str) -> Self {
        OptionSpec {
            key,
            aliases: &[],
            toml: &[],
            default: None,
            default_pulsar_io: None,
            required: false,
            effect,
            text,
        }
    }

    /// A known key without effect.
    const fn unused(key: &'static str, reason: &'static str) -> Self {
        OptionSpec::new(key, Effect::Unused(reason), "")
    }

    /// A key that cannot be ignored.
    const fn refused(key: &'static str, accepted: &'static [&'static str], because: &'static str) -> Self {
        OptionSpec::new(key, Effect::Refused { accepted, because }, "")
    }

    const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn toml(mut self, paths: &'static [&'static str]) -> Self {
        self.toml = paths;
        self
    }

    const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    const fn default_pulsar_io(mut self, value: &'static str) -> Self {
        self.default_pulsar_io = Some(value);
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The default for this kind of file.
    pub(super) fn default_of(&self, kind: FileKind) -> Option<&'static str> {
        match kind {
            FileKind::PulsarIo => self.default_pulsar_io.or(self.default),
            FileKind::Own => self.default,
        }
    }

    /// Every key of the option.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.key).chain(self.aliases.iter().copied())
    }

    /// Whether the key is one of this option's.
    fn answers_to(&self, key: &str) -> bool {
        self.keys().any(|name| match name.strip_suffix('*') {
            Some(prefix) => key.len() > prefix.len() && key.starts_with(prefix),
            None => name == key,
        })
    }
}

/// A part of the table, with its title in the reference.
pub(super) struct Group {
    /// Title in the reference.
    pub(super) title: &'static str,
    /// Where the options stand.
    pub(super) scope: Scope,
    /// The rows.
    pub(super) options: &'static [OptionSpec],
}

/// The whole table, in the order of the reference.
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

/// All rows of some scopes.
pub(super) fn of_scopes(scopes: &[Scope]) -> impl Iterator<Item = &'static OptionSpec> {
    GROUPS.iter().filter(move |group| scopes.contains(&group.scope)).flat_map(|group| group.options)
}

/// Finds a row by one of its keys; an exact name wins over one with `*`.
pub(super) fn find(scope: Scope, key: &str) -> Option<&'static OptionSpec> {
    let exact = of_scopes(&[scope]).find(|option| option.keys().any(|name| name == key));
    exact.or_else(|| of_scopes(&[scope]).find(|option| option.answers_to(key)))
}

/// Finds a row by its path in our own TOML.
pub(super) fn find_toml(scopes: &[Scope], path: &str) -> Option<&'static OptionSpec> {
    of_scopes(scopes).find(|option| option.toml.contains(&path))
}
