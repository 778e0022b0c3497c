//! Reads our own configuration file, `bitacora.toml`: the process, the embedded broker and any number of sources.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::document::{Content, Entry, Node, parse_toml};
use super::draft::Draft;
use super::engine_config::EngineConfig;
use super::environment::Environment;
use super::event_router;
use super::nearest::nearest;
use super::option::{OptionSpec, Scope, find_toml, of_scopes};
use super::problem::{ConfigError, Origin, Problem};
use super::settings::Settings;
use super::source_config::{Destination, FileKind};
use super::variables;

const SOURCE_SCOPES: [Scope; 2] = [Scope::OwnSource, Scope::Source];

/// Reads the text of a configuration file; `file` is its name for messages.
pub fn parse_toml_config(text: &str, file: &str, environment: &Environment) -> Result<EngineConfig, ConfigError> {
    let file: Arc<str> = Arc::from(file);
    let root = parse_toml(text).map_err(|error| Problem::Syntax {
        file: file.clone(),
        line: error.line,
        message: error.message,
    })?;
    let Collected { engine, sources, has_broker } = collect(&root, &file);
    let mut used = BTreeSet::new();
    let mut problems = Vec::new();

    let mut engine_draft = Draft::new(FileKind::Own);
    let mut engine = engine;
    engine.override_by(environment, &[Scope::Engine], None, &mut used);
    let missing = |key: String| Problem::Missing { file: file.clone(), key, remedy: "add it to the file".to_owned() };
    problems.extend(
        engine.apply(&mut engine_draft, &[Scope::Engine], FileKind::Own, environment, |option| {
            missing(toml_name(option))
        }),
    );

    let single = sources.len() == 1;
    let names: Vec<Option<String>> = sources
        .iter()
        .map(|source| source.settings.text_of("source.name").map(str::to_owned).filter(|_| !single))
        .collect();
    let mut config = EngineConfig {
        data_dir: engine_draft.data_dir.clone(),
        metrics: engine_draft.metrics.take(),
        ..EngineConfig::default()
    };
    for (index, (CollectedSource { mut settings, outboxes }, name)) in sources.into_iter().zip(&names).enumerate() {
        settings.override_by(environment, &SOURCE_SCOPES, name.as_deref(), &mut used);
        let mut draft = Draft::new(FileKind::Own);
        let number = index + 1;
        let place = |key: String| if single { key } else { format!("{key} of [[source]] number {number}") };
        let found = settings.apply(&mut draft, &SOURCE_SCOPES, FileKind::Own, environment, |option| {
            missing(place(format!("source.{}", toml_name(option))))
        });
        problems.extend(found);
        for (index, outbox) in outboxes.into_iter().enumerate() {
            let name = place(format!("[[source.outbox]] number {}", index + 1));
            if let Err(found) = event_router::add_to(&mut draft, outbox, &name, FileKind::Own, environment) {
                problems.extend(found.into_iter().map(|trouble| trouble.in_file(&file)));
            }
        }
        match draft.finish() {
            Ok(source) => config.sources.push(source),
            Err(reasons) => problems.extend(
                reasons.into_iter().map(|reason| Problem::Conflict { file: file.clone(), reason: place(reason) }),
            ),
        }
    }
    let mut seen = BTreeSet::new();
    for source in &config.sources {
        if !source.name.is_empty() && !seen.insert(source.name.as_str()) {
            let reason = format!("two sources are named {}; give each its own name", source.name);
            problems.push(Problem::Conflict { file: file.clone(), reason });
        }
    }
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let embedded = config.sources.iter().any(|source| source.destination == Destination::Embedded);
    config.broker = (has_broker || embedded).then_some(engine_draft.broker);
    let mut prefixes: Vec<Option<&str>> = names.iter().map(Option::as_deref).collect();
    prefixes.push(None);
    config.notes = variables::notes(environment, &used, &[Scope::Engine, Scope::OwnSource, Scope::Source], &prefixes);
    Ok(config)
}

struct Collected {
    engine: Settings,
    sources: Vec<CollectedSource>,
    has_broker: bool,
}

#[derive(Default)]
struct CollectedSource {
    settings: Settings,
    outboxes: Vec<Settings>,
}

fn collect(root: &Node, file: &Arc<str>) -> Collected {
    let mut collected = Collected { engine: Settings::default(), sources: Vec::new(), has_broker: false };
    let Content::Mapping(entries) = &root.content else { return collected };
    for entry in entries {
        if entry.key == "source" {
            for table in tables_of(&entry.value) {
                let mut source = CollectedSource::default();
                match &table.content {
                    Content::Mapping(entries) => {
                        for entry in entries {
                            if entry.key == "outbox" {
                                source
                                    .outboxes
                                    .extend(tables_of(&entry.value).map(|table| collect_outbox(table, file)));
                            } else {
                                flatten(entry, "", "source.", &SOURCE_SCOPES, file, &mut source.settings);
                            }
                        }
                    }
                    _ => source.settings.problems.push(Problem::WrongValue {
                        origin: Origin::File { file: file.clone(), line: table.line, path: "source".to_owned() },
                        reason: "a source is a table; write [[source]] and its keys below".to_owned(),
                    }),
                }
                collected.sources.push(source);
            }
        } else {
            collected.has_broker |= entry.key == "broker";
            flatten(entry, "", "", &[Scope::Engine], file, &mut collected.engine);
        }
    }
    collected
}

/// Returns the tables of a list, or the one table that is there instead of a list.
fn tables_of(node: &Node) -> impl Iterator<Item = &Node> {
    match &node.content {
        Content::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    }
    .iter()
}

fn collect_outbox(table: &Node, file: &Arc<str>) -> Settings {
    let mut settings = Settings::default();
    match &table.content {
        Content::Mapping(entries) => {
            for entry in entries {
                flatten(entry, "", "source.outbox.", &[Scope::Outbox], file, &mut settings);
            }
        }
        _ => settings.problems.push(Problem::WrongValue {
            origin: Origin::File { file: file.clone(), line: table.line, path: "source.outbox".to_owned() },
            reason: "an outbox is a table; write [[source.outbox]] and its keys below".to_owned(),
        }),
    }
    settings
}

/// Descends through tables to the values. The path of a value is the name of its option.
fn flatten(entry: &Entry, above: &str, root: &str, scopes: &[Scope], file: &Arc<str>, settings: &mut Settings) {
    let path = if above.is_empty() { entry.key.clone() } else { format!("{above}.{}", entry.key) };
    if let Content::Mapping(entries) = &entry.value.content {
        let prefix = format!("{path}.");
        if of_scopes(scopes).any(|option| option.toml.iter().any(|known| known.starts_with(&prefix))) {
            for inner in entries {
                flatten(inner, &path, root, scopes, file, settings);
            }
            return;
        }
    }
    let origin = Origin::File { file: file.clone(), line: entry.line, path: format!("{root}{path}") };
    match find_toml(scopes, &path) {
        Some(option) => settings.add(option, &path, &entry.value, origin),
        None => {
            let paths = of_scopes(scopes).flat_map(|option| option.toml.iter().copied());
            let tables = ["source", "broker", "metrics"].into_iter().filter(|_| root.is_empty());
            let nearest = nearest(&path, paths.chain(tables)).map_or("", |(path, _)| path);
            settings.problems.push(Problem::UnknownKey { origin, nearest: format!("{root}{nearest}") });
        }
    }
}

fn toml_name(option: &'static OptionSpec) -> String {
    option.toml.first().copied().unwrap_or(option.key).to_owned()
}
