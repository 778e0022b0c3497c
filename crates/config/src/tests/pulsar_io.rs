use super::*;

const TUTORIAL: &str = r#"
tenant: "public"
namespace: "default"
name: "debezium-mysql-source"
topicName: "debezium-mysql-topic"
inputs: [ "debezium-mysql-topic" ]
archive: "connectors/pulsar-io-debezium-mysql-4.0.8.nar"
parallelism: 1
configs:
    database.hostname: "localhost"
    database.port: "3306"
    database.user: "debezium"
    database.password: "dbz"
    database.allowPublicKeyRetrieval: "true"
    database.server.id: "534523"
    database.server.name: "aeroalpesdb"
    database.whitelist: "reservas"
    database.history: "org.apache.pulsar.io.debezium.PulsarDatabaseHistory"
    database.history.pulsar.topic: "history-topic"
    database.history.pulsar.service.url: "pulsar://127.0.0.1:6650"
    key.converter: "org.apache.kafka.connect.json.JsonConverter"
    value.converter: "org.apache.kafka.connect.json.JsonConverter"
    pulsar.service.url: "pulsar://127.0.0.1:6650"
    offset.storage.topic: "offset-topic"
"#;

const SHORT: &str = "name: s\nconfigs:\n  database.hostname: h\n  database.user: u\n  topic.prefix: p\n";

fn parse(text: &str) -> Result<EngineConfig, ConfigError> {
    parse_pulsar_io(text, "source.yaml", &none())
}

fn short_with(lines: &str) -> Result<EngineConfig, ConfigError> {
    parse(&format!("{SHORT}{lines}\n"))
}

fn source_with(lines: &str) -> SourceConfig {
    short_with(lines).unwrap().sources.remove(0)
}

#[test]
fn tutorial_runs_unchanged() {
    let config = parse(TUTORIAL).unwrap();
    assert!(config.broker.is_none() && config.notes.is_empty());
    assert_eq!(config.data_dir, Path::new("./bitacora-data"));
    let [source] = config.sources.as_slice() else { panic!("one source expected") };
    assert_eq!(source.name, "debezium-mysql-source");
    assert_eq!(
        (source.file_kind, source.connector, source.form),
        (FileKind::PulsarIo, Connector::Mysql, DebeziumForm::V1_9)
    );
    let server = &source.server;
    assert_eq!((server.host.as_str(), server.port, server.user.as_str()), ("localhost", 3306, "debezium"));
    assert_eq!((server.password.expose(), source.server_id), ("dbz", 534_523));
    let public_key_retrieval = PublicKeyRetrieval::Allowed;
    assert_eq!(server.tls, Tls { mode: TlsMode::Preferred, public_key_retrieval, ..Tls::default() });
    assert_eq!((server.connect_timeout_ms, source.keep_alive_interval_ms), (30_000, 60_000));
    assert_eq!((source.topic_prefix.as_str(), source.topic_namespace.as_str()), ("aeroalpesdb", "public/default"));
    assert_eq!(source.value_format, ValueFormat::Json);
    assert!(source.replace_null_with_default && source.include_schema_changes && !source.include_query);
    assert!(!source.tombstones_on_delete, "Pulsar IO never sends tombstones");
    assert_eq!(source.snapshot, SnapshotSettings { mode: SnapshotMode::Initial, lock_timeout_ms: 1_000 });
    assert_eq!(source.retry, RetrySettings { max_retries: None, initial_delay_ms: 300, max_delay_ms: 10_000 });
    assert_eq!(source.destination, Destination::Pulsar { url: "pulsar://127.0.0.1:6650".into() });
    assert!(source.filter.table("reservas", "usuarios_legado"));
    assert!(!source.filter.table("otra", "usuarios_legado"));
    let unused: Vec<&str> = source.unused.iter().map(|option| option.key.as_str()).collect();
    assert_eq!(
        unused,
        [
            "topicName",
            "inputs",
            "archive",
            "parallelism",
            "database.history",
            "database.history.pulsar.topic",
            "database.history.pulsar.service.url",
            "offset.storage.topic"
        ]
    );
    let notice = source.unused_notice().unwrap();
    assert!(notice.contains("database.history (table schemas come from the binlog itself"), "{notice}");
}

