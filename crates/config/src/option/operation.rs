//! Options for queues, errors and metrics.

use super::spec::{Effect, OptionSpec};

const OWN_QUEUES: &str = "queues are bounded by bytes within one ceiling of memory";
const ALWAYS_STOP: &str = "an event that is not fully understood always stops the source; nothing is skipped";
const OWN_METRICS: &str = "metrics are served for Prometheus (docs/metrics.md)";
const OWN_RETRY: &str = "errors.retry.delay.initial.ms and errors.retry.delay.max.ms set the back-off";
const LINEAGE: &str = "lineage events are not implemented yet";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "errors.max.retries",
        Effect::Text(|draft, text| match text.trim() {
            "-1" => {
                draft.source.retry.max_retries = None;
                Ok(())
            }
            number => match number.parse() {
                Ok(retries) => {
                    draft.source.retry.max_retries = Some(retries);
                    Ok(())
                }
                Err(_) => Err(format!("{number:?} is not a number of tries; write a whole number, or -1 for no end")),
            },
        }),
        "Tries to connect again before the source gives up; -1: no end.",
    )
    .toml(&["retry.max"])
    .default("-1"),
    OptionSpec::new(
        "errors.retry.delay.initial.ms",
        Effect::Integer { min: 1, max: 86_400_000, set: |draft, number| draft.source.retry.initial_delay_ms = number },
        "First wait before connecting again, in milliseconds; it doubles with each try.",
    )
    .toml(&["retry.delay_initial_ms"])
    .default("300"),
    OptionSpec::new(
        "errors.retry.delay.max.ms",
        Effect::Integer { min: 1, max: 86_400_000, set: |draft, number| draft.source.retry.max_delay_ms = number },
        "Longest wait before connecting again, in milliseconds.",
    )
    .toml(&["retry.delay_max_ms"])
    .default("10000"),
    OptionSpec::unused("max.batch.size", OWN_QUEUES),
    OptionSpec::unused("max.queue.size", OWN_QUEUES),
    OptionSpec::unused("max.queue.size.in.bytes", OWN_QUEUES),
    OptionSpec::unused("poll.interval.ms", OWN_QUEUES),
    OptionSpec::unused("poll.dispatch.interval.ms", OWN_QUEUES),
    OptionSpec::unused("queue.provider.type", OWN_QUEUES),
    OptionSpec::unused("record.processing.threads", OWN_QUEUES),
    OptionSpec::unused("record.processing.order", "the order of the log is always kept"),
    OptionSpec::unused("record.processing.shutdown.timeout.ms", OWN_QUEUES),
    OptionSpec::refused("event.processing.failure.handling.mode", &["fail"], ALWAYS_STOP),
    OptionSpec::refused("event.deserialization.failure.handling.mode", &["fail"], ALWAYS_STOP),
    OptionSpec::refused("event.converting.failure.handling.mode", &["fail", "warn"], ALWAYS_STOP),
    OptionSpec::unused("retriable.restart.connector.wait.ms", OWN_RETRY),
    OptionSpec::unused("custom.retriable.exception", OWN_RETRY),
    OptionSpec::unused("log.position.check.enable", "the saved position is always checked at start"),
    OptionSpec::unused("offset.activity.monitor.interval.ms", OWN_METRICS),
    OptionSpec::unused("binlog.buffer.size", "rolled-back transactions are never published"),
    OptionSpec::unused("custom.metric.tags", OWN_METRICS),
    OptionSpec::unused("statistics.metrics.enabled", OWN_METRICS),
    OptionSpec::unused("advanced.metrics.enable", OWN_METRICS),
    OptionSpec::refused("openlineage.integration.enabled", &["false"], LINEAGE),
    OptionSpec::unused("openlineage.integration.*", LINEAGE),
];
