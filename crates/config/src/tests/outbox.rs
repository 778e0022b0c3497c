//! Outbox tables in both kinds of file.

use bitacora_change::outbox::{
    DeadLetters, OutboxRule, OutboxTables, Payload, Place, RecordFormat, TopicRule, Updates,
};

use super::*;

const YAML: &str = "name: s\nconfigs:\n  database.hostname: h\n  database.user: u\n  \
    topic.prefix: p\n  transforms: outbox\n  \
                    transforms.outbox.type: io.debezium.transforms.outbox.EventRouter\n";

const TOML: &str =
    "[[source]]\nname = \"s\"\ntopic_prefix = \"p\"\nserver = { host = \"h\", user = \"u\" }\n[[source.outbox]]\n";

fn yaml(lines: &str) -> Result<Vec<OutboxRule>, ConfigError> {
    let lines: Vec<String> = lines.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("{YAML}{}", lines.concat());
    parse_pulsar_io(&text, "source.yaml", &none()).map(|mut config| config.sources.remove(0).outboxes)
}

fn toml(lines: &str) -> Result<Vec<OutboxRule>, ConfigError> {
    parse_toml_config(&format!("{TOML}{lines}\n"), "bitacora.toml", &none())
        .map(|mut config| config.sources.remove(0).outboxes)
}

fn topic_of(rule: &OutboxRule, text: &str) -> String {
    match &rule.options.topic {
        TopicRule::Field { column, pattern } => format!("{column}:{}", pattern.apply(text).unwrap()),
        TopicRule::Template(template) => format!("{template:?}"),
    }
}

#[test]
fn the_router_alone_has_the_default_layout_for_every_table() {
    let rules = yaml("").unwrap();
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    let options = &rule.options;
    assert!(rule.tables == OutboxTables::All && rule.covers("any", "table"));
    assert_eq!((options.id.as_str(), options.key.as_str(), options.payload.as_str()), ("id", "aggregateid", "payload"));
    assert_eq!(topic_of(rule, "reserva"), "aggregatetype:outbox.event.reserva");
    assert!(matches!(options.value, Payload::Connect) && options.time.is_none() && options.placements.is_empty());
    assert_eq!((options.updates, &options.dead_letters), (Updates::Warn, &DeadLetters::Stop));
}

#[test]
fn every_option_of_the_router_is_taken() {
    let rules = yaml(
        "transforms.outbox.table.field.event.id: uuid\ntransforms.outbox.table.field.event.key: k\n\
         transforms.outbox.table.field.event.payload: body\ntransforms.outbox.table.field.event.timestamp: at\n\
         transforms.outbox.table.fields.additional.placement: 'type:header:eventType, v:envelope'\n\
         transforms.outbox.table.field.additional.missing: ignore\ntransforms.outbox.table.op.invalid.behavior: fatal\n\
         transforms.outbox.route.by.field: kind\ntransforms.outbox.route.topic.regex: '(.*)Event'\n\
         transforms.outbox.route.topic.replacement: 'x.$1'\ntransforms.outbox.route.tombstone.on.empty.payload: true\n\
         transforms.outbox.table.expand.json.payload: true\ntransforms.outbox.table.json.payload.null.behavior: \
         optional_bytes\n\
         transforms.outbox.tracing.operation.name: t\ntransforms.outbox.bitacora.table: shop.outbox\n\
         transforms.outbox.bitacora.on.error: dead_letter",
    )
    .unwrap();
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    let options = &rule.options;
    assert_eq!((options.id.as_str(), options.key.as_str(), options.payload.as_str()), ("uuid", "k", "body"));
    assert_eq!(
        (options.time.as_deref(), options.updates, options.tombstone_on_empty),
        (Some("at"), Updates::Fatal, true)
    );
    assert_eq!(topic_of(rule, "OrderEvent"), "kind:x.Order");
    assert_eq!(options.dead_letters, DeadLetters::Send { topic: None });
    let placed: Vec<_> = options.placements.iter().map(|p| (p.column.as_str(), p.place, p.alias.as_str())).collect();
    assert_eq!(placed, [("type", Place::Header, "eventType"), ("v", Place::Envelope, "v")]);
    assert!(matches!(&options.value, Payload::Expanded(expansion)
        if expansion.null_members == bitacora_change::outbox::NullMembers::Keep));
    assert!(rule.covers("shop", "outbox") && !rule.covers("shop", "orders"));
}