#[test]
fn numbers_and_booleans_need_no_quotes() {
    let source = source_with(
        "  database.port: 13306\n  tombstones.on.delete: true\n  database.password: 0123\n  json-with-envelope: TRUE",
    );
    assert_eq!((source.server.port, source.server.password.expose()), (13306, "0123"));
    assert!(source.tombstones_on_delete);
    assert_eq!(source.value_format, ValueFormat::JsonWithEnvelope);
}

#[test]
fn old_and_new_names_are_the_same_option() {
    for (old, new, value) in [
        ("database.whitelist", "database.include.list", "a,b"),
        ("database.blacklist", "database.exclude.list", "a,b"),
        ("table.whitelist", "table.include.list", "a\\.x"),
        ("table.blacklist", "table.exclude.list", "a\\.x"),
    ] {
        let of = |key: &str| {
            let capture = source_with(&format!("  {key}: '{value}'")).filter;
            format!("{capture:?}")
        };
        assert_eq!(of(old), of(new));
        let both = problems(short_with(&format!("  {old}: a\n  {new}: b")));
        assert_eq!(
            both,
            format!(
                "source.yaml:7: configs.{new} sets {new} again, after source.yaml:6: configs.{old}; remove one of them"
            )
        );
    }
}

#[test]
fn misspelt_keys_name_the_nearest_with_file_line_and_path() {
    for (line, expected) in [
        (
            "  database.hostnam: h",
            "source.yaml:6: configs.database.hostnam is not a known key; the nearest known key is database.hostname",
        ),
        (
            "  table.includelist: h",
            "source.yaml:6: configs.table.includelist is not a known key; the nearest known key is table.include.list",
        ),
        ("paralellism: 1", "source.yaml:6: paralellism is not a known key; the nearest known key is parallelism"),
        ("config: {}", "source.yaml:6: config is not a known key; the nearest known key is configs"),
    ] {
        assert_eq!(problems(short_with(line)), expected);
    }
}

#[test]
fn wrong_values_name_the_allowed_ones() {
    for (line, expected) in [
        ("database.port: 70000", "\"70000\" is not a whole number from 1 to 65535"),
        ("database.port: -1", "\"-1\" is not a whole number from 1 to 65535"),
        ("tombstones.on.delete: yes", "\"yes\" is not true or false"),
        (
            "snapshot.mode: sometimes",
            "\"sometimes\" is not one of initial, initial_only, no_data, always, when_needed, never",
        ),
        ("database.ssl.mode: on", "\"on\" is not one of disabled, preferred, required, verify_ca, verify_identity"),
        ("database.port: [1, 2]", "one value is expected: a whole number from 1 to 65535"),
        ("database.port:", "one value is expected: a whole number from 1 to 65535"),
        (
            "table.include.list: 'a(b'",
            "a(b in table.include.list cannot be used (Opening parenthesis without closing parenthesis)",
        ),
        ("topic.namespace: public", "\"public\" is not a namespace; write tenant/namespace, as public/default"),
        ("pulsar.service.url: 'http://x'", "\"http://x\" is not a Pulsar service URL; write pulsar://host:6650"),
        ("errors.max.retries: many", "\"many\" is not a number of tries; write a whole number, or -1 for no end"),
    ] {
        let (key, _) = line.split_once(':').unwrap();
        assert_eq!(problems(short_with(&format!("  {line}"))), format!("source.yaml:6: configs.{key}: {expected}"));
    }
}

#[test]
fn what_would_change_the_events_is_refused() {
    for line in [
        "transforms: unwrap",
        "transforms.unwrap.type: io.debezium.transforms.ExtractNewRecordState",
        "predicates: p",
        "converters: boolean",
        "message.key.columns: shop.users:email",
        "time.precision.mode: connect",
        "decimal.handling.mode: string",
        "value.converter: io.confluent.connect.avro.AvroConverter",
        "key.converter: org.apache.kafka.connect.storage.StringConverter",
        "skipped.operations: d",
        "provide.transaction.metadata: true",
        "signal.data.collection: shop.signals",
        "snapshot.select.statement.overrides.shop.users: SELECT 1",
        "database.ssl.truststore: /etc/store.jks",
        "driver.sslMode: VERIFY_CA",
        "driver.trustCertificateKeyStoreUrl: file:/etc/store.jks",
    ] {
        let (key, _) = line.split_once(':').unwrap();
        let message = problems(short_with(&format!("  {line}")));
        assert!(message.starts_with(&format!("source.yaml:6: configs.{key} is not supported: ")), "{message}");
        assert!(message.ends_with("remove the key to go on without it"), "{message}");
    }
}

