//! The strategies by which a namespace's schemas may change.

use super::{
    avro::AvroSchema,
    info::{SchemaInfo, SchemaKind},
};

/// How a new schema must relate to the earlier ones (`SchemaCompatibilityStrategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Nothing may change.
    AlwaysIncompatible,
    /// Anything may change.
    AlwaysCompatible,
    /// The new schema can read data of the latest one.
    Backward,
    /// The latest schema can read data of the new one.
    Forward,
    /// Both directions, against the latest version.
    #[default]
    Full,
    /// Backward against every version.
    BackwardTransitive,
    /// Forward against every version.
    ForwardTransitive,
    /// Both directions against every version.
    FullTransitive,
}

/// Why a schema was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Incompatible(pub String);

const NAMES: [(&str, Strategy); 8] = [
    ("ALWAYS_INCOMPATIBLE", Strategy::AlwaysIncompatible),
    ("ALWAYS_COMPATIBLE", Strategy::AlwaysCompatible),
    ("BACKWARD", Strategy::Backward),
    ("FORWARD", Strategy::Forward),
    ("FULL", Strategy::Full),
    ("BACKWARD_TRANSITIVE", Strategy::BackwardTransitive),
    ("FORWARD_TRANSITIVE", Strategy::ForwardTransitive),
    ("FULL_TRANSITIVE", Strategy::FullTransitive),
];

impl Strategy {
    /// Returns the strategy of a name that the admin REST uses; `None` for UNDEFINED, which means the broker's default.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(n, _)| *n == name).map(|(_, s)| *s)
    }

    /// Returns the name that the admin REST uses.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, s)| *s == self).map_or("UNDEFINED", |(n, _)| *n)
    }

    /// Returns the strategy for consumers' schemas. A consumer writes nothing. So under the strategies that compare
    /// with the latest version, and under the forward ones, it is enough that its schema can read data of the latest
    /// version.
    pub fn of_consumers(self) -> Self {
        match self {
            Self::Backward | Self::Forward | Self::ForwardTransitive | Self::Full => Self::Backward,
            other => other,
        }
    }

    fn looks_back_at_all(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }

    fn backward(self) -> bool {
        matches!(self, Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive)
    }

    fn forward(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }
}

/// Checks a new schema against the earlier ones, oldest first.
///
/// # Errors
/// A sentence that says why the schemas are incompatible.
pub(crate) fn check(strategy: Strategy, new: &SchemaInfo, earlier: &[&SchemaInfo]) -> Result<(), Incompatible> {
    let Some(latest) = earlier.last() else { return Ok(()) };
    match strategy {
        Strategy::AlwaysCompatible => return Ok(()),
        Strategy::AlwaysIncompatible => {
            return Err(Incompatible("the namespace's strategy is ALWAYS_INCOMPATIBLE".to_owned()));
        }
        _ => {}
    }
    let compared = if strategy.looks_back_at_all() { earlier } else { std::slice::from_ref(latest) };
    compared.iter().try_for_each(|old| pair(strategy, new, old))
}

fn pair(strategy: Strategy, new: &SchemaInfo, old: &SchemaInfo) -> Result<(), Incompatible> {
    if new.kind != old.kind {
        return Err(Incompatible(format!(
            "schema type {} cannot follow schema type {}",
            new.kind.name(),
            old.kind.name()
        )));
    }
    if new.kind == SchemaKind::KEY_VALUE {
        let (Some((new_key, new_value)), Some((old_key, old_value))) = (new.key_value(), old.key_value()) else {
            return Err(Incompatible("the KeyValue schema is malformed".to_owned()));
        };
        pair(strategy, &new_key, &old_key).map_err(|e| Incompatible(format!("key: {e}")))?;
        return pair(strategy, &new_value, &old_value).map_err(|e| Incompatible(format!("value: {e}")));
    }
    if !matches!(new.kind, SchemaKind::AVRO | SchemaKind::JSON | SchemaKind::PROTOBUF) || new.data == old.data {
        return Ok(());
    }
    let parse = |info: &SchemaInfo, which: &str| {
        AvroSchema::parse(&info.data).map_err(|e| Incompatible(format!("{which} schema: {e}")))
    };
    let (new, old) = (parse(new, "new")?, parse(old, "stored")?);
    if strategy.backward() {
        new.can_read(&old).map_err(|e| Incompatible(format!("the new schema cannot read the old one's data: {e}")))?;
    }
    if strategy.forward() {
        old.can_read(&new).map_err(|e| Incompatible(format!("the old schema cannot read the new one's data: {e}")))?;
    }
    Ok(())
}
