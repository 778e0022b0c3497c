//! Reader: a consumer without a subscription of its own.

use std::sync::Arc;

use bitacora_pulsar_wire::{MessageId, TopicName};

use super::options::{ConsumerOptions, ReaderOptions, Seek, StartPosition};
use super::subscribe::Durability;
use super::{Consumer, LastMessage, Message};
use crate::cluster::Cluster;
use crate::error::Error;

/// Reads a topic from a position, message by message; nothing is acknowledged.
#[derive(Debug)]
pub struct Reader {
    consumer: Consumer,
}

impl Reader {
    pub(crate) async fn open(cluster: Arc<Cluster>, options: ReaderOptions) -> Result<Self, Error> {
        let subscription = cluster.unique_name("reader");
        let consumer_options = ConsumerOptions {
            receiver_queue: options.receiver_queue,
            receiver_queue_bytes: options.receiver_queue_bytes,
            chunks: options.chunks,
            read_compacted: options.read_compacted,
            ..ConsumerOptions::new(options.topic, subscription)
        };
        let mut consumer =
            Consumer::open_with(cluster, consumer_options, Durability::NonDurable, options.start).await?;
        // Set before the first frame is read.
        consumer.chunk_view = options.chunk_view;
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

    /// Returns whether there is a message after the current position. Where the topic ends with chunks this has to wait
    /// for them, because they may belong to a message that broke off.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn has_message_available(&mut self) -> Result<bool, Error> {
        let consumer = &mut self.consumer;
        if !consumer.queue.is_empty() {
            return Ok(true);
        }
        let LastMessage { last, mark_delete } = consumer.last_message().await?;
        if last.is_none() {
            return Ok(false);
        }
        let position = match (consumer.last_delivered, consumer.start) {
            (Some(delivered), _) => StartPosition::After(delivered),
            (None, StartPosition::Latest) => StartPosition::After(mark_delete.unwrap_or(MessageId::LATEST)),
            (None, start) => start,
        };
        if position.excludes(last) {
            return Ok(false);
        }
        while consumer.queue.is_empty() {
            let is_seen = consumer.seen.is_some_and(|seen| (seen.ledger, seen.entry) >= (last.ledger, last.entry));
            if is_seen {
                return Ok(false);
            }
            consumer.step().await?;
        }
        Ok(true)
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
