//! Values on their way from a file and the environment into a draft.
//!
//! A file's values are collected first, then overridden by the environment, then completed with defaults, and only then
//! applied in the order of the table; so all problems are found in one pass.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bitacora_source::Secret;

use super::document::{Content, Node};
use super::draft::Draft;
use super::environment::{Environment, variable_of};
use super::option::{Effect, OptionSpec, Scope, of_scopes};
use super::placeholder;
use super::problem::{Origin, Problem};
use super::source_config::{Flavor, UnusedOption};

/// A value as written.
pub(super) enum Raw {
    Text(String),
    List(Vec<String>),
    /// A mapping, or nothing at all: only options without effect may have it.
    Other,
}

impl Raw {
    pub(super) fn of(node: &Node) -> Raw {
        match &node.content {
            Content::Scalar(text) => Raw::Text(text.clone()),
            Content::List(items) => {
                let texts = items.iter().map(|item| match &item.content {
                    Content::Scalar(text) => Some(text.clone()),
                    _ => None,
                });
                texts.collect::<Option<Vec<_>>>().map_or(Raw::Other, Raw::List)
            }
            Content::Null | Content::Mapping(_) => Raw::Other,
        }
    }
}

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
    /// Takes a value from a file.
    pub(super) fn add(&mut self, option: &'static OptionSpec, key: &str, node: &Node, origin: Origin) {
        let single = !matches!(option.effect, Effect::Unused(_)) && !option.key.ends_with('*');
        if let Some(first) = self.list.iter().find(|setting| single && std::ptr::eq(setting.option, option)) {
            let problem = Problem::Duplicate { origin, key: option.key, first: first.origin.clone() };
            self.problems.push(problem);
            return;
        }
        self.list.push(Setting { option, key: key.to_owned(), raw: Raw::of(node), origin });
    }

    /// The text of a value from the file, before placeholders are replaced.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.list.iter().find(|setting| setting.option.key == key).and_then(|setting| match &setting.raw {
            Raw::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Overrides by environment; `used` receives the variables that were found.
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

    /// Applies everything, defaults included; says what is missing by the name that `name_of` gives.
    pub(super) fn apply(
        mut self,
        draft: &mut Draft,
        scopes: &[Scope],
        flavor: Flavor,
        environment: &Environment,
        missing: impl Fn(&'static OptionSpec) -> Problem,
    ) -> Vec<Problem> {
        for option in of_scopes(scopes) {
            if self.list.iter().any(|setting| std::ptr::eq(setting.option, option)) {
                continue;
            }
            if let Some(default) = option.default_of(flavor) {
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
    let wrong = |origin: Origin, reason: String| Problem::WrongValue { origin, reason };
    if let Effect::Unused(reason) = &option.effect {
        draft.source.unused.push(UnusedOption { key, reason });
        return Ok(());
    }
    let texts = match raw {
        Raw::Text(text) => vec![text],
        Raw::List(texts) if matches!(option.effect, Effect::List(_)) => texts,
        Raw::List(_) | Raw::Other => {
            if let Effect::Refused { because, .. } = &option.effect {
                return Err(Problem::Refused { origin, because: (*because).to_owned() });
            }
            return Err(wrong(origin, format!("one value is expected: {}", expectation(&option.effect))));
        }
    };
    let resolved: Result<Vec<String>, String> =
        texts.iter().map(|text| placeholder::resolve(text, environment)).collect();
    let texts = resolved.map_err(|reason| wrong(origin.clone(), reason))?;
    let text = texts.first().cloned().unwrap_or_default();
    let outcome = match &option.effect {
        Effect::Unused(_) => Ok(()),
        Effect::Refused { accepted, because } => {
            if accepted.iter().any(|value| value.eq_ignore_ascii_case(text.trim())) {
                return Ok(());
            }
            let values: Vec<&str> = accepted.iter().copied().filter(|value| !value.is_empty()).collect();
            let hint = if values.is_empty() { String::new() } else { format!(" (accepted: {})", values.join(", ")) };
            return Err(Problem::Refused { origin, because: format!("{because}{hint}") });
        }
        Effect::Text(set) => set(draft, text),
        Effect::Secret(set) => {
            set(draft, Secret::new(text));
            Ok(())
        }
        Effect::Integer { min, max, set } => match text.trim().parse::<u64>() {
            Ok(number) if (*min..=*max).contains(&number) => {
                set(draft, number);
                Ok(())
            }
            _ => Err(format!("{text:?} is not {}", expectation(&option.effect))),
        },
        Effect::Boolean(set) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => {
                set(draft, true);
                Ok(())
            }
            "false" => {
                set(draft, false);
                Ok(())
            }
            _ => Err(format!("{text:?} is not {}", expectation(&option.effect))),
        },
        Effect::Choice(choices) => {
            let wanted = text.trim();
            let names = |name: &str| name.eq_ignore_ascii_case(wanted);
            match choices.iter().find(|choice| names(choice.name) || choice.also.iter().any(|also| names(also))) {
                Some(choice) => {
                    (choice.set)(draft);
                    Ok(())
                }
                None => Err(format!("{text:?} is not {}", expectation(&option.effect))),
            }
        }
        Effect::List(set) => set(draft, texts.join(",")),
        Effect::Path(set) => {
            if text.is_empty() {
                Err("the path is empty; name a file or folder".to_owned())
            } else {
                set(draft, PathBuf::from(text));
                Ok(())
            }
        }
    };
    outcome.map_err(|reason| wrong(origin, reason))
}

/// What an option takes, as the end of "is not …".
pub(super) fn expectation(effect: &Effect) -> String {
    match effect {
        Effect::Text(_) => "a text".to_owned(),
        Effect::Secret(_) => "a text (kept secret)".to_owned(),
        Effect::Integer { min, max, .. } => format!("a whole number from {min} to {max}"),
        Effect::Boolean(_) => "true or false".to_owned(),
        Effect::Choice(choices) => {
            let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
            format!("one of {}", names.join(", "))
        }
        Effect::List(_) => "a list of regular expressions".to_owned(),
        Effect::Path(_) => "a path".to_owned(),
        Effect::Unused(_) | Effect::Refused { .. } => "a value".to_owned(),
    }
}