#[test]
fn our_own_file_maps_another_layout() {
    let rules = toml(
        "table = \"reservas.eventos_reserva\"\ntopic = \"eventos-reserva\"\nformat = \"avro\"\n\
         columns = { id = \"id\", key = \"id_entidad\", payload = \"contenido\", time = \"fecha_evento\", type = \
         \"tipo_evento\", headers = [\"version:v\"] }\n\
         schema = '{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"}]}'\n\
         on_error = \"dead_letter\"\ndead_letter_topic = \"muertas\"\n\
         [source.outbox.fields]\nid = \"${id}\"\ndata.a = \"${payload.a}\"\n\"data.b\" = \"x\"",
    )
    .unwrap();
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!(rule.tables, OutboxTables::Named("reservas.eventos_reserva".into()));
    assert_eq!(rule.options.dead_letters, DeadLetters::Send { topic: Some("muertas".into()) });
    let placed: Vec<_> = rule.options.placements.iter().map(|p| (p.column.as_str(), p.alias.as_str())).collect();
    assert_eq!(placed, [("tipo_evento", "type"), ("version", "v")]);
    let Payload::Record(mapping) = &rule.options.value else { panic!("{:?}", rule.options.value) };
    assert_eq!((mapping.format, mapping.schema.name()), (RecordFormat::Avro, "E"));
    let paths: Vec<&str> = mapping.fields.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["id", "data.a", "data.b"]);
}

#[test]
fn a_schema_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.avsc");
    std::fs::write(&path, "\"string\"").unwrap();
    let rules = toml(&format!("table = \"a.b\"\nformat = \"json\"\nschema_file = \"{}\"", path.display())).unwrap();
    assert!(matches!(&rules[0].options.value, Payload::Record(mapping) if mapping.schema.definition() == "\"string\""));
    let missing = problems(toml("table = \"a.b\"\nformat = \"avro\"\nschema_file = \"/none.avsc\""));
    assert!(missing.contains("the schema file /none.avsc cannot be read"), "{missing}");
}

#[test]
fn what_is_wrong_with_an_outbox_is_named() {
    for (lines, expected) in [
        ("", "bitacora.toml: [[source.outbox]] number 1: table is missing; add it, as database.table"),
        ("table = \"outbox\"", "bitacora.toml:6: source.outbox.table: \"outbox\" is not a table; write database.table"),
        (
            "tabel = \"a.b\"",
            "bitacora.toml:6: source.outbox.tabel is not a known key; the nearest known key is source.outbox.table",
        ),
        (
            "table = \"a.b\"\nfields = { id = \"${\" }\nschema = '\"int\"'",
            "bitacora.toml: [[source.outbox]] number 1: field id: \"${\" has a ${ without its }; close it",
        ),
        (
            "table = \"a.b\"\nfields = { id = [1] }",
            "bitacora.toml:7: source.outbox.fields: a name and a text each are expected",
        ),
        (
            "table = \"a.b\"\nfields = { id = \"x\" }",
            "bitacora.toml: [[source.outbox]] number 1: fields make a record, which needs a schema; add schema or \
            schema_file",
        ),
        (
            "table = \"a.b\"\nformat = \"avro\"",
            "bitacora.toml: [[source.outbox]] number 1: the format avro needs a schema; add schema or schema_file",
        ),
        (
            "table = \"a.b\"\nschema = '7'",
            "bitacora.toml: [[source.outbox]] number 1: the Avro schema cannot be used: 7 is no type; write an Avro \
            definition",
        ),
        (
            "table = \"a.b\"\ndead_letter_topic = \"d\"",
            "bitacora.toml: [[source.outbox]] number 1: dead_letter_topic has an effect only if on_error is \
            dead_letter; set that, or remove the topic",
        ),
        (
            "table = \"mysql.user\"",
            "bitacora.toml: the outbox table mysql.user is not captured; add it to the tables that are included",
        ),
    ] {
        assert_eq!(problems(toml(lines)), expected, "{lines}");
    }
    for (lines, expected) in [
        (
            "transforms.outbox.route.by.feld: x",
            "source.yaml:8: configs.transforms.outbox.route.by.feld is not a known key; the nearest known key is \
            transforms.outbox.route.by.field",
        ),
        (
            "transforms.outbox.predicate: p",
            "source.yaml:8: configs.transforms.outbox.predicate is not supported: predicates are not implemented yet; \
            bitacora.table names the one table; remove the key to go on without it",
        ),
        (
            "transforms.outbox.route.topic.regex: '('",
            "source.yaml: configs.transforms.outbox: \"(\" is no regular expression that can be used here: Opening \
            parenthesis without closing parenthesis",
        ),
        (
            "transforms.outbox.table.fields.additional.placement: 'p:partition'",
            "source.yaml: configs.transforms.outbox: \"p:partition\" places a column as the partition, but topics with \
            partitions are not supported; remove it",
        ),
        (
            "transforms.outbox.bitacora.format: text\ntransforms.outbox.table.expand.json.payload: true",
            "source.yaml: configs.transforms.outbox: table.expand.json.payload belongs to the format connect; the \
            format json sends documents as they are",
        ),
        (
            "json-with-envelope: true",
            "source.yaml: json-with-envelope is not implemented for outbox tables; leave it out, or set another format \
            of the outbox",
        ),
    ] {
        assert_eq!(problems(yaml(lines)), expected, "{lines}");
    }
}

/// A transform besides the router would still change the events.
#[test]
fn another_transform_beside_the_router_is_refused() {
    let text = YAML.replace("transforms: outbox", "transforms: outbox,unwrap");
    let message = problems(parse_pulsar_io(&text, "source.yaml", &none()));
    assert!(
        message.starts_with("source.yaml:6: configs.transforms is not supported: transforms other than"),
        "{message}"
    );
}
