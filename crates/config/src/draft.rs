//! A source's configuration while options are applied to it, and the checks that concern several options.

use std::path::PathBuf;

use bitacora_change::ValueFormat;
use bitacora_change::outbox::{OutboxTables, Payload};
use bitacora_pulsar::Auth;
use bitacora_source::{BuiltinDatabases, Error, Filter, FilterOptions, Secret, uncapitalized};

use super::columns::ColumnDraft;
use super::engine_config::BrokerConfig;
use super::large_rows::LargeRowDraft;
use super::outbox::OutboxDraft;
use super::source_config::{Destination, FileKind, SourceConfig, UnusedOption};

/// The values that options have set so far. The rows of the table of options write into it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) data_dir: PathBuf,
    pub(super) broker: BrokerConfig,
    pub(super) metrics: Option<String>,
    pub(super) source: SourceConfig,
    pub(super) tenant: String,
    pub(super) namespace: String,
    /// `tenant/namespace` of the topics, if set; otherwise the source's own.
    pub(super) topic_namespace: Option<String>,
    /// Replica id, if set.
    pub(super) server_id: Option<u32>,
    /// Service URL, if set.
    pub(super) url: Option<String>,
    /// Authentication plugin, if set.
    pub(super) auth_plugin: Option<String>,
    /// Credentials, if set.
    pub(super) auth_params: Option<Secret>,
    /// `destination.embedded`, if set.
    pub(super) embedded: Option<bool>,
    /// The four lists.
    pub(super) filter: FilterOptions,
    /// Rules for columns.
    pub(super) columns: ColumnDraft,
    /// The options for large rows.
    pub(super) large_rows: LargeRowDraft,
    /// `schemas.enable` of key and value converter.
    pub(super) schemas_enable: Option<bool>,
    /// The outbox whose options are being applied.
    pub(super) outbox: OutboxDraft,
}

impl Draft {
    pub(super) fn new(kind: FileKind) -> Self {
        Draft {
            data_dir: PathBuf::new(),
            broker: BrokerConfig::default(),
            metrics: None,
            source: SourceConfig::empty(kind),
            tenant: "public".into(),
            namespace: "default".into(),
            topic_namespace: None,
            server_id: None,
            url: None,
            auth_plugin: None,
            auth_params: None,
            embedded: None,
            filter: FilterOptions::default(),
            columns: ColumnDraft::default(),
            large_rows: LargeRowDraft::default(),
            schemas_enable: None,
            outbox: OutboxDraft::default(),
        }
    }

    /// Completes and checks what depends on several options, and returns the source; each error is one sentence.
    pub(super) fn finish(self) -> Result<SourceConfig, Vec<String>> {
        let mut problems = Vec::new();
        let mut source = self.source;
        source.topic_namespace = self.topic_namespace.unwrap_or(format!("{}/{}", self.tenant, self.namespace));
        source.server_id = self.server_id.unwrap_or_else(|| derived_server_id(&source.name, &source.topic_prefix));
        source.destination = match (self.url, self.embedded) {
            (Some(_), Some(true)) => {
                problems.push("destination.url and destination.embedded = true exclude each other; remove one".into());
                Destination::Embedded
            }
            (Some(url), _) => Destination::Pulsar { url },
            (None, Some(false)) => {
                problems.push("destination.embedded = false needs destination.url; add the Pulsar service URL".into());
                Destination::Embedded
            }
            (None, _) => Destination::Embedded,
        };
        match Auth::parse(self.auth_plugin.as_deref(), self.auth_params.as_ref().map(Secret::expose)) {
            Ok(auth) => source.auth = auth,
            Err(reason) => problems.push(format!("pulsar.auth.plugin and pulsar.auth.params: {reason}")),
        }
        // A source of a Pulsar IO file is never embedded: `localrun` names the Pulsar if the file does not.
        let is_embedded = source.destination == Destination::Embedded && source.file_kind == FileKind::Own;
        if is_embedded && (source.auth != Auth::None || source.tls_trust_certs_file.is_some()) {
            let reason = "the embedded broker has no authentication; add destination.url for another broker";
            source
                .unused
                .push(UnusedOption { key: "pulsar.auth.params, pulsar.tls.trust.certs.file.path".into(), reason });
        }
        match Filter::new(&self.filter) {
            Ok(filter) => source.filter = filter,
            Err(error) => problems.push(filter_reason(error)),
        }
        match self.columns.finish() {
            Ok(rules) => source.columns = rules,
            Err(reason) => problems.push(reason),
        }
        match self.large_rows.finish() {
            Ok(rows) => source.large_rows = rows,
            Err(reason) => problems.push(reason),
        }
        check_outboxes(&source, &mut problems);
        let tls = &source.server.tls;
        if tls.certificate_file.is_some() != tls.key_file.is_some() {
            problems.push(
                "a client certificate needs both database.ssl.cert and database.ssl.key; add the missing one".into(),
            );
        }
        if let Err(error) = tls.effective_mode() {
            problems.push(format!("{error}; {}", uncapitalized(&error.remedy())));
        }
        let enveloped = source.value_format == ValueFormat::JsonWithEnvelope;
        if self.schemas_enable.is_some_and(|enable| enable != enveloped) {
            problems.push(
                "value.converter.schemas.enable does not agree with json-with-envelope; set json-with-envelope only"
                    .into(),
            );
        }
        if source.retry.max_delay_ms < source.retry.initial_delay_ms {
            problems.push(format!(
                "errors.retry.delay.max.ms ({}) is less than errors.retry.delay.initial.ms ({}); raise it",
                source.retry.max_delay_ms, source.retry.initial_delay_ms
            ));
        }
        if problems.is_empty() { Ok(source) } else { Err(problems) }
    }
}

fn check_outboxes(source: &SourceConfig, problems: &mut Vec<String>) {
    for rule in &source.outboxes {
        if let OutboxTables::Named(name) = &rule.tables
            && !name.split_once('.').is_some_and(|(database, table)| source.filter.table(database, table))
        {
            problems.push(format!("the outbox table {name} is not captured; add it to the tables that are included"));
        }
        let is_connect = matches!(rule.options.value, Payload::Connect | Payload::Expanded(_));
        if is_connect && source.value_format == ValueFormat::JsonWithEnvelope {
            problems.push(
                "json-with-envelope is not implemented for outbox tables; leave it out, or set another format of the \
                outbox"
                    .into(),
            );
        }
    }
}

/// Checks one list by itself, so that the message can name its place.
pub(super) fn check_list(options: &FilterOptions) -> Result<(), String> {
    Filter::new(options).map(|_| ()).map_err(filter_reason)
}

fn filter_reason(error: Error) -> String {
    match error {
        Error::Filter { pattern, list, reason } => format!("{pattern} in {list} cannot be used ({reason})"),
        other => other.to_string(),
    }
}

/// Returns how the filter treats the server's own databases.
pub(super) fn builtin(ignore: bool) -> BuiltinDatabases {
    if ignore { BuiltinDatabases::Ignore } else { BuiltinDatabases::Capture }
}

/// Returns a replica id that stays the same for a source and is probably unique: FNV-1a of name and prefix, in the
/// upper half of the range, which people seldom use for servers.
fn derived_server_id(name: &str, prefix: &str) -> u32 {
    let hash = [name, "\n", prefix]
        .iter()
        .flat_map(|part| part.bytes())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash | 0x8000_0000
}
