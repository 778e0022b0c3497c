//! The replication client: registers this process as a replica and reads the stream of events.
//!
//! Life cycle: [`Client::connect`] logs in, negotiates checksum and heartbeat, and registers; [`Client::dump`] asks for
//! the events after a position; then [`Client::read_events`] returns many events at once, which is the fast way, and
//! [`Client::next_event`] one. An event is complete: header, body and checksum, with the parts of packets above 16 MiB
//! joined. This module only splits the stream into events; `bitacora-binlog` decodes them. [`Reconnecting`] connects
//! again after failures, with growing pauses.

mod ahead;
mod chunk;
mod client;
mod dump;
mod log_end;
mod look;
mod options;
mod reconnect;
mod register;

pub use ahead::{ShapeThen, end_of_event, shape_at};
pub use chunk::EventChunk;
pub use client::{Client, StreamState};
pub use log_end::{LogEnd, LogEndSession};
pub(crate) use look::{Look, file_mark, look};
pub use options::{AnnotateRows, ReplicaOptions, Waiting};
pub use reconnect::{Backoff, BackoffOptions, Progress, Reconnecting};
pub(crate) use register::other_replica;
