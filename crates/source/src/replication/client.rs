//! A connection that is registered as a replica, and its stream of events.

use std::time::Duration;

use bitacora_binlog::ChecksumAlgorithm;

use super::chunk::EventChunk;
use super::options::{ReplicaOptions, Waiting};
use super::{dump, register};
use crate::identity::server_identity;
use crate::wire::Connection;
use crate::{Error, Position, ServerConfig, ServerVersion};

/// Result of a read of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// At least one event.
    Events,
    /// The log is at its end ([`Waiting::Never`]).
    End,
}

/// A registered replica.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    options: ReplicaOptions,
    checksum: ChecksumAlgorithm,
    server: String,
    current: EventChunk,
    current_index: usize,
}

impl Client {
    /// Logs in, negotiates and registers.
    ///
    /// # Errors
    /// Those of [`Connection::open`]; [`Error::ServerIdInUse`]; [`Error::Server`] if the account lacks the replication
    /// privilege.
    pub async fn connect(config: &ServerConfig, options: ReplicaOptions) -> Result<Client, Error> {
        let mut connection = Connection::open(config).await?;
        let server = server_identity(&mut connection).await?;
        let checksum = register::register(&mut connection, &options).await?;
        Ok(Client { connection, options, checksum, server, current: EventChunk::new(), current_index: 0 })
    }

    /// Asks for all events after the position: by GTID if the position has one, else by file and offset.
    ///
    /// A server that refuses the position (purged, unknown) says so at the first read.
    pub async fn dump(&mut self, position: &Position) -> Result<(), Error> {
        dump::request(&mut self.connection, &self.options, position).await
    }

    /// Returns product and version of the server.
    pub fn version(&self) -> &ServerVersion {
        self.connection.version()
    }

    /// Returns the identity of the server: `server_uuid`, or `server_id` and `server_uid` on MariaDB.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the connection. Statements may be sent on it only before [`Client::dump`].
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns the server's number of this connection.
    pub fn connection_id(&self) -> u32 {
        self.connection.connection_id()
    }

    /// Returns the negotiated checksum, which applies until a format description event names the file's own.
    pub fn checksum(&self) -> ChecksumAlgorithm {
        self.checksum
    }

    /// Waits for events and fills `chunk` with all that have arrived completely, replacing what it held.
    ///
    /// Safe to cancel: no event is lost.
    ///
    /// # Errors
    /// [`Error::Timeout`] if the server is silent for longer than `silence_ms`; [`Error::Lost`]; [`Error::Server`] if
    /// the server refuses the position (1236: purged or unknown).
    pub async fn read_events(&mut self, chunk: &mut EventChunk) -> Result<StreamState, Error> {
        chunk.events.clear();
        chunk.bytes.clear();
        loop {
            let last = self.take_events(chunk)?;
            if !chunk.events.is_empty() {
                self.connection.buffer().hand_over(&mut chunk.bytes);
                return Ok(StreamState::Events);
            }
            if let Last::End = last {
                return Ok(StreamState::End);
            }
            self.fill().await?;
        }
    }

    /// Returns the next event; `None` at the end of the log. Simpler to use than [`Client::read_events`], but with one
    /// call for each event.
    pub async fn next_event(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.current_index >= self.current.len() {
            let mut chunk = std::mem::take(&mut self.current);
            self.current_index = 0;
            let state = self.read_events(&mut chunk).await;
            self.current = chunk;
            if state? == StreamState::End {
                return Ok(None);
            }
        }
        self.current_index += 1;
        Ok(self.current.event(self.current_index - 1))
    }

    fn take_events(&mut self, chunk: &mut EventChunk) -> Result<Last, Error> {
        while let Some(packet) = self.connection.buffered_packet()? {
            match self.connection.bytes(packet.clone()).first() {
                Some(0x00) => chunk.events.push(packet.start + 1..packet.end),
                // The packet ends the stream. It is put back, so that this read returns the events before it and the
                // next read meets the end.
                Some(_) if !chunk.events.is_empty() => {
                    self.connection.buffer().put_back_last();
                    return Ok(Last::Wait);
                }
                Some(0xfe) if self.options.waiting == Waiting::Never => return Ok(Last::End),
                // A server that shuts down sends an end packet even to replicas that asked to wait for more events.
                Some(0xfe) => return Err(self.connection.ended("reading the replication stream")),
                Some(0xff) => {
                    let packet = self.connection.bytes(packet);
                    return Err(self.connection.server_error(packet, "the replication stream"));
                }
                _ => return Err(self.connection.malformed("packet of the replication stream")),
            }
        }
        Ok(Last::Wait)
    }

    async fn fill(&mut self) -> Result<(), Error> {
        let limit_ms = self.options.silence_ms;
        let filled = tokio::time::timeout(
            Duration::from_millis(limit_ms),
            self.connection.fill("reading the replication stream"),
        );
        match filled.await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout {
                address: self.connection.address().to_owned(),
                what: "The next event or heartbeat of the replication stream",
                limit_ms,
            }),
        }
    }
}

enum Last {
    Wait,
    End,
}
