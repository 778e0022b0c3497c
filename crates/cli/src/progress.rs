//! Shows people what a source is doing: a bar on a terminal, otherwise a line every few seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use bitacora_engine::{SnapshotProgress, SourceStatus};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

/// Time between two lines of a snapshot's progress.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows the status of a source until it ends.
pub(crate) async fn show(name: String, mut status: watch::Receiver<SourceStatus>) {
    let mut shown = Shown { bar: None, line_at: None };
    loop {
        let now = status.borrow_and_update().clone();
        let is_last = matches!(now, SourceStatus::Ended | SourceStatus::Failed { .. });
        shown.update(&name, &now);
        if is_last || status.changed().await.is_err() {
            return;
        }
    }
}

struct Shown {
    bar: Option<ProgressBar>,
    line_at: Option<Instant>,
}

impl Shown {
    fn update(&mut self, name: &str, status: &SourceStatus) {
        match status {
            SourceStatus::Snapshot(progress) if std::io::stderr().is_terminal() => self.bar(name, *progress),
            SourceStatus::Snapshot(progress) => self.line(name, *progress),
            SourceStatus::Streaming { position } => {
                self.clear();
                println!("source {name}: streaming from {position}");
            }
            SourceStatus::Ended => {
                self.clear();
                println!("source {name}: ended, everything that was read is delivered");
            }
            _ => self.clear(),
        }
    }

    fn bar(&mut self, name: &str, progress: SnapshotProgress) {
        let bar = self.bar.get_or_insert_with(|| {
            let template = "{prefix} snapshot {bar:30} {human_pos} of about {human_len} rows, {per_sec}, {msg}";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style).with_prefix(name.to_owned())
        });
        bar.set_length(progress.row_estimate);
        bar.set_position(progress.row_count);
        bar.set_message(format!("{} of {} tables", progress.table_count_done, progress.table_count));
    }

    fn line(&mut self, name: &str, progress: SnapshotProgress) {
        let is_due = self.line_at.is_none_or(|at| at.elapsed() >= LINE_INTERVAL);
        if is_due {
            self.line_at = Some(Instant::now());
            println!(
                "source {name}: snapshot {} of about {} rows, {} of {} tables",
                progress.row_count, progress.row_estimate, progress.table_count_done, progress.table_count
            );
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
