//! The fields of a row in the table of options.

use std::path::PathBuf;

use bitacora_change::NameList;
use bitacora_source::Secret;

use crate::draft::Draft;
use crate::raw::{Fields, Texts};
use crate::source_config::FileKind;

/// Where an option may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
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
pub(crate) struct Choice {
    /// Name in messages and in the reference.
    pub(crate) name: &'static str,
    /// Other spellings that mean the same.
    pub(crate) also: &'static [&'static str],
    /// Writes the choice into the draft.
    pub(crate) set: fn(&mut Draft),
}

impl Choice {
    pub(super) const fn new(name: &'static str, set: fn(&mut Draft)) -> Self {
        Choice { name, also: &[], set }
    }

    pub(super) const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

/// Which values an option takes, and what it does with them.
pub(crate) enum Effect {
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
    /// Texts by name; the names in nested tables are joined by dots.
    Map(fn(&mut Draft, Texts) -> Result<(), String>),
    /// Any number of rules: keys of Debezium that say what to do, with a list of columns as the value
    /// (`column.mask.with.8.chars = list`), or tables in our own file.
    Rules {
        keyed: fn(&mut Draft, &str, &NameList) -> Result<(), String>,
        table: fn(&mut Draft, Fields) -> Result<(), String>,
    },
    /// A file or folder.
    Path(fn(&mut Draft, PathBuf)),
    /// A known option without effect. The text says why, without a final stop.
    Unused(&'static str),
    /// A known option that cannot be ignored, because the events would change. The accepted values mean the same as
    /// leaving it out.
    Refused { accepted: &'static [&'static str], because: &'static str },
}

impl Effect {
    /// Returns what an option takes, as the end of a sentence such as "is not …".
    pub(crate) fn expectation(&self) -> String {
        match self {
            Effect::Text(_) => "a text".to_owned(),
            Effect::Secret(_) => "a text (kept secret)".to_owned(),
            Effect::Integer { min, max, .. } => format!("a whole number from {min} to {max}"),
            Effect::Boolean(_) => "true or false".to_owned(),
            Effect::Choice(choices) => {
                let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
                format!("one of {}", names.join(", "))
            }
            Effect::List(_) => "a list of regular expressions".to_owned(),
            Effect::Names(_) => "a list of names".to_owned(),
            Effect::Map(_) => "a name and a text each".to_owned(),
            Effect::Rules { .. } => "columns; in `bitacora.toml` a list of tables".to_owned(),
            Effect::Path(_) => "a path".to_owned(),
            Effect::Unused(_) | Effect::Refused { .. } => "a value".to_owned(),
        }
    }
}

/// A row of the table.
pub(crate) struct OptionSpec {
    /// Debezium's or Pulsar's current key. A name that ends in `*` stands for all longer keys with the same beginning.
    pub(crate) key: &'static str,
    /// Older and other names of the same option.
    pub(crate) aliases: &'static [&'static str],
    /// Paths in our own TOML, the preferred one first; empty if it cannot be set there.
    pub(crate) toml: &'static [&'static str],
    /// The default, as a file would have it.
    pub(crate) default: Option<&'static str>,
    /// The default in Pulsar IO files, if it differs.
    pub(crate) default_pulsar_io: Option<&'static str>,
    /// Whether a configuration without the option is refused.
    pub(crate) required: bool,
    /// Which values the option takes, and what it does with them.
    pub(crate) effect: Effect,
    /// The text for the reference.
    pub(crate) text: &'static str,
}

impl OptionSpec {
    pub(super) const fn new(key: &'static str, effect: Effect, text: &'static str) -> Self {
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

    /// Creates the row of a known option without effect.
    pub(super) const fn unused(key: &'static str, reason: &'static str) -> Self {
        OptionSpec::new(key, Effect::Unused(reason), "")
    }

    /// Creates the row of a known option that is refused.
    pub(super) const fn refused(key: &'static str, accepted: &'static [&'static str], because: &'static str) -> Self {
        OptionSpec::new(key, Effect::Refused { accepted, because }, "")
    }

    pub(super) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(super) const fn toml(mut self, paths: &'static [&'static str]) -> Self {
        self.toml = paths;
        self
    }

    pub(super) const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    pub(super) const fn default_pulsar_io(mut self, value: &'static str) -> Self {
        self.default_pulsar_io = Some(value);
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Returns the default in this kind of file.
    pub(crate) fn default_of(&self, kind: FileKind) -> Option<&'static str> {
        match kind {
            FileKind::PulsarIo => self.default_pulsar_io.or(self.default),
            FileKind::Own => self.default,
        }
    }

    /// Returns every key of the option.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.key).chain(self.aliases.iter().copied())
    }

    /// Returns whether the key belongs to this option.
    pub(super) fn answers_to(&self, key: &str) -> bool {
        self.keys().any(|name| match name.strip_suffix('*') {
            Some(prefix) => key.len() > prefix.len() && key.starts_with(prefix),
            None => name == key,
        })
    }
}

/// A part of the table, with its title in the reference.
pub(crate) struct Group {
    /// Title in the reference.
    pub(crate) title: &'static str,
    /// The place of the options in a file.
    pub(crate) scope: Scope,
    /// The rows.
    pub(crate) options: &'static [OptionSpec],
}
