//! Options for signals and notifications.

use super::spec::OptionSpec;

const SIGNALS: &str = "signals are not implemented yet";
const NOTIFICATIONS: &str = "notifications are not implemented yet";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::refused("signal.data.collection", &[""], SIGNALS),
    OptionSpec::refused("signal.enabled.channels", &["source", ""], SIGNALS),
    OptionSpec::unused("signal.poll.interval.ms", SIGNALS),
    OptionSpec::unused("signal.emit.failure.max.retries", SIGNALS),
    OptionSpec::unused("signal.emit.failure.backoff.ms", SIGNALS),
    OptionSpec::unused("signal.file", SIGNALS),
    OptionSpec::unused("signal.kafka.topic", SIGNALS),
    OptionSpec::unused("signal.kafka.groupId", SIGNALS),
    OptionSpec::unused("signal.kafka.bootstrap.servers", SIGNALS),
    OptionSpec::unused("signal.kafka.poll.timeout.ms", SIGNALS),
    OptionSpec::unused("signal.consumer.*", SIGNALS),
    OptionSpec::refused("notification.enabled.channels", &["log", "jmx", "log,jmx", ""], NOTIFICATIONS),
    OptionSpec::unused("notification.sink.topic.name", NOTIFICATIONS),
];