#[test]
fn defaults_of_refused_options_are_accepted() {
    let source = source_with(
        "  time.precision.mode: adaptive_time_microseconds\n  decimal.handling.mode: precise\n  \
         skipped.operations: t\n  \
         provide.transaction.metadata: false\n  transforms: ''",
    );
    assert!(source.unused.is_empty());
}

#[test]
fn snapshot_modes_and_tls_modes_of_both_connectors() {
    for (word, mode) in [
        ("initial", SnapshotMode::Initial),
        ("INITIAL", SnapshotMode::Initial),
        ("initial_only", SnapshotMode::InitialOnly),
        ("no_data", SnapshotMode::NoData),
        ("schema_only", SnapshotMode::NoData),
        ("always", SnapshotMode::Always),
        ("when_needed", SnapshotMode::WhenNeeded),
        ("never", SnapshotMode::Never),
    ] {
        assert_eq!(source_with(&format!("  snapshot.mode: {word}")).snapshot.mode, mode);
    }
    for (word, mode) in [
        ("disabled", TlsMode::Disabled),
        ("disable", TlsMode::Disabled),
        ("preferred", TlsMode::Preferred),
        ("required", TlsMode::Required),
        ("trust", TlsMode::Required),
        ("verify_ca", TlsMode::VerifyCa),
        ("verify-ca", TlsMode::VerifyCa),
        ("verify_identity", TlsMode::VerifyIdentity),
        ("verify-full", TlsMode::VerifyIdentity),
    ] {
        assert_eq!(source_with(&format!("  database.ssl.mode: {word}")).server.tls.mode, mode);
    }
    for (word, retrieval) in [("true", PublicKeyRetrieval::Allowed), ("false", PublicKeyRetrieval::Refused)] {
        for key in ["database.allowPublicKeyRetrieval", "driver.allowPublicKeyRetrieval"] {
            assert_eq!(source_with(&format!("  {key}: {word}")).server.tls.public_key_retrieval, retrieval);
        }
    }
}

#[test]
fn environment_overrides_every_key_of_configs() {
    let environment = Environment::of([
        ("BITACORA_DATABASE_PASSWORD", "from-env"),
        ("BITACORA_DATABASE_WHITELIST", "otra"),
        ("BITACORA_JSON_WITH_ENVELOPE", "true"),
        ("BITACORA_DATA_DIR", "/var/lib/bitacora"),
        ("BITACORA_DATABASE_HOSTNAM", "typo"),
        ("BITACORA_LOG", "debug"),
    ]);
    let config = parse_pulsar_io(TUTORIAL, "source.yaml", &environment).unwrap();
    let source = &config.sources[0];
    assert_eq!(source.server.password.expose(), "from-env");
    assert!(source.filter.database("otra") && !source.filter.database("reservas"));
    assert_eq!(source.value_format, ValueFormat::JsonWithEnvelope);
    assert_eq!(config.data_dir, Path::new("/var/lib/bitacora"));
    assert_eq!(
        config.notes,
        ["environment variable BITACORA_DATABASE_HOSTNAM overrides nothing; the nearest known one is \
            BITACORA_DATABASE_HOSTNAME"]
    );
    let wrong = Environment::of([("BITACORA_DATABASE_PORT", "x")]);
    assert_eq!(
        problems(parse_pulsar_io(TUTORIAL, "source.yaml", &wrong)),
        "environment variable BITACORA_DATABASE_PORT: \"x\" is not a whole number from 1 to 65535"
    );
}

