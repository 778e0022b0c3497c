//! The replication client: this process as a replica that only reads.
//!
//! Life cycle: [`Client::connect`] logs in, negotiates checksum and heartbeat and registers; [`Client::dump`] asks for
//! the events after a position; then [`Client::read_events`] (many events at once, the fast way) or
//! [`Client::next_event`]. An event is given whole: header, body and checksum, packets above 16 MiB joined. The stream
//! is only cut into events here; what they say is the business of `bitacora-binlog`.
//! [`Reconnecting`] adds connecting again with growing pauses.

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
