//! Options for the form of events.

use bitacora_change::{DebeziumForm, ValueFormat};

use super::spec::{Choice, Effect, OptionSpec};

const TRANSFORMS: &str = "transforms other than io.debezium.transforms.outbox.EventRouter are not implemented yet";
const TRANSACTIONS: &str = "transaction topics and blocks are not implemented yet";
const JSON_ONLY: &str = "only org.apache.kafka.connect.json.JsonConverter is implemented";
const JSON_CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";
const HEARTBEAT: &str =
    "the position is saved on a timer even if nothing is captured, so no heartbeat topic is written";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "bitacora.form",
        Effect::Choice(&[
            Choice::new("1.9", |draft| draft.source.form = DebeziumForm::V1_9),
            Choice::new("3.6", |draft| draft.source.form = DebeziumForm::V3_6),
        ]),
        "Version of Debezium whose form the events have (our own option); Pulsar 4.0 ships 1.9.",
    )
    .toml(&["form"])
    .default("3.6")
    .default_pulsar_io("1.9"),
    OptionSpec::new(
        "json-with-envelope",
        Effect::Boolean(|draft, enveloped| {
            draft.source.value_format = if enveloped { ValueFormat::JsonWithEnvelope } else { ValueFormat::Json };
        }),
        "Key and value with their Connect schema (KeyValue INLINE) instead of the payload only (KeyValue SEPARATED).",
    )
    .toml(&["json_with_envelope"])
    .default("false"),
    OptionSpec::new(
        "tombstones.on.delete",
        Effect::Boolean(|draft, tombstones| draft.source.tombstones_on_delete = tombstones),
        "Sends a message without value after each delete. Pulsar IO's connector never sends one; here an explicit \
        `true` does.",
    )
    .toml(&["tombstones"])
    .default("true")
    .default_pulsar_io("false"),
    OptionSpec::new(
        "value.converter.replace.null.with.default",
        Effect::Boolean(|draft, replace| draft.source.replace_null_with_default = replace),
        "Prints NULL in a column that has a default as that default, as Kafka Connect's JSON converter does unless \
        told otherwise.",
    )
    .toml(&["replace_null_with_default"])
    .default("false")
    .default_pulsar_io("true"),
    OptionSpec::new(
        "include.query",
        Effect::Boolean(|draft, include| draft.source.include_query = include),
        "Adds the SQL statement as `source.query`, if the server logs it (binlog_rows_query_log_events, \
        binlog_annotate_row_events).",
    )
    .toml(&["include_query"])
    .default("false"),
    OptionSpec::new(
        "value.converter.schemas.enable",
        Effect::Boolean(|draft, enable| draft.schemas_enable = Some(enable)),
        "Must agree with json-with-envelope, which decides.",
    ),
    OptionSpec::new(
        "key.converter.schemas.enable",
        Effect::Boolean(|draft, enable| draft.schemas_enable = Some(enable)),
        "Must agree with json-with-envelope, which decides.",
    ),
    OptionSpec::refused("key.converter", &[JSON_CONVERTER], JSON_ONLY),
    OptionSpec::refused("value.converter", &[JSON_CONVERTER], JSON_ONLY),
    OptionSpec::unused("key.converter.replace.null.with.default", "key columns are never NULL"),
    OptionSpec::refused(
        "key.converter.*",
        &[],
        "settings of the converter other than schemas.enable are not implemented yet",
    ),
    OptionSpec::refused(
        "value.converter.*",
        &[],
        "settings of the converter other than schemas.enable and replace.null.with.default are not implemented yet",
    ),
    OptionSpec::refused("transforms", &[""], TRANSFORMS),
    OptionSpec::refused("transforms.*", &[], TRANSFORMS),
    OptionSpec::refused("predicates", &[""], TRANSFORMS),
    OptionSpec::refused("predicates.*", &[], TRANSFORMS),
    OptionSpec::refused("provide.transaction.metadata", &["false"], TRANSACTIONS),
    OptionSpec::refused("transaction.metadata.factory", &[], TRANSACTIONS),
    OptionSpec::refused("schema.name.adjustment.mode", &["none"], "names of schemas are not adjusted"),
    OptionSpec::refused("field.name.adjustment.mode", &["none"], "names of fields are not adjusted"),
    OptionSpec::refused("sanitize.field.names", &["false"], "names of fields are not adjusted"),
    OptionSpec::refused("sourceinfo.struct.maker", &[], "own code for the source block cannot be loaded"),
    OptionSpec::refused("source.struct.version", &["v2"], "only the current form of the source block exists"),
    OptionSpec::unused("extended.headers.enabled", "context headers are not written"),
    OptionSpec::unused("heartbeat.interval.ms", HEARTBEAT),
    OptionSpec::unused("topic.heartbeat.prefix", HEARTBEAT).aliases(&["heartbeat.topics.prefix"]),
    OptionSpec::unused("topic.heartbeat.name", HEARTBEAT),
    OptionSpec::refused("heartbeat.action.query", &[""], "statements are never run on the server"),
];
