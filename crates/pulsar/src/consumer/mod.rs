//! Consumers and readers.
//!
//! A consumer has no task of its own: it works while [`Consumer::receive`] is awaited, and what the broker sends ahead
//! is bounded by the permits. A lost connection is repaired inside `receive`; the broker then sends again what was not
//! acknowledged. `receive` may be cancelled without losing a message.

mod ack;
mod chunks;
mod incoming;
mod message;
mod options;
mod permits;
mod reader;
mod subscribe;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bitacora_pulsar_wire::proto::{
    AckType, CommandAck, CommandFlow, CommandGetLastMessageId, CommandRedeliverUnacknowledgedMessages, CommandSeek,
    CommandUnsubscribe, MessageIdData, SubType,
};
use bitacora_pulsar_wire::{Command, Frame, MessageId, TopicName};

use self::ack::AckTracker;
pub use self::chunks::ChunkLimits;
use self::chunks::{Assembler, Order};
pub use self::message::Message;
pub use self::options::{
    BatchIndexAck, ChunkView, ConsumerOptions, KeySharedPolicy, ReadCompacted, ReaderOptions, Seek, StartPosition,
};
use self::permits::Permits;
pub use self::reader::Reader;
use self::subscribe::{Durability, Session};
use crate::cluster::Cluster;
use crate::error::Error;

/// The last message of a topic, and the position of the subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastMessage {
    /// [`MessageId::is_none`] when the topic is empty.
    pub last: MessageId,
    /// Position up to which everything is acknowledged, when the broker tells it.
    pub mark_delete: Option<MessageId>,
}

/// An open consumer.
#[derive(Debug)]
pub struct Consumer {
    cluster: Arc<Cluster>,
    options: ConsumerOptions,
    durability: Durability,
    topic: Arc<TopicName>,
    session: Option<Session>,
    queue: VecDeque<Queued>,
    permits: Permits,
    acks: AckTracker,
    assembler: Assembler,
    chunk_view: ChunkView,
    /// Where a reader must begin again to get the first chunks of what was incomplete when the connection was lost.
    rejoin: Option<MessageId>,
    /// Entries that nobody waits for; the next step acknowledges them.
    done: Vec<MessageId>,
    /// The last entry that came.
    seen: Option<MessageId>,
    /// Set when an entry announced more messages than the broker may have counted. The number of granted permits is
    /// unknown then, so the consumer opens a new session, which begins with none.
    is_window_in_doubt: bool,
    /// Raised with each request to deliver everything again; deliveries of an older epoch are dropped.
    epoch: u64,
    /// Messages before it are dropped: they are the front of the batch into which a seek or a start pointed.
    start: StartPosition,
    last_delivered: Option<MessageId>,
    active: Option<ActiveState>,
}

/// A result that waits for the caller, and the permits that are free again when the caller takes it.
#[derive(Debug)]
struct Queued {
    read: Result<Message, Error>,
    permits: u32,
}

/// Whether a consumer of a Failover subscription is the one that gets the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveState {
    /// It is.
    Active,
    /// Another one is.
    Standby,
}

impl Consumer {
    pub(crate) async fn open(cluster: Arc<Cluster>, options: ConsumerOptions) -> Result<Self, Error> {
        Self::open_with(cluster, options, Durability::Durable, StartPosition::Earliest).await
    }

    async fn open_with(
        cluster: Arc<Cluster>,
        mut options: ConsumerOptions,
        durability: Durability,
        start: StartPosition,
    ) -> Result<Self, Error> {
        options.name = Some(options.name.unwrap_or_else(|| cluster.unique_name("bitacora")));
        let permits = Permits::new(options.receiver_queue, options.receiver_queue_bytes);
        let topic = Arc::new(options.topic.clone());
        let order = match options.sub_type {
            SubType::Exclusive | SubType::Failover => Order::Topic,
            SubType::Shared | SubType::KeyShared => Order::Any,
        };
        let assembler = Assembler::new(options.chunks, order);
        let mut consumer = Self {
            cluster,
            options,
            durability,
            topic,
            session: None,
            queue: VecDeque::new(),
            permits,
            acks: AckTracker::default(),
            assembler,
            chunk_view: ChunkView::default(),
            rejoin: None,
            done: Vec::new(),
            seen: None,
            is_window_in_doubt: false,
            epoch: 0,
            start,
            last_delivered: None,
            active: None,
        };
        consumer.connect().await?;
        Ok(consumer)
    }

    /// Returns the topic.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// Returns what the broker last said about a Failover subscription.
    pub fn active_state(&self) -> Option<ActiveState> {
        self.active
    }

