//! Options for the process: its data folder, and the addresses of the embedded broker and of the metrics.

use super::spec::{Choice, Effect, OptionSpec};

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "data.dir",
        Effect::Path(|draft, path| draft.data_dir = path),
        "Folder of everything durable: checkpoints, and the embedded broker's log.",
    )
    .toml(&["data_dir", "broker.data_dir"])
    .default("./bitacora-data"),
    OptionSpec::new(
        "broker.listen",
        Effect::Text(|draft, text| super::connection::host_and_port(text).map(|text| draft.broker.listen = text)),
        "Address of Pulsar's binary protocol, host:port.",
    )
    .toml(&["broker.listen"])
    .default("127.0.0.1:6650"),
    OptionSpec::new(
        "broker.http",
        Effect::Text(|draft, text| super::connection::host_and_port(text).map(|text| draft.broker.http = text)),
        "Address of the admin REST, host:port.",
    )
    .toml(&["broker.http"])
    .default("127.0.0.1:8080"),
    OptionSpec::new(
        "broker.http.names",
        Effect::Names(|draft, names| {
            draft.broker.http_names = names;
            Ok(())
        }),
        "Host names under which the admin REST accepts requests, besides `localhost` and addresses, such as \
        `broker.example` or `broker.example:8080`. Requests under other names, and from web pages of other hosts, are \
        refused.",
    )
    .toml(&["broker.http_names"]),
    OptionSpec::new(
        "broker.allow.remote",
        Effect::Boolean(|draft, allow| draft.broker.allow_remote = allow),
        "Whether the addresses may be reachable from other machines; the broker has no authentication and no TLS.",
    )
    .toml(&["broker.allow_remote"])
    .default("false"),
    OptionSpec::new(
        "broker.schema.compatibility.strategy",
        Effect::Choice(&[
            Choice::new("FULL", |draft| draft.broker.schema_compatibility_strategy = "FULL".into()),
            Choice::new("BACKWARD", |draft| draft.broker.schema_compatibility_strategy = "BACKWARD".into()),
            Choice::new("FORWARD", |draft| draft.broker.schema_compatibility_strategy = "FORWARD".into()),
            Choice::new("FULL_TRANSITIVE", |draft| {
                draft.broker.schema_compatibility_strategy = "FULL_TRANSITIVE".into();
            }),
            Choice::new("BACKWARD_TRANSITIVE", |draft| {
                draft.broker.schema_compatibility_strategy = "BACKWARD_TRANSITIVE".into();
            }),
            Choice::new("FORWARD_TRANSITIVE", |draft| {
                draft.broker.schema_compatibility_strategy = "FORWARD_TRANSITIVE".into();
            }),
            Choice::new("ALWAYS_COMPATIBLE", |draft| {
                draft.broker.schema_compatibility_strategy = "ALWAYS_COMPATIBLE".into();
            }),
            Choice::new("ALWAYS_INCOMPATIBLE", |draft| {
                draft.broker.schema_compatibility_strategy = "ALWAYS_INCOMPATIBLE".into();
            }),
        ]),
        "How a topic's schema may change if the policy of its namespace does not say; `ALWAYS_COMPATIBLE` accepts \
        every `ALTER TABLE`.",
    )
    .toml(&["broker.schema_compatibility_strategy"])
    .default("FULL"),
    OptionSpec::new(
        "broker.max.message.size",
        Effect::Integer {
            min: 65_536,
            max: 134_217_728,
            set: |draft, number| draft.broker.max_message_size = u32::try_from(number).unwrap_or(u32::MAX),
        },
        "Largest entry that clients may send, in bytes (Pulsar's `maxMessageSize`); the broker announces it to them. \
        Larger rows travel in chunks. A consumer cannot read an entry that is larger than the announced size, so do \
        not lower it below the size of stored entries.",
    )
    .toml(&["broker.max_message_size"])
    .default("5242880"),
    OptionSpec::new(
        "metrics.listen",
        Effect::Text(|draft, text| super::connection::host_and_port(text).map(|text| draft.metrics = Some(text))),
        "Address of /metrics with the figures of the sources, host:port; the embedded broker's admin REST has them \
        too.",
    )
    .toml(&["metrics.listen"]),
];
