//! Options for the snapshot.

use super::spec::{Choice, Effect, OptionSpec};
use crate::source_config::SnapshotMode;

const OWN_WAY: &str = "custom snapshot code cannot be loaded";
const SHORTEST_LOCK: &str = "the snapshot takes no lock if the server allows that, otherwise the shortest one";
const OWN_READER: &str = "rows are read as a stream with constant memory";
const NO_WAIT: &str = "the snapshot and the stream start without a wait";
const INCREMENTAL: &str = "incremental snapshots are not implemented yet";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "snapshot.mode",
        Effect::Choice(&[
            Choice::new("initial", |draft| draft.source.snapshot.mode = SnapshotMode::Initial),
            Choice::new("initial_only", |draft| draft.source.snapshot.mode = SnapshotMode::InitialOnly),
            Choice::new("no_data", |draft| draft.source.snapshot.mode = SnapshotMode::NoData).also(&["schema_only"]),
            Choice::new("always", |draft| draft.source.snapshot.mode = SnapshotMode::Always),
            Choice::new("when_needed", |draft| draft.source.snapshot.mode = SnapshotMode::WhenNeeded),
            Choice::new("never", |draft| draft.source.snapshot.mode = SnapshotMode::Never),
        ]),
        "When existing rows are read: once at the first start; once and then end; not at all, only the stream from now \
        on; at every start; when there is no usable position; not at all, and the stream from the oldest binlog.",
    )
    .toml(&["snapshot", "snapshot.mode"])
    .default("initial"),
    OptionSpec::new(
        "snapshot.lock.timeout.ms",
        Effect::Integer {
            min: 1,
            max: 86_400_000,
            set: |draft, number| draft.source.snapshot.lock_timeout_ms = number,
        },
        "Longest wait of one attempt to get a read lock, in milliseconds. Writers may wait behind it as long; the \
        next attempt follows after a pause. A lock is needed only if MySQL is never quiet for a moment, and for \
        tables of engines without a consistent view (MyISAM, MEMORY, Aria and others).",
    )
    .toml(&["snapshot_lock_timeout_ms", "snapshot.lock_timeout_ms"])
    .default("1000"),
    OptionSpec::refused("snapshot.mode.custom.name", &[""], OWN_WAY),
    OptionSpec::refused("snapshot.mode.configuration.based.*", &["false"], OWN_WAY),
    OptionSpec::refused("snapshot.query.mode", &["select_all"], OWN_WAY),
    OptionSpec::refused("snapshot.query.mode.custom.name", &[""], OWN_WAY),
    OptionSpec::refused(
        "snapshot.select.statement.overrides",
        &[""],
        "custom SELECT statements for tables are not implemented yet",
    ),
    OptionSpec::refused(
        "snapshot.select.statement.overrides.*",
        &[],
        "custom SELECT statements for tables are not implemented yet",
    ),
    OptionSpec::refused(
        "snapshot.include.collection.list",
        &[""],
        "a snapshot of a part of the captured tables is not implemented yet",
    ),
    OptionSpec::unused("snapshot.locking.mode", SHORTEST_LOCK),
    OptionSpec::unused("snapshot.locking.mode.custom.name", SHORTEST_LOCK),
    OptionSpec::unused("snapshot.tables.order.by.row.count", "tables are read by name"),
    OptionSpec::unused("snapshot.delay.ms", NO_WAIT),
    OptionSpec::unused("streaming.delay.ms", NO_WAIT),
    OptionSpec::unused("snapshot.fetch.size", OWN_READER),
    OptionSpec::unused("min.row.count.to.stream.results", OWN_READER),
    OptionSpec::unused("snapshot.max.threads", OWN_READER),
    OptionSpec::unused("snapshot.max.threads.multiplier", OWN_READER),
    OptionSpec::unused("legacy.snapshot.max.threads", OWN_READER),
    OptionSpec::unused("query.fetch.size", OWN_READER),
    OptionSpec::unused("snapshot.scan.all.columns.force", OWN_READER),
    OptionSpec::unused("incremental.snapshot.chunk.size", INCREMENTAL),
    OptionSpec::unused("incremental.snapshot.allow.schema.changes", INCREMENTAL),
    OptionSpec::unused("incremental.snapshot.watermarking.strategy", INCREMENTAL),
    OptionSpec::unused("read.only", "nothing is ever written to the server"),
];
