use super::*;

const TWO: &str = r#"
data_dir = "/data"

[broker]
listen = "0.0.0.0:6650"
http_names = ["broker", "admin.example:8080"]

[[source]]
name = "shop"
topic_prefix = "shop"
snapshot = "no_data"
tombstones = false

[source.server]
host = "db1"
port = 3307
user = "u"
password = "${env:SHOP}"
id = 7

[source.server.tls]
mode = "verify_identity"
ca = "/ca.pem"

[source.tables]
include = ["shop.orders", 'shop\.c.*']

[[source]]
name = "crm"
connector = "mariadb"
form = "1.9"
topic_prefix = "crm"
namespace = "acme/cdc"
server = { host = "db2", user = "v" }
[source.destination]
url = "pulsar+ssl://broker:6651"
auth_params = "token:${env:CRM_TOKEN}"
tls_trust_certs_file_path = "/pulsar-ca.pem"
"#;

const ONE: &str = "[[source]]\nname = \"s\"\ntopic_prefix = \"p\"\nserver = { host = \"h\", user = \"u\" }\n";

fn parse(text: &str) -> Result<EngineConfig, ConfigError> {
    parse_toml_config(text, "bitacora.toml", &none())
}

#[test]
fn two_sources() {
    let environment = Environment::of([
        ("SHOP", "s3cr3t"),
        ("CRM_TOKEN", "ey.J.x"),
        ("BITACORA_CRM_DATABASE_PORT", "13306"),
        ("BITACORA_BROKER_HTTP", "[::1]:0"),
    ]);
    let config = parse_toml_config(TWO, "bitacora.toml", &environment).unwrap();
    assert_eq!(config.data_dir, Path::new("/data"));
    assert_eq!(
        config.broker,
        Some(BrokerConfig {
            max_message_size: 5_242_880,
            listen: "0.0.0.0:6650".into(),
            http: "[::1]:0".into(),
            http_names: vec!["broker".into(), "admin.example:8080".into()],
            allow_remote: false,
            schema_compatibility_strategy: "FULL".into()
        })
    );
    assert!(config.notes.is_empty(), "{:?}", config.notes);
    let [shop, crm] = config.sources.as_slice() else { panic!("two sources expected") };
    assert_eq!((shop.name.as_str(), shop.file_kind, shop.form), ("shop", FileKind::Own, DebeziumForm::V3_6));
    assert_eq!((shop.server.host.as_str(), shop.server.port, shop.server_id), ("db1", 3307, 7));
    assert_eq!(shop.server.password.expose(), "s3cr3t");
    assert_eq!(shop.server.tls.mode, TlsMode::VerifyIdentity);
    assert_eq!(shop.server.tls.ca_file.as_deref(), Some(Path::new("/ca.pem")));
    assert_eq!((shop.snapshot.mode, shop.tombstones_on_delete), (SnapshotMode::NoData, false));
    assert!(!shop.replace_null_with_default);
    assert!(shop.filter.table("shop", "orders") && shop.filter.table("shop", "customers"));
    assert!(!shop.filter.table("shop", "internal"));
    assert_eq!((shop.destination.clone(), shop.topic_namespace.as_str()), (Destination::Embedded, "public/default"));
    assert_eq!((crm.connector, crm.form, crm.server.port), (Connector::Mariadb, DebeziumForm::V1_9, 13306));
    assert_eq!(crm.topic_namespace, "acme/cdc");
    assert_eq!(crm.destination, Destination::Pulsar { url: "pulsar+ssl://broker:6651".into() });
    assert_eq!((&crm.auth, &shop.auth), (&bitacora_pulsar::Auth::Token("ey.J.x".into()), &bitacora_pulsar::Auth::None));
    assert_eq!(crm.tls_trust_certs_file.as_deref(), Some(Path::new("/pulsar-ca.pem")));
    assert!(!format!("{crm:?}").contains("ey.J.x"));
    assert!(crm.tombstones_on_delete);
}

