//! Pipeline, checkpoint and sinks: from a server's log to a broker, exactly once.
//!
//! [`Source`] is a running source, [`examine`] checks one without starting it, [`Figures`] are the counters of all
//! sources of a process. `run` has the life of a source, `pipeline` the way of a row, `sink` its delivery, `checkpoint`
//! what is remembered.

mod checkpoint;
mod error;
mod figures;
mod lane;
mod metrics;
mod notices;
mod pipeline;
mod run;
mod sink;
#[cfg(test)]
mod tests;

pub use checkpoint::CheckpointError;
pub use error::{EngineError, ErrorClass, ErrorKind, Place};
pub use figures::Figures;
pub use metrics::SourceMetrics;
pub use run::{Report, SnapshotProgress, Source, SourceStatus, examine};
