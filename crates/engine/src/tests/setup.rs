//! Cores as the tests want them, and what of the recorded logs they leave out.

use bitacora_binlog::EventType;
use bitacora_change::{
    ColumnRules, Connector, DebeziumForm, LargeRows, NullWithDefault, PlanOptions, Tombstones, TopicCollision,
    ValueFormat,
};
use bitacora_source::{Filter, FilterOptions};

use crate::notices::Notices;
use crate::pipeline::core::{CoreOptions, RowRules, SchemaChanges, Statements};
use crate::pipeline::proofs::Proofs;

/// Rules that capture every table, as JSON with the topic prefix `srv`; a test changes what it is about.
pub(super) fn rules(connector: Connector) -> RowRules {
    RowRules {
        plan: PlanOptions {
            connector,
            form: DebeziumForm::V3_6,
            topic_prefix: "srv".into(),
            value_format: ValueFormat::Json,
            tombstones: Tombstones::Emit,
            null_with_default: NullWithDefault::Keep,
            columns: ColumnRules::default(),
            topic_collision: TopicCollision::Stop,
        },
        filter: Filter::new(&FilterOptions::default()).unwrap(),
        outboxes: Vec::new(),
        large_rows: LargeRows::default(),
        open_topics_max: 1_000,
        notices: Notices::default(),
    }
}

/// A core that publishes schema changes and notes every end of a transaction.
pub(super) fn core_options(server: &str, rows: RowRules, statements: Statements) -> CoreOptions {
    CoreOptions {
        server: server.into(),
        rows,
        schema_changes: SchemaChanges::Publish,
        statements,
        proofs: Proofs::default(),
        checkpoint_interval_us: 0,
    }
}

/// Returns whether a recorded event is the one change of rows that is logged as text: Debezium warns of it, this engine
/// stops (`statements`).
pub(super) fn is_change_as_text(event: &[u8]) -> bool {
    event[4] == EventType::QUERY.0 && event.windows(16).any(|text| text == b"statement format")
}