#[test]
fn secrets_come_from_environment_or_file_and_never_show() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "pässwörd\n").unwrap();
    for (value, expected) in [
        ("${env:DB}".to_owned(), "s3cr3t"),
        (format!("${{file:{}}}", path.display()), "pässwörd"),
        ("pa${ss".to_owned(), "pa${ss"),
    ] {
        let text = format!("{SHORT}  database.password: '{value}'\n");
        let config = parse_pulsar_io(&text, "source.yaml", &Environment::of([("DB", "s3cr3t")])).unwrap();
        assert_eq!(config.sources[0].server.password.expose(), expected);
        let shown = format!("{config:?} {}", config.sources[0].server.address());
        assert!(!shown.contains(expected), "{shown}");
    }
    let message = problems(parse(&format!("{SHORT}  database.password: [s3cr3t]\n")));
    assert!(!message.contains("s3cr3t"), "{message}");
    let message = problems(parse(&format!("{SHORT}  database.password: '${{env:NOT_SET}}'\n")));
    assert_eq!(
        message,
        "source.yaml:6: configs.database.password: the environment variable NOT_SET is not set; set it"
    );
}

#[test]
fn all_problems_at_once() {
    let message = problems(parse("tenan: x\nconfigs:\n  database.port: x\n  database.pasword: s3cr3t\n"));
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(
        lines,
        [
            "source.yaml:1: tenan is not a known key; the nearest known key is tenant",
            "source.yaml:4: configs.database.pasword is not a known key; the nearest known key is database.password",
            "source.yaml: name is missing; add it to the file",
            "source.yaml: configs.database.hostname is missing; add it to the file",
            "source.yaml: configs.database.user is missing; add it to the file",
            "source.yaml: configs.topic.prefix is missing; add it to the file",
            "source.yaml:3: configs.database.port: \"x\" is not a whole number from 1 to 65535",
        ]
    );
}

#[test]
fn options_that_do_not_fit_together() {
    for (lines, expected) in [
        ("  table.include.list: a\n  table.exclude.list: b", "table.include.list is given too; give one of the two"),
        ("  database.ssl.cert: /c.pem", "needs both database.ssl.cert and database.ssl.key"),
        (
            "  database.ssl.mode: disabled\n  database.ssl.ca: /ca.pem",
            "The CA file /ca.pem is named, but the TLS mode `disabled` checks no certificate; set the TLS mode to \
            verify_ca",
        ),
        ("  value.converter.schemas.enable: true", "does not agree with json-with-envelope"),
        ("  errors.retry.delay.max.ms: 10", "is less than"),
    ] {
        let message = problems(short_with(lines));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn namespaces() {
    let text = SHORT.replace("name: s", "name: s\ntenant: acme\nnamespace: cdc");
    assert_eq!(parse(&text).unwrap().sources[0].topic_namespace, "acme/cdc");
    assert_eq!(parse(&format!("{text}  topic.namespace: a/b\n")).unwrap().sources[0].topic_namespace, "a/b");
}

#[test]
fn mariadb_connector_and_derived_server_id() {
    let source = source_with("  connector.class: io.debezium.connector.mariadb.MariaDbConnector");
    assert_eq!(source.connector, Connector::Mariadb);
    assert!(source.server_id >= 0x8000_0000);
    assert_eq!(source.server_id, source_with("").server_id);
    assert_eq!(source.destination, Destination::Embedded);
    assert!(
        problems(short_with("  connector.class: io.debezium.connector.postgresql.PostgresConnector"))
            .contains("not one of")
    );
}

#[test]
fn files_that_are_no_yaml() {
    for (text, expected) in [
        ("a: [1\n", "source.yaml:"),
        ("- a\n", "the file must hold keys and values"),
        ("a: *x\n", "source.yaml:1"),
        ("a: &x 1\nb: *x\n", "aliases"),
        ("name: a\n---\nname: b\n", "more than one document"),
        ("configs: 7\n", "Debezium's keys are expected below it"),
    ] {
        let message = problems(parse(text));
        assert!(message.contains(expected), "{text:?}: {message}");
    }
    assert!(problems(parse(&"[".repeat(10_000))).contains("source.yaml:1"));
    assert!(
        problems(load_pulsar_io(Path::new("/does/not/exist.yaml"), &none()))
            .contains("/does/not/exist.yaml cannot be read")
    );
}
