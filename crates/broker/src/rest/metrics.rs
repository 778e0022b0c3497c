//! `/metrics` in the text format of Prometheus, and `/status.html`.

use std::fmt;
use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bitacora_openmetrics::label_value;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Registry,
};

use super::answer::{Broker, Problem};
use crate::{
    shared::Shared,
    topic::{Subscription, Topic},
};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/metrics/", get(metrics))
        .route("/status.html", get(|| async { "OK" }))
}

async fn metrics(State(shared): Broker) -> Response {
    let mut own = Registry::default();
    own.register_collector(Box::new(Figures(Arc::clone(&shared))));
    metrics_page(&[&own, &shared.others()])
}

/// Answers a request for `/metrics` with the figures of all registries, which must not share a name.
pub fn metrics_page(registries: &[&Registry]) -> Response {
    match bitacora_openmetrics::page(registries) {
        Ok(page) => ([(header::CONTENT_TYPE, bitacora_openmetrics::CONTENT_TYPE)], page).into_response(),
        Err(_) => {
            Problem(StatusCode::INTERNAL_SERVER_ERROR, "the figures cannot be written".to_owned()).into_response()
        }
    }
}

/// The broker's own figures, under the names that a Pulsar broker gives them.
#[derive(Debug)]
struct Figures(Arc<Shared>);

/// Name (without `_total` for a counter), description, type, value.
type TopicFamily = (&'static str, &'static str, MetricType, fn(&Topic) -> u64);

const OF_TOPICS: [TopicFamily; 7] = [
    ("pulsar_in_messages", "Messages published since the start", MetricType::Counter, |t| t.published.messages()),
    ("pulsar_in_bytes", "Bytes published since the start", MetricType::Counter, |t| t.published.bytes()),
    ("pulsar_deduplicated_messages", "Repeated messages that were dropped", MetricType::Counter, |t| {
        t.duplicates.messages()
    }),
    ("pulsar_storage_size", "Bytes on disk", MetricType::Gauge, |t| t.log().stored_bytes()),
    ("pulsar_producers_count", "Connected producers", MetricType::Gauge, |t| t.producers().len() as u64),
    ("bitacora_topic_lost_entries", "Durable entries found missing at the log's end", MetricType::Gauge, |t| {
        t.lost_entries()
    }),
    ("bitacora_topic_damaged_files", "Faults found in the log's files when it was opened", MetricType::Gauge, |t| {
        t.damaged_files()
    }),
];

/// Name, description, value.
type SubscriptionFamily = (&'static str, &'static str, fn(&Topic, &Subscription) -> u64);

const OF_SUBSCRIPTIONS: [SubscriptionFamily; 3] = [
    ("pulsar_subscription_back_log", "Entries that are not acknowledged", |t, s| {
        s.lock().dispatcher.cursor().backlog(t.log().durable_end())
    }),
    ("pulsar_subscription_unacked_messages", "Messages sent and not acknowledged", |_, s| {
        s.lock().dispatcher.unacked()
    }),
    ("pulsar_subscription_consumers_count", "Connected consumers", |_, s| s.lock().handles.len() as u64),
];

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let connections = self.0.connections.count() as u64;
        encoder
            .encode_descriptor("pulsar_active_connections", "Open connections", None, MetricType::Gauge)?
            .encode_gauge(&connections)?;
        let topics = self.0.catalog.open_topics();
        for (name, help, kind, of) in OF_TOPICS {
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for topic in &topics {
                let labels = [("topic", label_value(topic.full_name()))];
                let mut sample = family.encode_family(&labels)?;
                match kind {
                    MetricType::Counter => sample.encode_counter::<NoLabelSet, _, u64>(&of(topic), None)?,
                    _ => sample.encode_gauge(&of(topic))?,
                }
            }
        }
        for (name, help, of) in OF_SUBSCRIPTIONS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for topic in &topics {
                for subscription in topic.subscriptions() {
                    let labels =
                        [("topic", label_value(topic.full_name())), ("subscription", label_value(subscription.name()))];
                    family.encode_family(&labels)?.encode_gauge(&of(topic, &subscription))?;
                }
            }
        }
        Ok(())
    }
}
