//! Collects values from a file and the environment for a draft.
//!
//! First the file's values are collected, then the environment overrides them, then defaults complete them. Only then
//! are they applied, so that all problems are found in one pass.

use std::collections::BTreeSet;

use super::apply::Value;
use super::document::Node;
use super::draft::Draft;
use super::environment::{Environment, variable_of};
use super::option::{Effect, OptionSpec, Scope, of_scopes};
use super::problem::{Origin, Problem};
use super::raw::Raw;
use super::source_config::{FileKind, UnusedOption};

struct Setting {
    option: &'static OptionSpec,
    key: String,
    raw: Raw,
    origin: Origin,
}

/// The values of one draft.
#[derive(Default)]
pub(super) struct Settings {
    list: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
}

impl Settings {
    /// Adds a value from a file.
    pub(super) fn add(&mut self, option: &'static OptionSpec, key: &str, node: &Node, origin: Origin) {
        let single = !matches!(option.effect, Effect::Unused(_)) && !option.key.ends_with('*');
        if let Some(first) = self.list.iter().find(|setting| single && std::ptr::eq(setting.option, option)) {
            let problem = Problem::Duplicate { origin, key: option.key, first: first.origin.clone() };
            self.problems.push(problem);
            return;
        }
        self.list.push(Setting { option, key: key.to_owned(), raw: Raw::of(node), origin });
    }

    /// Returns the text of a value from the file, before placeholders are replaced.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.list.iter().find(|setting| setting.option.key == key).and_then(|setting| match &setting.raw {
            Raw::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Overrides values by environment variables, and adds the names of those that were found to `used`.
    pub(super) fn override_by(
        &mut self,
        environment: &Environment,
        scopes: &[Scope],
        source: Option<&str>,
        used: &mut BTreeSet<String>,
    ) {
        for option in of_scopes(scopes) {
            for key in option.keys().filter(|key| !key.ends_with('*')) {
                let variable = variable_of(source, key);
                let Some(value) = environment.get(&variable) else { continue };
                used.insert(variable.clone());
                self.list.retain(|setting| !std::ptr::eq(setting.option, option));
                let raw = Raw::Text(value.to_owned());
                self.list.push(Setting {
                    option,
                    key: variable.clone(),
                    raw,
                    origin: Origin::Environment { variable },
                });
            }
        }
    }

    /// Applies all values and defaults to the draft, and returns the problems. `missing` makes the problem of a
    /// required option without a value.
    pub(super) fn apply(
        mut self,
        draft: &mut Draft,
        scopes: &[Scope],
        kind: FileKind,
        environment: &Environment,
        missing: impl Fn(&'static OptionSpec) -> Problem,
    ) -> Vec<Problem> {
        for option in of_scopes(scopes) {
            if self.list.iter().any(|setting| std::ptr::eq(setting.option, option)) {
                continue;
            }
            if let Some(default) = option.default_of(kind) {
                let (raw, origin) = (Raw::Text(default.to_owned()), Origin::Default { key: option.key });
                self.list.push(Setting { option, key: option.key.to_owned(), raw, origin });
            } else if option.required {
                self.problems.push(missing(option));
            }
        }
        for setting in self.list {
            if let Err(problem) = apply_one(setting, draft, environment) {
                self.problems.push(problem);
            }
        }
        self.problems
    }
}

fn apply_one(setting: Setting, draft: &mut Draft, environment: &Environment) -> Result<(), Problem> {
    let Setting { option, key, raw, origin } = setting;
    let value = Value { key: &key, is_own: option.toml.contains(&key.as_str()), raw, environment };
    match &option.effect {
        Effect::Unused(reason) => {
            draft.source.unused.push(UnusedOption { key, reason });
            Ok(())
        }
        Effect::Refused { .. } => match option.effect.refusal(value) {
            Ok(None) => Ok(()),
            Ok(Some(because)) => Err(Problem::Refused { origin, because }),
            Err(reason) => Err(Problem::WrongValue { origin, reason }),
        },
        effect => effect.set(draft, value).map_err(|reason| Problem::WrongValue { origin, reason }),
    }
}