    /// Waits for the next message. May be cancelled.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a message that cannot be read. The next call goes on behind it, but the broker
    /// delivers it again until its id is acknowledged. Any other error is a refusal of the broker that no retry can
    /// change.
    pub async fn receive(&mut self) -> Result<Message, Error> {
        loop {
            // This awaits, so it comes before a message is taken out: a call cancelled here loses neither message nor
            // permit.
            self.refill().await;
            if let Some(Queued { read, permits }) = self.queue.pop_front() {
                self.permits.on_used(permits);
                match &read {
                    Ok(Message { id, .. }) | Err(Error::Unreadable { id, .. }) => self.last_delivered = Some(*id),
                    Err(_) => {}
                }
                return read;
            }
            self.step().await?;
        }
    }

    /// Takes one frame, or whatever else happens next. May be cancelled.
    async fn step(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.is_window_in_doubt)
            && let Some(session) = self.session.take()
        {
            session.close().await;
            self.drop_session();
        }
        self.refill().await;
        self.acknowledge_done().await?;
        let Some(session) = &mut self.session else {
            return self.connect().await;
        };
        let event = match self.assembler.next_expiry() {
            None => session.events.recv().await,
            Some(expiry) => tokio::select! {
                event = session.events.recv() => event,
                () = tokio::time::sleep_until(expiry.into()) => {
                    let ended = self.assembler.expire(Instant::now());
                    self.settle(ended, 0, 0);
                    return Ok(());
                }
            },
        };
        match event {
            Some(frame) => self.on_frame(frame),
            None => self.drop_session(),
        }
        Ok(())
    }

    /// Acknowledges one message. Sent without waiting for the broker: after a loss the message comes again.
    ///
    /// # Errors
    /// None at present but the connection's.
    pub async fn acknowledge(&mut self, id: MessageId) -> Result<(), Error> {
        let data = self.acks.individual(id, self.options.batch_index_ack);
        self.send_ack(AckType::Individual, data).await
    }

    /// Acknowledges everything up to and including a message; not for Shared and Key_Shared subscriptions.
    ///
    /// # Errors
    /// [`Error::Protocol`] on a shared subscription.
    pub async fn acknowledge_cumulative(&mut self, id: MessageId) -> Result<(), Error> {
        if matches!(self.options.sub_type, SubType::Shared | SubType::KeyShared) {
            return Err(Error::Protocol { reason: "a shared subscription knows no cumulative acknowledgement" });
        }
        let data = self.acks.cumulative(id, self.options.batch_index_ack, self.assembler.first_open());
        self.send_ack(AckType::Cumulative, data.into_iter().collect()).await
    }

    /// Acknowledges chunks that no message will be made of, so that they do not stay in the backlog.
    async fn acknowledge_done(&mut self) -> Result<(), Error> {
        if self.done.is_empty() {
            return Ok(());
        }
        let data = std::mem::take(&mut self.done).into_iter().map(MessageIdData::from).collect();
        self.send_ack(AckType::Individual, data).await
    }

    async fn send_ack(&self, ack_type: AckType, message_id: Vec<MessageIdData>) -> Result<(), Error> {
        let Some(session) = self.session.as_ref().filter(|_| !message_id.is_empty()) else {
            return Ok(());
        };
        let ack = CommandAck {
            consumer_id: session.consumer_id,
            ack_type: ack_type as i32,
            message_id,
            ..Default::default()
        };
        session.tell(ack).await
    }

    /// Gives one message back, so that it is delivered again: to any consumer on a shared subscription; on the others
    /// everything unacknowledged comes again.
    ///
    /// # Errors
    /// None at present but the connection's.
    pub async fn negative_acknowledge(&mut self, id: MessageId) -> Result<(), Error> {
        if !matches!(self.options.sub_type, SubType::Shared | SubType::KeyShared) {
            return self.redeliver_unacknowledged().await;
        }
        let Some(session) = &self.session else {
            return Ok(());
        };
        let redeliver = CommandRedeliverUnacknowledgedMessages {
            consumer_id: session.consumer_id,
            message_ids: self.acks.entries(id).into_iter().map(MessageIdData::from).collect(),
            consumer_epoch: None,
        };
        session.tell(redeliver).await
    }

    /// Asks for everything unacknowledged again.
    ///
    /// # Errors
    /// None at present but the connection's.
    pub async fn redeliver_unacknowledged(&mut self) -> Result<(), Error> {
        self.epoch += 1;
        let unused = self.queue.drain(..).map(|queued| queued.permits).fold(0, u32::saturating_add);
        self.permits.on_used(unused);
        self.acks.clear();
        self.assembler.clear();
        self.done.clear();
        if let Some(session) = &self.session {
            let redeliver = CommandRedeliverUnacknowledgedMessages {
                consumer_id: session.consumer_id,
                message_ids: Vec::new(),
                consumer_epoch: Some(self.epoch),
            };
            session.tell(redeliver).await?;
        }
        self.refill().await;
        Ok(())
    }

    /// Moves the subscription. Messages that were sent ahead are dropped.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn seek(&mut self, seek: Seek) -> Result<(), Error> {
        let session = self.connected().await?;
        let consumer_id = session.consumer_id;
        let answer = session.connection.request("SEEK", |request_id| CommandSeek {
            consumer_id,
            request_id,
            message_id: match seek {
                Seek::To(id) => Some(MessageId { batch_index: -1, ..id }.into()),
                Seek::PublishTime(_) => None,
            },
            message_publish_time: match seek {
                Seek::To(_) => None,
                Seek::PublishTime(time_ms) => Some(time_ms),
            },
        });
        answer.await?;
        self.start = match seek {
            Seek::To(MessageId::EARLIEST) | Seek::PublishTime(_) => StartPosition::Earliest,
            Seek::To(MessageId::LATEST) => StartPosition::Latest,
            Seek::To(id) => StartPosition::At(id),
        };
        self.last_delivered = None;
        self.assembler.clear();
        self.rejoin = None;
        // The broker closes the consumer before it answers SEEK. If it did not, messages from before the seek would
        // arrive, so the client closes it too.
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        self.drop_session();
        Ok(())
    }

    /// Asks for the last message of the topic.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn last_message(&mut self) -> Result<LastMessage, Error> {
        let session = self.connected().await?;
        let consumer_id = session.consumer_id;
        let answer = session
            .connection
            .request("GET_LAST_MESSAGE_ID", |request_id| CommandGetLastMessageId { consumer_id, request_id })
            .await?;
        match answer {
            Command::GetLastMessageIdResponse(response) => Ok(LastMessage {
                last: MessageId::from(&response.last_message_id),
                mark_delete: response.consumer_mark_delete_position.as_ref().map(MessageId::from),
            }),
            _ => Err(Error::unexpected_answer()),
        }
    }

    /// Deletes the subscription.
    ///
    /// # Errors
    /// The broker's refusal, as when other consumers are connected.
    pub async fn unsubscribe(mut self) -> Result<(), Error> {
        let session = self.connected().await?;
        let consumer_id = session.consumer_id;
        let build = |request_id| CommandUnsubscribe { consumer_id, request_id, ..Default::default() };
        session.connection.request("UNSUBSCRIBE", build).await.map(drop)
    }

    /// Closes the consumer; the subscription stays.
    ///
    /// # Errors
    /// None at present: a connection that is lost has closed it too.
    pub async fn close(mut self) -> Result<(), Error> {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let limit = std::time::Duration::from_millis(self.cluster.config().operation_timeout_ms);
        let mut backoff = self.cluster.backoff();
        self.drop_session();
        loop {
            let start = self.resume_position();
            let from = self.rejoin.map_or(start, StartPosition::At);
            match subscribe::subscribe(&self.cluster, &self.options, self.durability, from, self.epoch).await {
                Ok(session) => {
                    self.session = Some(session);
                    self.start = start;
                    let permits = self.permits.restart();
                    self.grant(permits).await;
                    return Ok(());
                }
                Err(error) if !error.is_retryable() || started.elapsed() > limit => return Err(error),
                Err(error) => tracing::debug!(topic = %self.topic, %error, "consumer not opened yet"),
            }
            backoff.wait().await;
        }
    }

    /// Returns where the next session begins. The broker keeps the position of a durable subscription; a reader
    /// continues behind the last message that it has delivered.
    fn resume_position(&self) -> StartPosition {
        match (self.durability, self.last_delivered) {
            (Durability::NonDurable, Some(id)) => StartPosition::After(id),
            _ => self.start,
        }
    }

    async fn connected(&mut self) -> Result<&Session, Error> {
        if self.session.as_ref().is_none_or(Session::is_closed) {
            self.connect().await?;
        }
        self.session.as_ref().ok_or(Error::Disconnected)
    }

    fn drop_session(&mut self) {
        self.session = None;
        self.queue.clear();
        self.acks.clear();
        if self.durability == Durability::NonDurable {
            self.rejoin = self.assembler.first_open().or(self.rejoin);
        }
        self.assembler.clear();
        self.done.clear();
        self.seen = None;
        self.is_window_in_doubt = false;
    }

    async fn refill(&mut self) {
        if let Some(permits) = self.permits.due()
            && self.grant(permits).await
        {
            self.permits.on_granted(permits);
        }
    }

    /// Grants permits. Returns false when the connection is lost; the next session grants its own.
    async fn grant(&self, message_permits: u32) -> bool {
        let Some(session) = &self.session else { return false };
        session.tell(CommandFlow { consumer_id: session.consumer_id, message_permits }).await.is_ok()
    }

    fn on_frame(&mut self, frame: Frame) {
        match frame.command {
            Command::Message(message) => self.on_message(&message, &frame.payload.unwrap_or_default()),
            Command::CloseConsumer(_) => self.drop_session(),
            Command::ActiveConsumerChange(change) => {
                self.active = Some(if change.is_active() { ActiveState::Active } else { ActiveState::Standby });
            }
            _ => {}
        }
    }
}
