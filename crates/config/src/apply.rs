//! Applies a value to a draft as the option's [`Effect`] says.

use std::path::PathBuf;

use bitacora_change::NameList;
use bitacora_source::Secret;

use super::draft::Draft;
use super::environment::Environment;
use super::option::{Choice, Effect};
use super::placeholder;
use super::raw::{Fields, Raw, Texts};

/// A value on its way into a draft.
pub(super) struct Value<'a> {
    /// The key as written in the file. The key of a rule also says what the rule does.
    pub(super) key: &'a str,
    /// Whether the key is a path of our own TOML.
    pub(super) is_own: bool,
    pub(super) raw: Raw,
    /// The variables that replace placeholders.
    pub(super) environment: &'a Environment,
}

impl Effect {
    /// Writes a value into the draft; the error is one sentence. An option without effect accepts every value.
    pub(super) fn set(&self, draft: &mut Draft, value: Value<'_>) -> Result<(), String> {
        match self {
            Effect::Unused(_) | Effect::Refused { .. } => Ok(()),
            Effect::Text(set) => set(draft, self.text(value)?),
            Effect::Secret(set) => {
                set(draft, Secret::new(self.text(value)?));
                Ok(())
            }
            Effect::Integer { min, max, set } => {
                let text = self.text(value)?;
                let number = text.trim().parse().ok().filter(|number| (*min..=*max).contains(number));
                set(draft, number.ok_or_else(|| self.mismatch(&text))?);
                Ok(())
            }
            Effect::Boolean(set) => {
                let text = self.text(value)?;
                set(draft, truth(&text).ok_or_else(|| self.mismatch(&text))?);
                Ok(())
            }
            Effect::Choice(choices) => {
                let text = self.text(value)?;
                let choice = chosen(choices, text.trim()).ok_or_else(|| self.mismatch(&text))?;
                (choice.set)(draft);
                Ok(())
            }
            Effect::List(set) => set(draft, self.list(value)?),
            Effect::Names(set) => set(draft, names(self.list(value)?)),
            Effect::Map(set) => set(draft, self.texts(value)?),
            Effect::Rules { keyed, .. } if !value.is_own => {
                let columns = match value.raw {
                    Raw::Text(text) => NameList::Text(text),
                    Raw::List(texts) => NameList::Entries(texts),
                    _ => return Err("a list of regular expressions is expected".to_owned()),
                };
                let key = placeholder::resolve(value.key, value.environment)?;
                keyed(draft, &key, &resolved(columns, value.environment)?)
            }
            Effect::Rules { table, .. } => tables(value.raw)
                .into_iter()
                .try_for_each(|fields| table(draft, resolved_fields(fields, value.environment)?)),
            Effect::Path(set) => {
                set(draft, path(self.text(value)?)?);
                Ok(())
            }
        }
    }

    /// Returns why a value of a refused option is refused; `None` for a value that means the same as leaving the option
    /// out.
    ///
    /// # Errors
    /// One sentence if a placeholder cannot be replaced.
    pub(super) fn refusal(&self, value: Value<'_>) -> Result<Option<String>, String> {
        let Effect::Refused { accepted, because } = self else { return Ok(None) };
        let Raw::Text(text) = value.raw else { return Ok(Some((*because).to_owned())) };
        let text = placeholder::resolve(&text, value.environment)?;
        if accepted.iter().any(|same| same.eq_ignore_ascii_case(text.trim())) {
            return Ok(None);
        }
        let values: Vec<&str> = accepted.iter().copied().filter(|value| !value.is_empty()).collect();
        let hint = if values.is_empty() { String::new() } else { format!(" (accepted: {})", values.join(", ")) };
        Ok(Some(format!("{because}{hint}")))
    }

    fn text(&self, value: Value<'_>) -> Result<String, String> {
        match value.raw {
            Raw::Text(text) => placeholder::resolve(&text, value.environment),
            _ => Err(self.one_expected()),
        }
    }

    fn list(&self, value: Value<'_>) -> Result<NameList, String> {
        match value.raw {
            Raw::Text(text) => resolved(NameList::Text(text), value.environment),
            Raw::List(texts) => resolved(NameList::Entries(texts), value.environment),
            _ => Err(self.one_expected()),
        }
    }

    fn texts(&self, value: Value<'_>) -> Result<Texts, String> {
        let Raw::Map(texts) = value.raw else { return Err(format!("{} are expected", self.expectation())) };
        let resolve = |(name, text): (String, String)| Ok((name, placeholder::resolve(&text, value.environment)?));
        texts.into_iter().map(resolve).collect()
    }

    fn one_expected(&self) -> String {
        format!("one value is expected: {}", self.expectation())
    }

    fn mismatch(&self, text: &str) -> String {
        format!("{text:?} is not {}", self.expectation())
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn chosen(choices: &'static [Choice], wanted: &str) -> Option<&'static Choice> {
    let names = |name: &str| name.eq_ignore_ascii_case(wanted);
    choices.iter().find(|choice| names(choice.name) || choice.also.iter().any(|also| names(also)))
}

fn path(text: String) -> Result<PathBuf, String> {
    if text.is_empty() { Err("the path is empty; name a file or folder".to_owned()) } else { Ok(PathBuf::from(text)) }
}

/// Returns the names of a list, or of a text with commas between them.
fn names(list: NameList) -> Vec<String> {
    let names = match list {
        NameList::Entries(names) => names,
        NameList::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Returns the tables that a value of our own file holds. Any other value becomes a table without fields, for which the
/// option then reports the missing fields.
fn tables(raw: Raw) -> Vec<Fields> {
    match raw {
        Raw::Tables(tables) => tables,
        Raw::Map(texts) => vec![texts.into_iter().map(|(name, text)| (name, NameList::Text(text))).collect()],
        _ => vec![Fields::new()],
    }
}

fn resolved_fields(fields: Fields, environment: &Environment) -> Result<Fields, String> {
    fields.into_iter().map(|(name, list)| Ok((name, resolved(list, environment)?))).collect()
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
