//! Looks at the end of the server's log every now and then while the stream is connected.
//!
//! A server whose log is reset under a connected replica may go on to say that all is well, and send nothing more. Two
//! things give it away: its log ends before what was read, or it says with heartbeats that it has sent everything up to
//! a place that lies before the end that its log had earlier.

use std::cmp::Ordering;
use std::time::Duration;

use bitacora_source::ServerConfig;
use bitacora_source::replication::{LogEnd, LogEndSession};
use tokio::sync::watch;

use crate::pipeline::core::Heard;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(5);

/// So many heartbeats after a look must name the same early place: a single one may have been sent before the look.
const HEARTBEATS: u64 = 2;

/// The end of the log at an earlier look.
#[derive(Debug)]
struct Look {
    end: LogEnd,
    heartbeat_count: u64,
    idle: LogEnd,
}

/// Waits until the log is no longer the one that is read; returns how that was seen.
pub(super) async fn until_replaced(
    config: ServerConfig,
    server: String,
    source: String,
    heard: watch::Receiver<Heard>,
) -> String {
    let mut session = LogEndSession::new(config, server);
    let mut earlier: Option<Look> = None;
    loop {
        tokio::time::sleep(PAUSE).await;
        // Taken before the question, so that it lies before the answer.
        let before = heard.borrow().clone();
        let end = match session.ask().await {
            Ok(Some(end)) => end,
            Ok(None) => continue,
            Err(error) => {
                tracing::debug!(source, "the end of the log is not known: {error}");
                continue;
            }
        };
        if let Some(replaced) = judge(&mut earlier, before, end) {
            return replaced;
        }
    }
}

/// Compares what was heard with the end of the log that was asked for afterwards.
fn judge(earlier: &mut Option<Look>, heard: Heard, end: LogEnd) -> Option<String> {
    let is_before = |one: &LogEnd, other: &LogEnd| one.compare(other) == Some(Ordering::Less);
    if let Some(read) =
        [Some(&heard.read), heard.idle.as_ref()].into_iter().flatten().find(|read| is_before(&end, read))
    {
        return Some(format!(
            "the log ends at {}:{}, before {}:{}, which was read from it",
            end.file, end.offset, read.file, read.offset
        ));
    }
    let Some(idle) = heard.idle.filter(|idle| is_before(idle, &end)) else {
        *earlier = None;
        return None;
    };
    match earlier {
        Some(look) if look.idle == idle => {
            let is_told = heard.heartbeat_count >= look.heartbeat_count + HEARTBEATS;
            is_told.then(|| {
                format!(
                    "the log reaches to {}:{}, but the server sends nothing behind {}:{}",
                    look.end.file, look.end.offset, idle.file, idle.offset
                )
            })
        }
        _ => {
            *earlier = Some(Look { end, heartbeat_count: heard.heartbeat_count, idle });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64, offset: u64) -> LogEnd {
        LogEnd { file: format!("binlog.{number:06}"), offset }
    }

    fn heard(read: LogEnd, idle: Option<LogEnd>, heartbeat_count: u64) -> Heard {
        Heard { read, idle, heartbeat_count }
    }

    #[test]
    fn a_log_that_ends_before_what_was_read_is_another_one() {
        assert!(judge(&mut None, heard(place(3, 900), None, 0), place(1, 158)).is_some());
        assert!(judge(&mut None, heard(place(3, 900), None, 0), place(3, 899)).is_some());
        assert!(judge(&mut None, heard(place(3, 900), None, 0), place(3, 900)).is_none());
        assert!(judge(&mut None, heard(place(3, 900), None, 0), place(12, 4)).is_none());
    }

    #[test]
    fn a_server_that_calls_an_early_place_the_end_for_two_heartbeats_sends_nothing_more() {
        let idle = || Some(place(1, 500));
        let mut earlier = None;
        assert_eq!(judge(&mut earlier, heard(place(1, 500), idle(), 3), place(1, 900)), None);
        assert_eq!(judge(&mut earlier, heard(place(1, 500), idle(), 4), place(1, 950)), None);
        assert!(judge(&mut earlier, heard(place(1, 500), idle(), 5), place(1, 950)).is_some());
    }

    #[test]
    fn a_stream_that_reads_on_is_left_alone() {
        let mut earlier = None;
        for step in 0..10 {
            let idle = Some(place(1, 500 + step)).filter(|_| step % 2 == 0);
            assert_eq!(judge(&mut earlier, heard(place(1, 500 + step), idle, step * 3), place(1, 900 + step)), None);
        }
    }
}
