//! The connected client: its queue of frames, its signs of life, and what the broker withdrew from it.
//!
//! Topics and sessions both hold a [`Connection`], so a connection must know neither. If a topic withdraws something
//! from a client (a producer that another one fenced, a consumer of a deleted subscription), it leaves a note here. The
//! session reads the notes before it uses its own table of producers and consumers.

mod connection;
mod connections;
mod outbound;

pub(crate) use connection::{ClientInfo, CloseReason, Connection, PROBE, WithdrawnProducer};
pub(crate) use connections::Connections;
pub(crate) use outbound::Outbound;
