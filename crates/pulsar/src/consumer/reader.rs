//! Reader: a consumer without a subscription of its own.

use bitacora_pulsar_wire::{MessageId, TopicName};

use super::options::{ConsumerOptions, ReaderOptions, Seek, StartPosition};
use super::subscribe::Durability;
use super::{Consumer, LastMessage, Message};
use crate::client::Client;
use crate::error::Error;

/// Reads a topic from a position, message by message; nothing is acknowledged.
#[derive(Debug)]
pub struct Reader {
    consumer: Consumer,
}

impl Reader {
    pub(crate) async fn open(client: Client, options: ReaderOptions) -> Result<Self, Error> {
        let subscription = client.unique_name("reader");
        let consumer_options = ConsumerOptions {
            receiver_queue: options.receiver_queue,
            receiver_queue_bytes: options.receiver_queue_bytes,
            read_compacted: options.read_compacted,
            ..ConsumerOptions::new(options.topic, subscription)
        };
        let consumer = Consumer::open_with(client, consumer_options, Durability::NonDurable, options.start).await?;
        Ok(Self { consumer })
    }

    /// Returns the topic.
    pub fn topic(&self) -> &TopicName {
        self.consumer.topic()
    }

    /// Waits for the next message. May be cancelled.
    ///
    /// # Errors
    /// As [`Consumer::receive`].
    pub async fn next(&mut self) -> Result<Message, Error> {
        self.consumer.receive().await
    }

    /// Tells whether a message is behind the current position.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn has_message_available(&mut self) -> Result<bool, Error> {
        if !self.consumer.queue.is_empty() {
            return Ok(true);
        }
        let LastMessage { last, mark_delete } = self.consumer.last_message().await?;
        if last.is_none() {
            return Ok(false);
        }
        let position = match (self.consumer.last_delivered, self.consumer.start) {
            (Some(delivered), _) => StartPosition::After(delivered),
            (None, StartPosition::Latest) => StartPosition::After(mark_delete.unwrap_or(MessageId::LATEST)),
            (None, start) => start,
        };
        Ok(!position.excludes(last))
    }

    /// Asks for the last message of the topic.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn last_message(&mut self) -> Result<LastMessage, Error> {
        self.consumer.last_message().await
    }

    /// Moves the reader.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn seek(&mut self, seek: Seek) -> Result<(), Error> {
        self.consumer.seek(seek).await
    }

    /// Closes the reader.
    ///
    /// # Errors
    /// None at present.
    pub async fn close(self) -> Result<(), Error> {
        self.consumer.close().await
    }
}
