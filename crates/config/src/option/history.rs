//! Options for schema changes on their topic, and for Debezium's schema history, which is not needed here.

use super::spec::{Effect, OptionSpec};

const NO_HISTORY: &str = "table schemas come from the binlog itself; there is no schema history";
const NO_OFFSETS: &str = "the position is kept in the data folder; there is no offset store";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "include.schema.changes",
        Effect::Boolean(|draft, include| draft.source.include_schema_changes = include),
        "Publishes schema changes on the topic whose name is the prefix.",
    )
    .toml(&["schema_changes"])
    .default("true"),
    OptionSpec::unused("schema.history.internal", NO_HISTORY).aliases(&["database.history"]),
    OptionSpec::unused("schema.history.internal.pulsar.topic", NO_HISTORY).aliases(&["database.history.pulsar.topic"]),
    OptionSpec::unused("schema.history.internal.pulsar.service.url", NO_HISTORY)
        .aliases(&["database.history.pulsar.service.url"]),
    OptionSpec::unused("schema.history.internal.pulsar.reader.config", NO_HISTORY)
        .aliases(&["database.history.pulsar.reader.config"]),
    OptionSpec::unused("schema.history.internal.kafka.topic", NO_HISTORY).aliases(&["database.history.kafka.topic"]),
    OptionSpec::unused("schema.history.internal.kafka.bootstrap.servers", NO_HISTORY)
        .aliases(&["database.history.kafka.bootstrap.servers"]),
    OptionSpec::unused("schema.history.internal.kafka.recovery.poll.interval.ms", NO_HISTORY)
        .aliases(&["database.history.kafka.recovery.poll.interval.ms"]),
    OptionSpec::unused("schema.history.internal.kafka.recovery.attempts", NO_HISTORY)
        .aliases(&["database.history.kafka.recovery.attempts"]),
    OptionSpec::unused("schema.history.internal.kafka.query.timeout.ms", NO_HISTORY)
        .aliases(&["database.history.kafka.query.timeout.ms"]),
    OptionSpec::unused("schema.history.internal.kafka.create.timeout.ms", NO_HISTORY)
        .aliases(&["database.history.kafka.create.timeout.ms"]),
    OptionSpec::unused("schema.history.internal.buffer.batch.size", NO_HISTORY)
        .aliases(&["schema.history.internal.kafka.buffer.batch.size"]),
    OptionSpec::unused("schema.history.internal.file.filename", NO_HISTORY)
        .aliases(&["database.history.file.filename"]),
    OptionSpec::unused("schema.history.internal.producer.*", NO_HISTORY).aliases(&["database.history.producer.*"]),
    OptionSpec::unused("schema.history.internal.consumer.*", NO_HISTORY).aliases(&["database.history.consumer.*"]),
    OptionSpec::unused("schema.history.internal.redis.*", NO_HISTORY),
    OptionSpec::unused("schema.history.internal.jdbc.*", NO_HISTORY),
    OptionSpec::unused("schema.history.internal.s3.*", NO_HISTORY),
    OptionSpec::unused("schema.history.internal.azure.*", NO_HISTORY),
    OptionSpec::unused("schema.history.internal.rocketmq.*", NO_HISTORY),
    OptionSpec::unused("schema.history.internal.skip.unparseable.ddl", NO_HISTORY)
        .aliases(&["database.history.skip.unparseable.ddl"]),
    OptionSpec::unused("schema.history.internal.store.only.captured.tables.ddl", NO_HISTORY).aliases(&[
        "database.history.store.only.captured.tables.ddl",
        "database.history.store.only.monitored.tables.ddl",
    ]),
    OptionSpec::unused("schema.history.internal.store.only.captured.databases.ddl", NO_HISTORY)
        .aliases(&["database.history.store.only.captured.databases.ddl"]),
    OptionSpec::unused("schema.history.internal.memory.optimization", NO_HISTORY),
    OptionSpec::unused("schema.history.internal.ddl.filter", NO_HISTORY).aliases(&["database.history.ddl.filter"]),
    OptionSpec::unused("schema.history.internal.prefer.ddl", NO_HISTORY).aliases(&["database.history.prefer.ddl"]),
    OptionSpec::unused("memory.management.schemas.class", NO_HISTORY),
    OptionSpec::unused("memory.management.tables.class", NO_HISTORY),
    OptionSpec::unused("ddl.parser.type", NO_HISTORY).aliases(&["ddl.parser.mode"]),
    OptionSpec::unused("resolve.create.table.like.schema", NO_HISTORY),
    OptionSpec::refused(
        "inconsistent.schema.handling.mode",
        &["fail"],
        "an event that does not match its table always stops the source",
    ),
    OptionSpec::unused("offset.storage", NO_OFFSETS),
    OptionSpec::unused("offset.storage.topic", NO_OFFSETS),
    OptionSpec::unused("offset.storage.*", NO_OFFSETS),
    OptionSpec::unused("offset.flush.interval.ms", NO_OFFSETS),
    OptionSpec::unused("offset.flush.timeout.ms", NO_OFFSETS),
];
