//! The connection layer: takes frames, calls catalog and topics, and sends frames. Each group of commands has a file.
//!
//! A [`Session`] serves one connection, in the same way over a socket and inside the process. It processes commands in
//! the order of their arrival. Only PRODUCER and SUBSCRIBE run beside the others, because they may have to wait for a
//! sign of life of another client. Every command with a request id is answered, and nothing is pushed that the client
//! did not ask for.

mod ack;
mod connect;
mod consumer;
mod lookup;
mod position;
mod producer;
mod schema;
mod slots;

use std::sync::Arc;

use bitacora_pulsar_wire::{
    Command, Frame,
    proto::{CommandError, CommandPong, CommandSuccess, ServerError},
};

use crate::{peer::Connection, refused::Refused, shared::Shared};
use slots::{ConsumerSlot, Slots};

/// Why a connection must end: one sentence for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation(pub String);

/// Serves one connection.
#[derive(Debug)]
pub(crate) struct Session {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    slots: Arc<Slots>,
}

impl Session {
    /// Creates the session of a new connection.
    pub(crate) fn new(shared: Arc<Shared>, remote: String) -> Self {
        let connection = shared.connections.add(remote, shared.config.outbound_bytes);
        let slots = Arc::new(Slots::new(Arc::clone(&connection)));
        Self { shared, connection, slots }
    }

    /// Returns the connection's state.
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Processes one frame, and returns when the next one may be read: back pressure makes this function wait.
    ///
    /// # Errors
    /// [`Violation`] if the client broke the protocol; the connection must be closed.
    pub(crate) async fn on_frame(&self, frame: Frame) -> Result<(), Violation> {
        self.connection.heard();
        let Frame { command, payload } = frame;
        if self.connection.client().is_none() {
            return match command {
                Command::Connect(command) => self.connect(*command),
                other => Err(Violation(format!("the client sent {} before CONNECT", other.name()))),
            };
        }
        match command {
            Command::Send(command) => self.send(&command, payload.unwrap_or_default()).await?,
            Command::Flow(command) => self.flow(&command),
            Command::Ack(command) => self.ack(&command),
            Command::RedeliverUnacknowledgedMessages(command) => self.redeliver(&command),
            Command::Ping(_) => self.push(CommandPong {}),
            Command::Pong(_) | Command::AuthResponse(_) => {}
            Command::PartitionedTopicMetadata(command) => self.partitions(command),
            Command::LookupTopic(command) => self.lookup(&command),
            Command::GetTopicsOfNamespace(command) => self.topics(&command),
            Command::Producer(command) => self.producer(*command),
            Command::CloseProducer(command) => self.close_producer(&command).await,
            Command::Subscribe(command) => self.subscribe(*command),
            Command::CloseConsumer(command) => self.close_consumer(&command).await,
            Command::Unsubscribe(command) => self.unsubscribe(&command).await,
            Command::Seek(command) => self.seek(command).await,
            Command::GetLastMessageId(command) => self.last_message_id(&command).await,
            Command::ConsumerStats(command) => self.consumer_stats(&command),
            Command::GetSchema(command) => self.get_schema(command).await,
            Command::GetOrCreateSchema(command) => self.get_or_create_schema(command).await,
            Command::Connect(_) => return Err(Violation("the client sent a second CONNECT".to_owned())),
            other => self.refuse_unknown(&other)?,
        }
        self.connection.outbound.wait_for_room().await;
        Ok(())
    }

    /// Removes all producers and consumers of the connection from the topics.
    pub(crate) async fn end(&self) {
        self.connection.end();
        self.slots.clear_producers();
        for slot in self.slots.take_consumers() {
            if let ConsumerSlot::Ready(topic, subscription, key) = slot {
                topic.detach_consumer(&subscription, key);
            }
        }
        // The topics know all producers of the connection. A slot has no handle while its PRODUCER is being processed.
        for topic in self.shared.catalog.open_topics() {
            for (key, _) in topic.producers_of(self.connection.id) {
                topic.release_producer(key).await;
            }
        }
        self.shared.connections.remove(self.connection.id);
    }

    fn push(&self, command: impl Into<Command>) {
        self.connection.outbound.push(command.into());
    }

    fn success(&self, request_id: u64) {
        self.push(CommandSuccess { request_id, schema: None });
    }

    fn refuse(&self, request_id: u64, refused: Refused) {
        self.push(CommandError { request_id, error: refused.code as i32, message: refused.message });
    }

    fn refuse_unknown(&self, command: &Command) -> Result<(), Violation> {
        let kind = command.kind();
        match command.request_id() {
            // The commands for scalable topics and for watches of transaction coordinators are newer than protocol
            // version 21.
            Some(id) if kind >= 70 || matches!(command, Command::Unknown(_)) => {
                let message = format!("command {kind} is not supported by this broker");
                self.refuse(id, Refused::new(ServerError::UnsupportedVersionError, message));
                Ok(())
            }
            Some(id) if is_request(kind) => {
                let message = format!("{} is not supported by this broker", command.name());
                self.refuse(id, Refused::new(ServerError::NotAllowedError, message));
                Ok(())
            }
            _ if matches!(command, Command::Unknown(_)) => Ok(()),
            _ => Err(Violation(format!("{} is a command of brokers, not of clients", command.name()))),
        }
    }
}

/// Returns whether the number belongs to a request that this broker refuses: transactions and topic watches.
fn is_request(kind: i32) -> bool {
    matches!(kind, 50 | 52 | 54 | 56 | 58 | 60 | 62 | 64 | 67)
}
