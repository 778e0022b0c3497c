//! Options for outbox tables: those of Debezium's event router, and our own for other layouts.

use bitacora_change::outbox::{AdditionalMissing, EmptyArrays, NullMembers, Updates};

use super::spec::{Choice, Effect, OptionSpec};
use crate::outbox::Format;

const TRACING: &str = "trace contexts are not propagated";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "bitacora.table",
        Effect::Text(|draft, text| table(text).map(|text| draft.outbox.table = Some(text))),
        "The outbox table, `database.table` (our own option; without it every captured table of a Pulsar IO file is \
        an outbox).",
    )
    .toml(&["table"]),
    OptionSpec::new(
        "table.field.event.id",
        Effect::Text(|draft, text| column(text).map(|text| draft.outbox.id = text)),
        "Column of the message's id, which becomes the property `id`.",
    )
    .toml(&["columns.id"])
    .default("id"),
    OptionSpec::new(
        "table.field.event.key",
        Effect::Text(|draft, text| column(text).map(|text| draft.outbox.key = text)),
        "Column of the message's key.",
    )
    .toml(&["columns.key"])
    .default("aggregateid"),
    OptionSpec::new(
        "table.field.event.payload",
        Effect::Text(|draft, text| column(text).map(|text| draft.outbox.payload = text)),
        "Column of the payload.",
    )
    .toml(&["columns.payload"])
    .default("payload"),
    OptionSpec::new(
        "table.field.event.timestamp",
        Effect::Text(|draft, text| column(text).map(|text| draft.outbox.time = Some(text))),
        "Column of the event's time: a DATETIME or TIMESTAMP, or a BIGINT of milliseconds. Without it, or if it is \
        NULL, the event's time is when the row is read.",
    )
    .toml(&["columns.time"]),
    OptionSpec::new(
        "bitacora.type",
        Effect::Text(|draft, text| column(text).map(|text| draft.outbox.headers.push(format!("{text}:type")))),
        "Column of the event's type, which becomes the property `type` (our own option).",
    )
    .toml(&["columns.type"]),
    OptionSpec::new(
        "bitacora.headers",
        Effect::Names(|draft, names| {
            draft.outbox.headers.extend(names);
            Ok(())
        }),
        "Further columns that become properties, each `column` or `column:name` (our own option).",
    )
    .toml(&["columns.headers"]),
    OptionSpec::new(
        "table.fields.additional.placement",
        Effect::Names(|draft, names| {
            draft.outbox.placements = names;
            Ok(())
        }),
        "Further columns, each `column:header` or `column:envelope`, with `:name` appended to rename it. Headers \
        become properties. With columns in the envelope the value is an object of these columns and `payload`.",
    ),
    OptionSpec::new(
        "table.field.additional.missing",
        Effect::Choice(&[
            Choice::new("error", |draft| draft.outbox.additional_missing = AdditionalMissing::Error),
            Choice::new("ignore", |draft| draft.outbox.additional_missing = AdditionalMissing::Ignore),
        ]),
        "Whether a further column that the table lacks is an error.",
    )
    .toml(&["columns.missing"])
    .default("error"),
    OptionSpec::new(
        "table.op.invalid.behavior",
        Effect::Choice(&[
            Choice::new("warn", |draft| draft.outbox.updates = Updates::Warn),
            Choice::new("error", |draft| draft.outbox.updates = Updates::Error),
            Choice::new("fatal", |draft| draft.outbox.updates = Updates::Fatal),
        ]),
        "What an update of a row causes: a line in the log (warn, error), or the end of the source. A delete causes \
        nothing.",
    )
    .toml(&["updates"])
    .default("warn"),
    OptionSpec::new(
        "bitacora.topic",
        Effect::Text(|draft, text| {
            draft.outbox.topic = Some(text);
            Ok(())
        }),
        "The topic, in which `${column}` stands for the text of a column (our own option). Without it the `route.` \
        options decide.",
    )
    .toml(&["topic"]),
    OptionSpec::new(
        "route.by.field",
        Effect::Text(|draft, text| column(text).map(|text| draft.outbox.route_field = text)),
        "Column whose text chooses the topic.",
    )
    .default("aggregatetype"),
    OptionSpec::new(
        "route.topic.regex",
        Effect::Text(|draft, text| {
            draft.outbox.route_regex = text;
            Ok(())
        }),
        "Regular expression for the whole text. A text that does not match is itself the topic.",
    )
    .default("(?<routedByValue>.*)"),
    OptionSpec::new(
        "route.topic.replacement",
        Effect::Text(|draft, text| {
            draft.outbox.route_replacement = text;
            Ok(())
        }),
        "The topic, which may contain groups of the expression.",
    )
    .default("outbox.event.${routedByValue}"),
    OptionSpec::new(
        "bitacora.format",
        Effect::Choice(&[
            Choice::new("connect", |draft| draft.outbox.format = Format::Connect),
            Choice::new("text", |draft| draft.outbox.format = Format::Text),
            Choice::new("json", |draft| draft.outbox.format = Format::Json),
            Choice::new("avro", |draft| draft.outbox.format = Format::Avro),
        ]),
        "Form of the value (our own option): as the router prints it under Kafka Connect's JSON converter, with a \
        text payload as a JSON string (connect); the payload unchanged (text, json); or, with `schema`, a record \
        under a registered schema (json, avro).",
    )
    .toml(&["format"])
    .default("json")
    .default_pulsar_io("connect"),
    OptionSpec::new(
        "bitacora.schema",
        Effect::Text(|draft, text| {
            draft.outbox.schema = Some(text);
            Ok(())
        }),
        "Avro definition that is registered for the topics (our own option).",
    )
    .toml(&["schema"]),
    OptionSpec::new(
        "bitacora.schema.file",
        Effect::Path(|draft, path| draft.outbox.schema_file = Some(path)),
        "File that holds the definition (our own option).",
    )
    .toml(&["schema_file"]),
    OptionSpec::new(
        "bitacora.fields",
        Effect::Map(|draft, fields| {
            draft.outbox.fields = fields;
            Ok(())
        }),
        "Values of the record's fields, by dotted path: each is a text in which `${column}`, `${payload}`, \
        `${payload.member}`, `${event.time_ms}`, `${event.commit_ms}` and `${event.now_ms}` are replaced. Without it \
        the payload is the record (our own option).",
    )
    .toml(&["fields"]),
    OptionSpec::new(
        "table.expand.json.payload",
        Effect::Boolean(|draft, expand| draft.outbox.expand = expand),
        "Prints a text payload that holds an object or array as such instead of as a string (format connect).",
    )
    .default("false"),
    OptionSpec::new(
        "table.json.payload.null.behavior",
        Effect::Choice(&[
            Choice::new("ignore", |draft| draft.outbox.expansion.null_members = NullMembers::Ignore),
            Choice::new("optional_bytes", |draft| draft.outbox.expansion.null_members = NullMembers::Keep),
        ]),
        "Whether null members of an expanded payload are left out.",
    )
    .default("ignore"),
    OptionSpec::new(
        "table.json.payload.empty.array.behavior",
        Effect::Choice(&[
            Choice::new("ignore", |draft| draft.outbox.expansion.empty_arrays = EmptyArrays::Ignore),
            Choice::new("optional_string", |draft| draft.outbox.expansion.empty_arrays = EmptyArrays::Keep),
        ]),
        "Whether members of an expanded payload that are empty arrays are left out.",
    )
    .default("ignore"),
    OptionSpec::new(
        "route.tombstone.on.empty.payload",
        Effect::Boolean(|draft, tombstone| draft.outbox.tombstone_on_empty = tombstone),
        "Sends a message without value for a NULL or blank payload.",
    )
    .toml(&["tombstone_on_empty"])
    .default("false"),
    OptionSpec::new(
        "bitacora.on.error",
        Effect::Choice(&[
            Choice::new("stop", |draft| draft.outbox.sends_dead_letters = false),
            Choice::new("dead_letter", |draft| draft.outbox.sends_dead_letters = true),
        ]),
        "What happens to a row that cannot become a message (our own option): the source stops, or the whole row goes \
        to a topic with the reason as a property.",
    )
    .toml(&["on_error"])
    .default("stop"),
    OptionSpec::new(
        "bitacora.dead.letter.topic",
        Effect::Text(|draft, text| column(text).map(|text| draft.outbox.dead_letter_topic = Some(text))),
        "Topic of such rows; without it the table's own topic with `.dead-letter` appended (our own option).",
    )
    .toml(&["dead_letter_topic"]),
    OptionSpec::unused(
        "table.field.event.type",
        "the router does not read it either; place the column where it is wanted",
    ),
    OptionSpec::refused(
        "table.field.event.schema.version",
        &[""],
        "versions of payload schemas are not implemented yet",
    ),
    OptionSpec::refused("predicate", &[], "predicates are not implemented yet; bitacora.table names the one table"),
    OptionSpec::refused("negate", &["false"], "predicates are not implemented yet; bitacora.table names the one table"),
    OptionSpec::unused("tracing.span.context.field", TRACING),
    OptionSpec::unused("tracing.operation.name", TRACING),
    OptionSpec::unused("tracing.with.context.field.only", TRACING),
];

fn table(text: String) -> Result<String, String> {
    let is_name = |part: &str| !part.is_empty() && !part.contains('.');
    let valid = text.split_once('.').is_some_and(|(database, table)| is_name(database) && is_name(table));
    if valid { Ok(text) } else { Err(format!("{text:?} is not a table; write database.table")) }
}

fn column(text: String) -> Result<String, String> {
    if text.trim().is_empty() { Err("the name is empty; write a name".to_owned()) } else { Ok(text) }
}
