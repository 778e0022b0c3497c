//! The figures of a process' sources, as Prometheus reads them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bitacora_openmetrics::label_value;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use tokio::sync::watch;

use crate::metrics::{Counter, Gauge, SourceMetrics};
use crate::run::{Source, SourceStatus};

/// Counters, gauges and states of any number of sources. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    sources: Arc<Mutex<Vec<Observed>>>,
}

#[derive(Debug)]
struct Observed {
    name: String,
    metrics: Arc<SourceMetrics>,
    status: watch::Receiver<SourceStatus>,
}

impl Figures {
    /// Adds a source. Its figures stay when it has ended.
    pub fn add(&self, source: &Source) {
        let (name, metrics) = (source.name().to_owned(), Arc::clone(source.metrics()));
        let observed = Observed { name, metrics, status: source.status() };
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).push(observed);
    }
}

/// Name without `_total`, help text, and the counter.
type CounterFamily = (&'static str, &'static str, fn(&SourceMetrics) -> &Counter);

const COUNTERS: [CounterFamily; 14] = [
    ("bitacora_source_events", "Events read from the log", |m| &m.event_count),
    ("bitacora_source_event_bytes", "Bytes of events read from the log", |m| &m.event_bytes),
    ("bitacora_source_rows", "Rows of captured tables, from the stream", |m| &m.row_count),
    ("bitacora_source_snapshot_rows", "Rows read by the snapshot", |m| &m.snapshot_row_count),
    ("bitacora_source_messages", "Messages handed to the broker", |m| &m.message_count),
    ("bitacora_source_repeated_messages", "Messages that the broker already had", |m| &m.repeated_message_count),
    ("bitacora_source_uncaptured_rows", "Rows of tables that are not captured", |m| &m.uncaptured_row_count),
    ("bitacora_source_rolled_back_messages", "Messages of logged transactions that were rolled back", |m| {
        &m.rolled_back_message_count
    }),
    ("bitacora_source_dead_letters", "Rows that could not be sent as their messages", |m| &m.dead_letter_count),
    ("bitacora_source_outbox_deleted_rows", "Deleted outbox rows, which send nothing", |m| &m.outbox_deleted_row_count),
    ("bitacora_source_outbox_updated_rows", "Updated outbox rows, which send nothing", |m| &m.outbox_updated_row_count),
    ("bitacora_source_ignored_events", "Events of unknown types that the server marked as safe to skip", |m| {
        &m.ignored_event_count
    }),
    ("bitacora_source_reconnects", "Times that the connection to the server was made again", |m| &m.reconnect_count),
    ("bitacora_source_checkpoints", "Checkpoints stored", |m| &m.checkpoint_count),
];

/// Name, help text for the value in seconds, and the gauge in microseconds.
type SecondsFamily = (&'static str, &'static str, fn(&SourceMetrics) -> &Gauge);

const SECONDS: [SecondsFamily; 2] = [
    ("bitacora_source_last_commit_timestamp_seconds", "Commit time of the last transaction read, since 1970", |m| {
        &m.last_commit_us
    }),
    ("bitacora_source_commit_lag_seconds", "Age of the last transaction when it was read", |m| &m.commit_lag_us),
];

const STATE: (&str, &str) = ("bitacora_source_state", "1 for what the source does now, 0 for the other states");

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, help, of) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for source in sources.iter() {
                let count = of(&source.metrics).get();
                family
                    .encode_family(&[("source", label_value(&source.name))])?
                    .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        for (name, help, of) in SECONDS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for source in sources.iter() {
                let seconds = of(&source.metrics).get() as f64 / 1e6;
                family.encode_family(&[("source", label_value(&source.name))])?.encode_gauge(&seconds)?;
            }
        }
        let mut family = encoder.encode_descriptor(STATE.0, STATE.1, None, MetricType::Gauge)?;
        for source in sources.iter() {
            let now = source.status.borrow().state();
            for state in SourceStatus::STATES {
                let labels = [("source", label_value(&source.name)), ("state", state.into())];
                family.encode_family(&labels)?.encode_gauge(&i64::from(state == now))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_of_metrics_names_each() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
        let page = std::fs::read_to_string(path).unwrap();
        let counters = COUNTERS.iter().map(|family| format!("`{}_total`", family.0));
        let gauges = SECONDS.iter().map(|family| format!("`{}`", family.0));
        for name in counters.chain(gauges).chain([format!("`{}`", STATE.0)]) {
            assert!(page.contains(&name), "docs/metrics.md does not have {name}");
        }
    }
}
