//! Reads a source file of Pulsar IO's Debezium connector (YAML), as `pulsar-admin sources localrun` takes it.
//!
//! The file has `tenant`, `namespace`, `name` and Pulsar's other keys at the top, and Debezium's keys under `configs`.
//! Values may be texts, numbers or booleans. (Pulsar's connector silently drops everything but texts.)

use std::sync::Arc;

use super::columns;
use super::document::{Content, Entry, Node, parse_yaml};
use super::draft::Draft;
use super::engine_config::EngineConfig;
use super::environment::Environment;
use super::event_router;
use super::nearest::nearest;
use super::option::{OptionSpec, Scope, find, of_scopes};
use super::problem::{ConfigError, Origin, Problem};
use super::settings::Settings;
use super::source_config::FileKind;
use super::variables;

/// Reads the text of a source file; `file` is its name for messages.
pub fn parse_pulsar_io(text: &str, file: &str, environment: &Environment) -> Result<EngineConfig, ConfigError> {
    let file: Arc<str> = Arc::from(file);
    let root = parse_yaml(text).map_err(|error| Problem::Syntax {
        file: file.clone(),
        line: error.line,
        message: error.message,
    })?;
    let (mut settings, routers) = collect(&root, &file);
    let mut used = std::collections::BTreeSet::new();
    settings.override_by(environment, &[Scope::Source, Scope::Engine], None, &mut used);
    let notes = variables::notes(environment, &used, &[Scope::Source, Scope::Engine], &[None]);
    let mut draft = Draft::new(FileKind::PulsarIo);
    let missing = |option: &'static OptionSpec| {
        let key = if find(Scope::PulsarIo, option.key).is_some_and(|found| std::ptr::eq(found, option)) {
            option.key.to_owned()
        } else {
            format!("configs.{}", option.key)
        };
        Problem::Missing { file: file.clone(), key, remedy: "add it to the file".to_owned() }
    };
    let scopes = [Scope::PulsarIo, Scope::Source, Scope::Engine];
    let mut problems = settings.apply(&mut draft, &scopes, FileKind::PulsarIo, environment, missing);
    for (name, router) in routers {
        let name = format!("configs.transforms.{name}");
        if let Err(found) = event_router::add_to(&mut draft, router, &name, FileKind::PulsarIo, environment) {
            problems.extend(found.into_iter().map(|trouble| trouble.in_file(&file)));
        }
    }
    let (data_dir, metrics) = (draft.data_dir.clone(), draft.metrics.take());
    match draft.finish() {
        Ok(source) if problems.is_empty() => {
            Ok(EngineConfig { data_dir, broker: None, metrics, sources: vec![source], notes })
        }
        Ok(_) => Err(ConfigError { problems }),
        Err(reasons) => {
            problems.extend(reasons.into_iter().map(|reason| Problem::Conflict { file: file.clone(), reason }));
            Err(ConfigError { problems })
        }
    }
}

/// The options of each event router, with the router's name.
type Routers = Vec<(String, Settings)>;

fn collect(root: &Node, file: &Arc<str>) -> (Settings, Routers) {
    let mut settings = Settings::default();
    let mut routers = Routers::new();
    let Content::Mapping(entries) = &root.content else {
        settings.problems.push(Problem::Syntax {
            file: file.clone(),
            line: root.line,
            message: "the file must hold keys and values, as tenant, namespace, name and configs".to_owned(),
        });
        return (settings, routers);
    };
    for entry in entries {
        if entry.key != "configs" {
            let origin = Origin::File { file: file.clone(), line: entry.line, path: entry.key.clone() };
            match find(Scope::PulsarIo, &entry.key) {
                Some(option) => settings.add(option, &entry.key, &entry.value, origin),
                None => {
                    let nearest = nearest_key(&entry.key, Scope::PulsarIo, Some("configs"));
                    settings.problems.push(Problem::UnknownKey { origin, nearest });
                }
            }
            continue;
        }
        let Content::Mapping(configs) = &entry.value.content else {
            if entry.value.content != Content::Null {
                settings.problems.push(Problem::WrongValue {
                    origin: Origin::File { file: file.clone(), line: entry.line, path: entry.key.clone() },
                    reason: "Debezium's keys are expected below it, each with a value".to_owned(),
                });
            }
            continue;
        };
        let transforms = transform_names(configs);
        let is_router =
            |name: &str| text_of(configs, &format!("transforms.{name}.type")) == Some(event_router::EVENT_ROUTER);
        routers =
            transforms.iter().filter(|name| is_router(name)).map(|name| (name.clone(), Settings::default())).collect();
        for entry in configs {
            let path = format!("configs.{}", columns::shown(&entry.key));
            let origin = Origin::File { file: file.clone(), line: entry.line, path };
            if entry.key == "transforms" && !routers.is_empty() && routers.len() == transforms.len() {
                continue;
            }
            if let Some((name, key)) = entry.key.strip_prefix("transforms.").and_then(|rest| rest.split_once('.'))
                && let Some((_, router)) = routers.iter_mut().find(|(known, _)| known == name)
            {
                match find(Scope::Outbox, key) {
                    _ if key == "type" => {}
                    Some(option) => router.add(option, &entry.key, &entry.value, origin),
                    None => {
                        let nearest = format!("transforms.{name}.{}", nearest_key(key, Scope::Outbox, Some("type")));
                        router.problems.push(Problem::UnknownKey { origin, nearest });
                    }
                }
                continue;
            }
            match find(Scope::Source, &entry.key) {
                Some(option) => settings.add(option, &entry.key, &entry.value, origin),
                None => {
                    let nearest = nearest_key(&entry.key, Scope::Source, None);
                    settings.problems.push(Problem::UnknownKey { origin, nearest });
                }
            }
        }
    }
    (settings, routers)
}

/// Returns the names in `transforms`, which are separated by commas.
fn transform_names(configs: &[Entry]) -> Vec<String> {
    let names = text_of(configs, "transforms").unwrap_or_default().split(',').map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

fn text_of<'a>(configs: &'a [Entry], key: &str) -> Option<&'a str> {
    configs.iter().find(|entry| entry.key == key).and_then(|entry| match &entry.value.content {
        Content::Scalar(text) => Some(text.as_str()),
        _ => None,
    })
}

fn nearest_key(wanted: &str, scope: Scope, other: Option<&'static str>) -> String {
    let scopes = [scope];
    let keys = of_scopes(&scopes).flat_map(OptionSpec::keys).filter(|key| !key.ends_with('*'));
    nearest(wanted, keys.chain(other)).map_or_else(String::new, |(key, _)| key.to_owned())
}
