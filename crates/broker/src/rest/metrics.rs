//! `/metrics` in the Prometheus text format, and `/status.html`.

use std::fmt::Write as _;

use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Arc, Broker, Shared};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/metrics/", get(metrics))
        .route("/status.html", get(|| async { "OK" }))
}

async fn metrics(State(shared): Broker) -> Response {
    let mut text = String::new();
    let mut gauge = |name: &str, labels: &str, value: u64| {
        let _ = writeln!(text, "{name}{labels} {value}");
    };
    gauge("pulsar_active_connections", "", shared.connections.count() as u64);
    for topic in shared.catalog.open_topics() {
        let labels = format!("{{topic=\"{}\"}}", escape(topic.full_name()));
        gauge("pulsar_in_messages_total", &labels, topic.published.messages());
        gauge("pulsar_in_bytes_total", &labels, topic.published.bytes());
        gauge("pulsar_deduplicated_messages_total", &labels, topic.duplicates.messages());
        gauge("pulsar_storage_size", &labels, topic.log().stored_bytes());
        gauge("pulsar_producers_count", &labels, topic.producers().len() as u64);
        for subscription in topic.subscriptions() {
            let core = subscription.lock();
            let (topic_name, name) = (escape(topic.full_name()), escape(subscription.name()));
            let labels = format!("{{topic=\"{topic_name}\",subscription=\"{name}\"}}");
            let backlog = core.dispatcher.cursor().backlog(topic.log().durable_end());
            gauge("pulsar_subscription_back_log", &labels, backlog);
            gauge("pulsar_subscription_unacked_messages", &labels, core.dispatcher.unacked());
            gauge("pulsar_subscription_consumers_count", &labels, core.handles.len() as u64);
        }
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
