//! Makes the rule of an outbox from its options, which are a transform of type EventRouter or a table of our own file.

use super::draft::Draft;
use super::environment::Environment;
use super::option::{OptionSpec, Scope};
use super::problem::Problem;
use super::settings::Settings;
use super::source_config::FileKind;

/// The class of the transform by which a Pulsar IO file configures an outbox.
pub(super) const EVENT_ROUTER: &str = "io.debezium.transforms.outbox.EventRouter";

/// Applies the options of an outbox and adds its rule to the source; messages call the outbox `name`.
pub(super) fn add_to(
    source: &mut Draft,
    settings: Settings,
    name: &str,
    kind: FileKind,
    environment: &Environment,
) -> Result<(), Vec<Trouble>> {
    let mut draft = Draft::new(kind);
    let missing = |option: &'static OptionSpec| Problem::Missing {
        file: name.into(),
        key: option.key.to_owned(),
        remedy: "add it".to_owned(),
    };
    let problems = settings.apply(&mut draft, &[Scope::Outbox], kind, environment, missing);
    source.source.unused.append(&mut draft.source.unused);
    if !problems.is_empty() {
        return Err(problems.into_iter().map(Trouble::Problem).collect());
    }
    let rule = draft.outbox.finish(kind).map_err(|reason| vec![Trouble::Conflict(format!("{name}: {reason}"))])?;
    source.source.outboxes.push(rule);
    Ok(())
}

/// A problem with an outbox.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A problem that already names its place.
    Problem(Problem),
    /// Options that contradict each other.
    Conflict(String),
}

impl Trouble {
    /// Returns the problem with `file` as its place, if it names none.
    pub(super) fn in_file(self, file: &std::sync::Arc<str>) -> Problem {
        match self {
            Trouble::Problem(problem) => problem,
            Trouble::Conflict(reason) => Problem::Conflict { file: file.clone(), reason },
        }
    }
}