#[test]
fn small_file_has_defaults_and_an_embedded_broker() {
    let config = parse(ONE).unwrap();
    assert_eq!(
        config.broker,
        Some(BrokerConfig {
            max_message_size: 5_242_880,
            listen: "127.0.0.1:6650".into(),
            http: "127.0.0.1:8080".into(),
            http_names: Vec::new(),
            allow_remote: false,
            schema_compatibility_strategy: "FULL".into()
        })
    );
    assert_eq!(config.data_dir, Path::new("./bitacora-data"));
    assert_eq!(config.sources[0].server.port, 3306);
    let away = parse(&format!("{ONE}destination.url = \"pulsar://x:1\"\n")).unwrap();
    assert_eq!(away.broker, None);
    let broker = parse("[broker]\n").unwrap();
    assert!(broker.broker.is_some() && broker.sources.is_empty());
}

#[test]
fn single_source_is_overridden_without_its_name() {
    let environment = Environment::of([("BITACORA_DATABASE_PORT", "1")]);
    assert_eq!(parse_toml_config(ONE, "bitacora.toml", &environment).unwrap().sources[0].server.port, 1);
}

#[test]
fn strict_with_file_line_and_path() {
    for (text, expected) in [
        ("dat_dir = 1\n", "bitacora.toml:1: dat_dir is not a known key; the nearest known key is data_dir"),
        (
            "[broker]\nlisten_ = 1\n",
            "bitacora.toml:2: broker.listen_ is not a known key; the nearest known key is broker.listen",
        ),
        ("[brokr]\nlisten = 1\n", "bitacora.toml:1: brokr is not a known key; the nearest known key is broker"),
        (
            "[broker]\nlisten = \"x\"\n",
            "bitacora.toml:2: broker.listen: x is not an address; write host:port, as 127.0.0.1:6650",
        ),
        ("a = \n", "bitacora.toml:1: "),
        ("source = 1\n", "bitacora.toml:1: source: a source is a table; write [[source]] and its keys below"),
    ] {
        let message = problems(parse(text));
        assert!(message.starts_with(expected), "{message}");
    }
    for (line, expected) in [
        ("server.hots = 1", "source.server.hots is not a known key; the nearest known key is source.server.host"),
        ("snapshot = \"x\"", "source.snapshot: \"x\" is not one of initial"),
        ("form = 2.0", "source.form: \"2.0\" is not one of 1.9, 3.6"),
        (
            "destination = { urll = \"x\" }",
            "source.destination.urll is not a known key; the nearest known key is source.destination.url",
        ),
    ] {
        let text = ONE.replace("server = { host = \"h\", user = \"u\" }", "server.host = \"h\"\nserver.user = \"u\"");
        let message = problems(parse(&format!("{text}{line}\n")));
        assert!(message.starts_with(&format!("bitacora.toml:6: {expected}")), "{message}");
    }
}

#[test]
fn missing_and_contradicting() {
    assert_eq!(
        problems(parse("[[source]]\nname = \"a\"\n")).lines().next(),
        Some("bitacora.toml: source.server.host is missing; add it to the file")
    );
    let twice = problems(parse(&format!("{ONE}{ONE}")));
    assert_eq!(twice, "bitacora.toml: two sources are named s; give each its own name");
    let both = problems(parse(&format!("{ONE}destination = {{ url = \"pulsar://x\", embedded = true }}\n")));
    assert!(both.contains("exclude each other"), "{both}");
    let nobody = parse(&format!("{ONE}destination = {{ auth_params = \"token:s3cr3t\" }}\n")).unwrap();
    let nobody = nobody.sources[0].unused_notice().unwrap();
    assert!(nobody.contains("add destination.url") && !nobody.contains("s3cr3t"), "{nobody}");
    let unknown = "destination = { url = \"pulsar://x\", auth_plugin = \"kerberos\", auth_params = \"s3cr3t\" }";
    let unknown = problems(parse(&format!("{ONE}{unknown}\n")));
    assert!(unknown.contains("kerberos is not known; use token or basic") && !unknown.contains("s3cr3t"), "{unknown}");
    let second =
        problems(parse(&format!("{ONE}[[source]]\nname = \"t\"\ntopic_prefix = \"p\"\nserver.user = \"u\"\n")));
    assert_eq!(second, "bitacora.toml: source.server.host of [[source]] number 2 is missing; add it to the file");
}
