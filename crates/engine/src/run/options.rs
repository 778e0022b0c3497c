//! A source's configuration in the terms of the rooms below.

use std::path::Path;
use std::time::Duration;

use bitacora_change::{NullWithDefault, PlanOptions, Tombstones};
use bitacora_source::LogPlace;
use bitacora_source::check::{CheckOptions, SnapshotPlanned};
use bitacora_source::replication::{Backoff, BackoffOptions, ReplicaOptions};
use uuid::{Uuid, uuid};

use super::life::Life;
use crate::notices::Notices;
use crate::pipeline::core::{CoreOptions, RowRules, SchemaChanges, Statements};
use crate::pipeline::proofs::Proofs;
use bitacora_config::SourceConfig;

/// Interval at which the checkpoint is stored. Transaction ends are noted at half of it, so each store has a new one.
pub(super) const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// How long a source that was asked to end waits for the receipts of what it has sent.
pub(super) const DRAIN_LIMIT: Duration = Duration::from_secs(15);

/// Pauses between tries.
pub(super) struct Pauses(Backoff);

impl Pauses {
    /// Returns the pause before the next try; `None` if the tries are used up.
    pub(super) fn next(&mut self) -> Option<Duration> {
        self.0.next_pause_ms(1.0).map(Duration::from_millis)
    }
}

impl Life {
    pub(super) fn backoff(&self) -> Pauses {
        Pauses(Backoff::new(backoff_options(&self.config)))
    }
}

/// Returns the options with which plans are compiled.
pub(super) fn plan_options(config: &SourceConfig) -> PlanOptions {
    PlanOptions {
        connector: config.connector,
        form: config.form,
        topic_prefix: config.topic_prefix.clone(),
        value_format: config.value_format,
        tombstones: if config.tombstones_on_delete { Tombstones::Emit } else { Tombstones::Omit },
        null_with_default: if config.replace_null_with_default {
            NullWithDefault::Replace
        } else {
            NullWithDefault::Keep
        },
        columns: config.columns.clone(),
        topic_collision: config.topic_collision,
    }
}

/// Returns the rules for rows: which are captured, and how they become messages.
pub(super) fn row_rules(config: &SourceConfig, notices: &Notices) -> RowRules {
    RowRules {
        plan: plan_options(config),
        filter: config.filter.clone(),
        outboxes: config.outboxes.clone(),
        large_rows: config.large_rows.clone(),
        open_topics_max: config.open_topics_max,
        notices: notices.clone(),
    }
}

/// Returns the options of the pipeline's core.
pub(super) fn core_options(config: &SourceConfig, notices: &Notices, proofs: &Proofs) -> CoreOptions {
    CoreOptions {
        server: config.server.address(),
        rows: row_rules(config, notices),
        schema_changes: if config.include_schema_changes { SchemaChanges::Publish } else { SchemaChanges::Follow },
        statements: if config.include_query { Statements::Include } else { Statements::Omit },
        proofs: proofs.clone(),
        checkpoint_interval_us: i64::try_from(CHECKPOINT_INTERVAL.as_micros()).unwrap_or(i64::MAX) / 2,
    }
}

/// Returns the options of the checks before the source starts.
pub(super) fn check_options(
    config: &SourceConfig,
    replica: &ReplicaOptions,
    position: Option<LogPlace>,
) -> CheckOptions {
    CheckOptions {
        server_id: config.server_id,
        replica_uuid: replica.replica_uuid.clone(),
        filter: config.filter.clone(),
        snapshot: if position.is_none() { SnapshotPlanned::Yes } else { SnapshotPlanned::No },
        position,
    }
}

/// Returns how the source registers as a replica. Its identity is the same at every start; otherwise the server would
/// take a new connection for a second replica with the same id, and refuse it.
pub(super) fn replica_options(config: &SourceConfig, folder: &Path) -> ReplicaOptions {
    let silence_ms = config.keep_alive_interval_ms.max(1_000);
    ReplicaOptions {
        heartbeat_ms: (silence_ms / 5 * 4).min(10_000),
        silence_ms: silence_ms.saturating_mul(2),
        replica_uuid: identity(&config.name, folder),
        ..ReplicaOptions::new(config.server_id)
    }
}

/// Returns the pauses after which a broken connection is tried again.
pub(super) fn backoff_options(config: &SourceConfig) -> BackoffOptions {
    BackoffOptions {
        first_ms: config.retry.initial_delay_ms,
        longest_ms: config.retry.max_delay_ms,
        attempts: config.retry.max_retries.map(|tries| u32::try_from(tries).unwrap_or(u32::MAX)),
    }
}

/// The namespace of the identities below: a random number, drawn once for this program.
const IDENTITIES: Uuid = uuid!("92fdc3a6-274c-42a0-8d3e-6b9f3f5ab4f7");

/// Returns the UUID of a source and the folder of its checkpoint. It is a name-based one (version 5, RFC 9562), so that
/// neither another build nor another compiler changes it.
fn identity(name: &str, folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    // No name and no path holds a zero byte, so it keeps the two apart.
    let both = [name.as_bytes(), folder.as_os_str().as_encoded_bytes()].join(&0);
    Uuid::new_v5(&IDENTITIES, &both).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source whose identity changed with an update would be a second replica of the same id to its server, as long
    /// as the server has not noticed that the first one is gone.
    #[test]
    fn the_identity_of_a_source_is_the_same_in_every_build() {
        let tienda = identity("tienda", Path::new("/var/lib/bitacora"));
        assert_eq!(tienda, "323068fd-fbf7-5e76-ad9b-5c9b440a17b6");
        assert_ne!(identity("tienda", Path::new("/srv/bitacora")), tienda);
        assert_ne!(identity("almacen", Path::new("/var/lib/bitacora")), tienda);
    }
}
