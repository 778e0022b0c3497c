//! Finds environment variables that look like overrides but override nothing.

use std::collections::BTreeSet;

use super::environment::{Environment, variable_of};
use super::nearest::nearest;
use super::option::{OptionSpec, Scope, of_scopes};

/// Largest edit distance to a known variable. A variable that is farther from all of them belongs to another program.
const MAX_DISTANCE: usize = 3;

/// Returns one sentence for each misspelt variable.
pub(super) fn notes(
    environment: &Environment,
    used: &BTreeSet<String>,
    scopes: &[Scope],
    sources: &[Option<&str>],
) -> Vec<String> {
    let known: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let keys = of_scopes(scopes).flat_map(OptionSpec::keys).filter(|key| !key.ends_with('*'));
            keys.map(|key| variable_of(*source, key)).collect::<Vec<_>>()
        })
        .collect();
    let unknown = environment.own_names().filter(|name| !used.contains(*name) && !known.iter().any(|k| k == name));
    unknown
        .filter_map(|name| {
            let (closest, distance) = nearest(name, known.iter().map(String::as_str))?;
            (distance <= MAX_DISTANCE)
                .then(|| format!("environment variable {name} overrides nothing; the nearest known one is {closest}"))
        })
        .collect()
}
