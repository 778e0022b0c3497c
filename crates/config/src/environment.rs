//! Overrides by environment variables: `BITACORA_` and the key in upper case, with underscores for dots and dashes.

use std::collections::BTreeMap;
use std::fmt;

/// Prefix of every override.
const PREFIX: &str = "BITACORA_";

/// The environment variables that the configuration may use. Values may be secrets, so `Debug` shows only the names.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Returns the variables of this process. A variable that is not Unicode is left out.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Environment { variables }
    }

    /// Creates an environment of the given variables.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        Environment { variables: variables.into_iter().map(|(n, v)| (n.into(), v.into())).collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Returns the names of the variables that begin like an override.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str).filter(|name| name.starts_with(PREFIX))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variables.keys()).finish()
    }
}

/// Returns the variable that overrides a key: `database.port` → `BITACORA_DATABASE_PORT`. If a configuration has
/// several sources, the source's name comes first: `BITACORA_SHOP_DATABASE_PORT`.
pub(super) fn variable_of(source: Option<&str>, key: &str) -> String {
    let mut name = PREFIX.to_owned();
    for part in source.into_iter().chain([key]) {
        if name.len() > PREFIX.len() {
            name.push('_');
        }
        name.extend(part.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables() {
        assert_eq!(variable_of(None, "database.port"), "BITACORA_DATABASE_PORT");
        assert_eq!(variable_of(None, "json-with-envelope"), "BITACORA_JSON_WITH_ENVELOPE");
        assert_eq!(variable_of(Some("shop-1"), "topic.prefix"), "BITACORA_SHOP_1_TOPIC_PREFIX");
    }

    #[test]
    fn debug_hides_values() {
        assert_eq!(format!("{:?}", Environment::of([("A", "secret")])), "[\"A\"]");
    }
}
