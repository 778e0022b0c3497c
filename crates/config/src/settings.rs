//! Values on their way from a file and the environment into a draft.
//!
//! A file's values are collected first, then overridden by the environment, then completed with defaults, and only then
//! applied in the order of the table; so all problems are found in one pass.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bitacora_change::NameList;
use bitacora_source::Secret;

use super::document::{Content, Entry, Node};
use super::draft::Draft;
use super::environment::{Environment, variable_of};
use super::option::{Effect, Fields, OptionSpec, Scope, Texts, of_scopes};
use super::placeholder;
use super::problem::{Origin, Problem};
use super::source_config::{FileKind, UnusedOption};

/// A value as written.
pub(super) enum Raw {
    Text(String),
    List(Vec<String>),
    Map(Texts),
    /// Tables with texts or lists of texts.
    Tables(Vec<Fields>),
    /// Nothing at all, or something nested: only options without effect may have it.
    Other,
}

impl Raw {
    pub(super) fn of(node: &Node) -> Raw {
        match &node.content {
            Content::Scalar(text) => Raw::Text(text.clone()),
            Content::List(items) if items.iter().any(|item| matches!(item.content, Content::Mapping(_))) => {
                items.iter().map(table).collect::<Option<Vec<_>>>().map_or(Raw::Other, Raw::Tables)
            }
            Content::List(items) => {
                let texts = items.iter().map(|item| match &item.content {
                    Content::Scalar(text) => Some(text.clone()),
                    _ => None,
                });
                texts.collect::<Option<Vec<_>>>().map_or(Raw::Other, Raw::List)
            }
            Content::Mapping(entries) => {
                let mut texts = Vec::new();
                if flatten(entries, "", &mut texts) { Raw::Map(texts) } else { Raw::Other }
            }
            Content::Null => Raw::Other,
        }
    }
}

/// The texts of a table in a list; `None` if something else is in it.
fn table(node: &Node) -> Option<Fields> {
    let Content::Mapping(entries) = &node.content else { return None };
    let field = |entry: &Entry| {
        Some(match &entry.value.content {
            Content::Scalar(text) => (entry.key.clone(), NameList::Text(text.clone())),
            Content::List(items) => {
                let texts = items.iter().map(|item| match &item.content {
                    Content::Scalar(text) => Some(text.clone()),
                    _ => None,
                });
                (entry.key.clone(), NameList::Entries(texts.collect::<Option<Vec<_>>>()?))
            }
            Content::Mapping(_) | Content::Null => return None,
        })
    };
    entries.iter().map(field).collect()
}

/// Replaces the placeholders of a list.
fn resolved(list: NameList, environment: &Environment) -> Result<NameList, String> {
    Ok(match list {
        NameList::Text(text) => NameList::Text(placeholder::resolve(&text, environment)?),
        NameList::Entries(entries) => {
            let entries = entries.iter().map(|entry| placeholder::resolve(entry, environment));
            NameList::Entries(entries.collect::<Result<_, _>>()?)
        }
    })
}

/// Adds the texts of a mapping by their dotted names; false if something else is in it.
fn flatten(entries: &[Entry], above: &str, texts: &mut Vec<(String, String)>) -> bool {
    entries.iter().all(|entry| {
        let name = if above.is_empty() { entry.key.clone() } else { format!("{above}.{}", entry.key) };
        match &entry.value.content {
            Content::Scalar(text) => {
                texts.push((name, text.clone()));
                true
            }
            Content::Mapping(inner) => flatten(inner, &name, texts),
            Content::List(_) | Content::Null => false,
        }
    })
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
    let wrong = |origin: Origin, reason: String| Problem::WrongValue { origin, reason };
    if let Effect::Unused(reason) = &option.effect {
        draft.source.unused.push(UnusedOption { key, reason });
        return Ok(());
    }
    if let (Effect::Map(set), Raw::Map(texts)) = (&option.effect, &raw) {
        let resolve = |(name, text): &(String, String)| Ok((name.clone(), placeholder::resolve(text, environment)?));
        let texts: Result<Vec<_>, String> = texts.iter().map(resolve).collect();
        return texts.and_then(|texts| set(draft, texts)).map_err(|reason| wrong(origin, reason));
    }
    if let Effect::Rules { keyed, table } = &option.effect {
        let is_own = option.toml.contains(&key.as_str());
        let add = |draft: &mut Draft, fields: Fields| {
            let fields = fields.into_iter().map(|(name, list)| Ok((name, resolved(list, environment)?)));
            table(draft, fields.collect::<Result<_, String>>()?)
        };
        let add_keyed = |draft: &mut Draft, list| {
            let key = placeholder::resolve(&key, environment)?;
            keyed(draft, &key, &resolved(list, environment)?)
        };
        let applied = match raw {
            Raw::Tables(tables) if is_own => tables.into_iter().try_for_each(|fields| add(draft, fields)),
            Raw::Map(texts) if is_own => {
                add(draft, texts.into_iter().map(|(name, text)| (name, NameList::Text(text))).collect())
            }
            Raw::Text(text) if !is_own => add_keyed(draft, NameList::Text(text)),
            Raw::List(texts) if !is_own => add_keyed(draft, NameList::Entries(texts)),
            _ if is_own => table(draft, Fields::new()),
            _ => Err(format!("{} are expected", expectation(&Effect::List(|_, _| Ok(()))))),
        };
        return applied.map_err(|reason| wrong(origin, reason));
    }
    let is_list = matches!(raw, Raw::List(_));
    let texts = match raw {
        Raw::Text(text) if !matches!(option.effect, Effect::Map(_)) => vec![text],
        Raw::List(texts) if matches!(option.effect, Effect::List(_) | Effect::Names(_)) => texts,
        Raw::Text(_) | Raw::List(_) | Raw::Map(_) | Raw::Tables(_) | Raw::Other => {
            if let Effect::Refused { because, .. } = &option.effect {
                return Err(Problem::Refused { origin, because: (*because).to_owned() });
            }
            let expected = expectation(&option.effect);
            let reason = match &option.effect {
                Effect::Map(_) => format!("{expected} are expected"),
                _ => format!("one value is expected: {expected}"),
            };
            return Err(wrong(origin, reason));
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
        Effect::List(set) => set(draft, if is_list { NameList::Entries(texts) } else { NameList::Text(text) }),
        Effect::Names(set) => {
            let names = if is_list { texts } else { text.split(',').map(str::to_owned).collect() };
            let names = names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            set(draft, names.collect())
        }
        Effect::Map(_) | Effect::Rules { .. } => Ok(()),
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
        Effect::Names(_) => "a list of names".to_owned(),
        Effect::Map(_) => "a name and a text each".to_owned(),
        Effect::Rules { .. } => "columns; in `bitacora.toml` a list of tables".to_owned(),
        Effect::Path(_) => "a path".to_owned(),
        Effect::Unused(_) | Effect::Refused { .. } => "a value".to_owned(),
    }
}
