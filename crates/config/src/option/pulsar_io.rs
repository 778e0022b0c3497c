//! Options for the name and the destination of a source, and the top level of a Pulsar IO file.

use super::spec::{Effect, OptionSpec};

const ONE_RUNNER: &str = "one process runs a source, with its own resources";
const SCHEMAS: &str = "producers and their schemas follow from the tables";

/// Options for the destination.
pub(super) const DESTINATION: &[OptionSpec] = &[
    OptionSpec::new(
        "pulsar.service.url",
        Effect::Text(|draft, text| url(text).map(|text| draft.url = Some(text))),
        "Pulsar to deliver to. Without it: the embedded broker.",
    )
    .toml(&["destination.url"]),
    OptionSpec::new(
        "pulsar.auth.plugin",
        Effect::Text(|draft, text| {
            draft.auth_plugin = Some(text);
            Ok(())
        }),
        "How the source authenticates itself: `token` or `basic`, or the class names of Pulsar's client for them; \
        `token` if only the parameters are set.",
    )
    .toml(&["destination.auth_plugin"]),
    OptionSpec::new(
        "pulsar.auth.params",
        Effect::Secret(|draft, secret| draft.auth_params = Some(secret)),
        "Credentials as Pulsar's tools take them: `token:…` or `file:///path` for a token, \
        `{\"userId\":\"…\",\"password\":\"…\"}` for basic.",
    )
    .toml(&["destination.auth_params"]),
    OptionSpec::new(
        "pulsar.tls.trust.certs.file.path",
        Effect::Path(|draft, path| draft.source.tls_trust_certs_file = Some(path)),
        "PEM file of the authorities that may have signed the certificate of a `pulsar+ssl` broker. Without it: the \
        public ones.",
    )
    .toml(&["destination.tls_trust_certs_file_path"]),
];

/// Options that only our own file has.
pub(super) const OWN: &[OptionSpec] = &[
    OptionSpec::new(
        "source.name",
        Effect::Text(|draft, text| name(text).map(|text| draft.source.name = text)),
        "Name of the source; unique, it is part of the producers' names.",
    )
    .toml(&["name"])
    .required(),
    OptionSpec::new(
        "destination.embedded",
        Effect::Boolean(|draft, embedded| draft.embedded = Some(embedded)),
        "Delivers into the broker of this process, as also happens without a URL.",
    )
    .toml(&["destination.embedded"]),
];

/// Pulsar's own keys beside `configs`.
pub(super) const TOP_LEVEL: &[OptionSpec] = &[
    OptionSpec::new(
        "tenant",
        Effect::Text(|draft, text| name(text).map(|text| draft.tenant = text)),
        "Tenant of the source, and of its topics unless `topic.namespace` is set.",
    )
    .default("public"),
    OptionSpec::new(
        "namespace",
        Effect::Text(|draft, text| name(text).map(|text| draft.namespace = text)),
        "Namespace of the source, and of its topics unless `topic.namespace` is set.",
    )
    .default("default"),
    OptionSpec::new(
        "name",
        Effect::Text(|draft, text| name(text).map(|text| draft.source.name = text)),
        "Name of the source; it is part of the producers' names.",
    )
    .required(),
    OptionSpec::unused("className", "one program reads all servers"),
    OptionSpec::unused("archive", "one program reads all servers"),
    OptionSpec::unused("sourceType", "one program reads all servers"),
    OptionSpec::unused("parallelism", ONE_RUNNER),
    OptionSpec::unused("inputs", "a source reads a database, not topics"),
    OptionSpec::unused("topicName", "each table has its own topic; the destination topic stays empty"),
    OptionSpec::unused("producerConfig", SCHEMAS),
    OptionSpec::unused("serdeClassName", SCHEMAS),
    OptionSpec::unused("schemaType", SCHEMAS),
    OptionSpec::unused("batchBuilder", SCHEMAS),
    OptionSpec::unused("processingGuarantees", "every event is delivered once"),
    OptionSpec::unused("resources", ONE_RUNNER),
    OptionSpec::unused("runtimeFlags", ONE_RUNNER),
    OptionSpec::unused("customRuntimeOptions", ONE_RUNNER),
    OptionSpec::unused("logTopic", "logs go to standard error"),
    OptionSpec::refused(
        "secrets",
        &[],
        "there is no secrets provider; write ${env:NAME} or ${file:/path} as the value",
    ),
    OptionSpec::refused("batchSourceConfig", &[], "a Debezium source is no batch source"),
];

fn name(text: String) -> Result<String, String> {
    let valid = !text.is_empty()
        && text.len() <= 200
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if valid { Ok(text) } else { Err(format!("{text:?} is not a name; use letters, digits, '.', '_' and '-'")) }
}

fn url(text: String) -> Result<String, String> {
    let valid = ["pulsar://", "pulsar+ssl://"]
        .iter()
        .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if valid { Ok(text) } else { Err(format!("{text:?} is not a Pulsar service URL; write pulsar://host:6650")) }
}
