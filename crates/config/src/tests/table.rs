//! The table of options itself, and the reference that is made from it.

use std::collections::BTreeSet;

use super::super::option::{Effect, GROUPS, OptionSpec, Scope, find, of_scopes};
use super::*;

#[test]
fn every_key_and_path_is_there_once() {
    for scopes in [&[Scope::Source, Scope::OwnSource][..], &[Scope::Engine], &[Scope::PulsarIo], &[Scope::Outbox]] {
        let mut keys = BTreeSet::new();
        let mut paths = BTreeSet::new();
        for option in of_scopes(scopes) {
            for key in option.keys() {
                assert!(keys.insert(key), "{key} is there twice");
            }
            for path in option.toml {
                assert!(paths.insert(*path), "{path} is there twice");
            }
        }
    }
}

#[test]
fn every_row_is_complete() {
    for option in GROUPS.iter().flat_map(|group| group.options) {
        match &option.effect {
            Effect::Unused(reason) => assert!(!reason.is_empty() && !reason.ends_with('.'), "{}", option.key),
            Effect::Refused { because, .. } => {
                assert!(!because.is_empty() && !because.ends_with('.'), "{}", option.key);
            }
            Effect::Rules { .. } => assert!(option.text.ends_with('.') && option.key.ends_with('*'), "{}", option.key),
            _ => assert!(option.text.ends_with('.') && !option.key.ends_with('*'), "{}", option.key),
        }
        assert!(!(option.required && option.default.is_some()), "{}", option.key);
    }
}

#[test]
fn own_file_reaches_every_option_that_has_an_effect() {
    let without: Vec<&str> = of_scopes(&[Scope::Engine, Scope::Source, Scope::OwnSource])
        .filter(|option| !matches!(option.effect, Effect::Unused(_) | Effect::Refused { .. }) && option.toml.is_empty())
        .map(|option| option.key)
        .collect();
    assert_eq!(without, ["value.converter.schemas.enable", "key.converter.schemas.enable"]);
}

#[test]
fn exact_keys_win_over_patterns() {
    let key = |name: &str| find(Scope::Source, name).map(|option: &OptionSpec| option.key);
    assert_eq!(key("value.converter.replace.null.with.default"), Some("value.converter.replace.null.with.default"));
    assert_eq!(key("value.converter.other"), Some("value.converter.*"));
    assert_eq!(key("transforms.unwrap.type"), Some("transforms.*"));
    assert_eq!(key("transforms."), None);
    assert_eq!(key("offset.storage.file.filename"), Some("offset.storage.*"));
}

#[test]
fn reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, markdown()).unwrap();
    }
    let on_disk = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        on_disk == markdown(),
        "docs/configuration.md is not current; run UPDATE_DOCS=1 cargo test -p bitacora-config reference_is_current"
    );
}
