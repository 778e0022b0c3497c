//! Pipeline, checkpoint and sinks: from a server's log to a broker, exactly once.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

pub mod checkpoint;
pub mod error;
pub mod figures;
mod lane;
pub mod metrics;
pub mod notices;
pub mod pipeline;
pub mod run;
pub mod sink;
