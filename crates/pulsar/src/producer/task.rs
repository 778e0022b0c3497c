//! The shell of a producer: one task that carries batches and receipts between caller, core and connection.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bitacora_pulsar_wire::proto::{CommandCloseProducer, CommandProducer, KeyValue, ProducerAccessMode};
use bitacora_pulsar_wire::{Batch, Command, MessageId, ServerError};
use tokio::sync::{mpsc, oneshot, watch};

use super::budget::PendingBudget;
use super::core::{Action, Durable, ProducerCore};
use super::options::ProducerOptions;
use super::progress::{Opened, Progress, SendReceipt};
use crate::cluster::Cluster;
use crate::connection::Connection;
use crate::consumer::{Reader, ReaderOptions, StartPosition};
use crate::error::Error;

pub(super) type Waiter = oneshot::Sender<Result<SendReceipt, Error>>;

/// What the caller asks for. The queue is unbounded in count; the budget bounds its bytes.
#[derive(Debug)]
pub(super) enum Order {
    Send { batch: Batch, waiter: Option<Waiter> },
    Flush(oneshot::Sender<Result<(), Error>>),
    Close(oneshot::Sender<()>),
}

/// An open producer at the broker.
struct Session {
    connection: Arc<Connection>,
    producer_id: u64,
    events: mpsc::UnboundedReceiver<Command>,
}

pub(super) struct Task {
    cluster: Arc<Cluster>,
    options: ProducerOptions,
    budget: PendingBudget,
    progress: watch::Sender<Progress>,
    /// What the topic had before the first receipt, as [`super::Producer::set_known_end`] says.
    known_end: Arc<OnceLock<MessageId>>,
    core: ProducerCore<Option<Waiter>>,
    /// Raised with each opening, so that the broker can tell a newer opening from an older one.
    epoch: u64,
    name: Option<String>,
    topic_epoch: Option<u64>,
    /// Set when the answer to an opening was lost: the broker may then have raised the topic's epoch above the known
    /// one.
    is_epoch_in_doubt: bool,
    flushes: Vec<oneshot::Sender<Result<(), Error>>>,
    /// Whether the broker has told a last sequence id of this producer before.
    has_told_id: bool,
    /// Whether the session got a receipt. After a session without one the producer waits before it opens again.
    has_progressed: bool,
}

/// Why a session ended.
enum End {
    Lost(String),
    Failed(Error),
    Closed(oneshot::Sender<()>),
    Dropped,
}

impl Task {
    pub(super) fn new(
        cluster: Arc<Cluster>,
        options: ProducerOptions,
        budget: PendingBudget,
        progress: watch::Sender<Progress>,
        known_end: Arc<OnceLock<MessageId>>,
    ) -> Self {
        let name = options.name.clone();
        let core = ProducerCore::new(options.chunking);
        Self {
            cluster,
            options,
            budget,
            progress,
            known_end,
            core,
            epoch: 0,
            name,
            topic_epoch: None,
            is_epoch_in_doubt: false,
            flushes: Vec::new(),
            has_told_id: false,
            has_progressed: false,
        }
    }

    /// Opens the producer for the first time, then goes on in the background.
    pub(super) async fn start(mut self, orders: mpsc::UnboundedReceiver<Order>) -> Result<Opened, Error> {
        let (session, opened) = Box::pin(self.open()).await?;
        tokio::spawn(Box::pin(self.run(session, orders)));
        Ok(opened)
    }

    async fn run(mut self, mut session: Session, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut backoff = self.cluster.backoff();
        loop {
            self.has_progressed = false;
            let end = self.serve(&mut session, &mut orders).await;
            self.core.on_closed();
            session.connection.forget_producer(session.producer_id);
            match end {
                End::Dropped => {
                    close(&session).await;
                    self.give_up();
                    return;
                }
                End::Closed(done) => {
                    close(&session).await;
                    self.give_up();
                    // The caller may have given up waiting.
                    let _ = done.send(());
                    return;
                }
                End::Failed(error) => return self.fail(error, orders),
                End::Lost(reason) => {
                    tracing::warn!(topic = %self.options.topic, reason, "producer lost, opening it again");
                    self.progress.send_modify(|progress| progress.reconnect_count += 1);
                    // If the producer stayed open at the broker, it would hold its name against the next opening.
                    if !session.connection.is_closed() {
                        close(&session).await;
                    }
                    if self.has_progressed {
                        backoff = self.cluster.backoff();
                    } else {
                        backoff.wait().await;
                    }
                    session = match Box::pin(self.reopen(&mut orders)).await {
                        Ok(session) => session,
                        Err(error) => return self.fail(error, orders),
                    };
                }
            }
        }
    }

    /// Opens again for as long as it takes; only a refusal that no retry can change ends it.
    async fn reopen(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) -> Result<Session, Error> {
        let mut backoff = self.cluster.backoff();
        loop {
            match self.open().await {
                Ok((session, _)) => return Ok(session),
                Err(error) if !error.is_retryable() => return Err(error),
                Err(error) => tracing::warn!(topic = %self.options.topic, %error, "producer not opened yet"),
            }
            if orders.is_closed() && !self.core.has_pending() {
                return Err(Error::Closed { what: "producer" });
            }
            backoff.wait().await;
        }
    }

    /// Tries to open within the operation timeout.
    async fn open(&mut self) -> Result<(Session, Opened), Error> {
        let limit = Duration::from_millis(self.cluster.config().operation_timeout_ms);
        let started = Instant::now();
        let mut backoff = self.cluster.backoff();
        loop {
            let error = match self.try_open().await {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            // An earlier producer whose connection just broke holds the topic until the broker notices. A producer that
            // fences need not wait for that: if it is refused, another producer has raised the topic's epoch.
            let is_fenced = error.server_error() == Some(ServerError::ProducerFenced);
            let is_held = error.server_error() == Some(ServerError::ProducerBusy)
                || is_fenced && self.options.access_mode != ProducerAccessMode::ExclusiveWithFencing;
            let may_change = error.is_retryable() || is_held;
            let limit = self.options.held_timeout.filter(|_| is_held).unwrap_or(limit);
            if !may_change || started.elapsed() > limit {
                if is_fenced {
                    self.expect_end().await?;
                }
                return Err(error);
            }
            tracing::debug!(topic = %self.options.topic, %error, "producer not opened yet");
            backoff.wait().await;
        }
    }

    async fn try_open(&mut self) -> Result<(Session, Opened), Error> {
        const WHAT: &str = "PRODUCER";
        let connection = self.cluster.topic_connection(&self.options.topic).await?;
        let (producer_id, events) = connection.register_producer();
        let session = Session { connection, producer_id, events };
        let epoch = self.epoch;
        self.epoch += 1;
        let build = |request_id| CommandProducer {
            topic: self.options.topic.to_string(),
            producer_id,
            request_id,
            producer_name: self.name.clone(),
            metadata: self
                .options
                .properties
                .iter()
                .map(|(key, value)| KeyValue { key: key.clone(), value: value.clone() })
                .collect(),
            schema: self.options.schema.clone(),
            epoch: Some(epoch),
            user_provided_producer_name: Some(self.options.name.is_some()),
            producer_access_mode: Some(self.options.access_mode as i32),
            topic_epoch: self.topic_epoch.filter(|_| !self.is_epoch_in_doubt),
            ..Default::default()
        };
        let answer = if self.options.access_mode == ProducerAccessMode::WaitForExclusive {
            match session.connection.start_request(WHAT, build).await {
                Ok(pending) => pending.receive(WHAT).await,
                Err(error) => Err(error),
            }
        } else {
            session.connection.request(WHAT, build).await
        };
        let success = match answer {
            Ok(Command::ProducerSuccess(success)) => success,
            Ok(_) => return Err(Error::unexpected_answer()),
            Err(error) => {
                session.connection.forget_producer(producer_id);
                self.is_epoch_in_doubt |= matches!(error, Error::Disconnected | Error::Timeout { .. });
                return Err(error);
            }
        };
        // Opened without an epoch, because it is in doubt: the broker could not refuse the producer if another one had
        // the topic meanwhile. The last sequence id shows it.
        if self.is_epoch_in_doubt && !self.core.may_have_sent(success.last_sequence_id()) {
            session.connection.forget_producer(producer_id);
            close(&session).await;
            let message = "another producer of this name wrote to the topic meanwhile".to_owned();
            return Err(Error::server(WHAT, ServerError::ProducerFenced as i32, message));
        }
        self.is_epoch_in_doubt = false;
        self.name = Some(success.producer_name.clone());
        if let Err(error) = self.expect_confirmed(success.last_sequence_id()).await {
            session.connection.forget_producer(producer_id);
            close(&session).await;
            return Err(error);
        }
        if self.options.access_mode != ProducerAccessMode::Shared {
            self.topic_epoch = success.topic_epoch.or(self.topic_epoch);
        }
        let max_message_bytes = session.connection.max_message_bytes() as usize;
        for action in self.core.on_opened(producer_id, &success, max_message_bytes) {
            match action {
                Action::Send(frame) => session.connection.send(frame).await?,
                Action::Fail(error) => return Err(error),
                Action::Durable(_) | Action::Reconnect { .. } => {}
            }
        }
        let opened = Opened {
            name: success.producer_name.clone(),
            last_sequence_id: success.last_sequence_id(),
            topic_epoch: success.topic_epoch,
            schema_version: success.schema_version.unwrap_or_default(),
            max_message_bytes,
        };
        Ok((session, opened))
    }

    /// Compares the topic with what the broker has confirmed to this producer: the broker's data may have been replaced
    /// by an older copy. `last` is the last sequence id that the broker knows under the producer's name.
    async fn expect_confirmed(&mut self, last: i64) -> Result<(), Error> {
        let durable = self.progress.borrow().durable_sequence_id;
        if durable < 0 || last >= durable {
            self.has_told_id |= last >= 0;
            return Ok(());
        }
        if last >= 0 || self.has_told_id {
            let (last, confirmed) = (format!("sequence id {last}"), format!("sequence id {durable}"));
            return Err(Error::TopicBehind { topic: self.options.topic.to_string(), last, confirmed });
        }
        // The broker does not deduplicate, or has forgotten the name.
        self.expect_end().await
    }

    /// Fails if the topic ends before a message that the broker has confirmed to this producer. An empty topic is no
    /// failure: its messages may have been consumed and deleted.
    async fn expect_end(&self) -> Result<(), Error> {
        let confirmed = self.progress.borrow().durable_message_id;
        let Some(confirmed) = confirmed.or(self.known_end.get().copied()) else { return Ok(()) };
        let options = ReaderOptions::new(self.options.topic.clone(), StartPosition::Latest);
        let mut reader = Box::pin(Reader::open(Arc::clone(&self.cluster), options)).await?;
        let end = reader.last_message().await?.last;
        reader.close().await?;
        if !end.is_none() && (end.ledger, end.entry) < (confirmed.ledger, confirmed.entry) {
            let (last, confirmed) = (format!("message {end}"), format!("message {confirmed}"));
            return Err(Error::TopicBehind { topic: self.options.topic.to_string(), last, confirmed });
        }
        Ok(())
    }

    /// Works until the session ends.
    async fn serve(&mut self, session: &mut Session, orders: &mut mpsc::UnboundedReceiver<Order>) -> End {
        loop {
            tokio::select! {
                // Receipts have precedence, because they free pending bytes.
                biased;
                event = session.events.recv() => {
                    let Some(event) = event else { return End::Lost("the connection was lost".to_owned()) };
                    let actions = match &event {
                        Command::SendReceipt(receipt) => self.core.on_receipt(receipt),
                        Command::SendError(error) => vec![self.core.on_send_error(error)],
                        Command::CloseProducer(_) => return End::Lost("the broker closed the producer".to_owned()),
                        _ => Vec::new(),
                    };
                    if let Some(end) = self.act(actions, session).await {
                        return end;
                    }
                }
                order = orders.recv() => match order {
                    Some(Order::Send { batch, waiter }) => {
                        let actions = self.core.enqueue(batch, waiter);
                        if let Some(end) = self.act(actions, session).await {
                            return end;
                        }
                    }
                    Some(Order::Flush(done)) => {
                        self.flushes.push(done);
                        self.answer_flushes();
                    }
                    Some(Order::Close(done)) => return End::Closed(done),
                    None => return End::Dropped,
                },
            }
        }
    }

    async fn act(&mut self, actions: Vec<Action<Option<Waiter>>>, session: &Session) -> Option<End> {
        for action in actions {
            match action {
                Action::Send(frame) => {
                    if session.connection.send(frame).await.is_err() {
                        return Some(End::Lost("the connection was lost".to_owned()));
                    }
                }
                Action::Durable(durable) => self.on_durable(durable),
                Action::Reconnect { reason } => return Some(End::Lost(reason)),
                Action::Fail(error) => return Some(End::Failed(error)),
            }
        }
        None
    }

    fn on_durable(&mut self, durable: Durable<Option<Waiter>>) {
        self.has_progressed = true;
        self.budget.give_back(durable.entry_bytes);
        let sequence_id = durable.highest_sequence_id;
        self.progress.send_modify(|progress| {
            progress.durable_sequence_id = sequence_id.cast_signed();
            if !durable.message_id.is_none() {
                progress.durable_message_id = Some(durable.message_id);
            }
            progress.duplicate_count += u64::from(durable.message_id.is_none());
        });
        if let Some(waiter) = durable.waiter {
            // The caller may have given up waiting.
            let _ = waiter.send(Ok(SendReceipt { message_id: durable.message_id, sequence_id }));
        }
        self.answer_flushes();
    }

    fn answer_flushes(&mut self) {
        if self.core.has_pending() {
            return;
        }
        for done in self.flushes.drain(..) {
            let _ = done.send(Ok(()));
        }
    }

    /// Drops the pending batches and frees their bytes.
    fn give_up(&mut self) {
        for (_, entry_bytes) in self.core.drain() {
            self.budget.give_back(entry_bytes);
        }
    }

    /// Answers all current and later callers with the reason why the producer has failed.
    fn fail(mut self, error: Error, mut orders: mpsc::UnboundedReceiver<Order>) {
        tracing::error!(topic = %self.options.topic, %error, "producer failed");
        self.progress.send_modify(|progress| progress.failure = Some(error.clone()));
        orders.close();
        let mut waiters = Vec::new();
        for (waiter, entry_bytes) in self.core.drain() {
            self.budget.give_back(entry_bytes);
            waiters.extend(waiter);
        }
        while let Ok(order) = orders.try_recv() {
            match order {
                Order::Send { batch, waiter } => {
                    self.budget.give_back(batch.entry.len());
                    waiters.extend(waiter);
                }
                Order::Flush(done) => self.flushes.push(done),
                Order::Close(done) => drop(done),
            }
        }
        for waiter in waiters {
            let _ = waiter.send(Err(error.clone()));
        }
        for done in self.flushes.drain(..) {
            let _ = done.send(Err(error.clone()));
        }
    }
}

/// Closes the producer at the broker. A failure is ignored: it means a lost connection, with which the broker closes
/// it.
async fn close(session: &Session) {
    let producer_id = session.producer_id;
    let build = |request_id| CommandCloseProducer { producer_id, request_id, ..Default::default() };
    let _ = session.connection.request("CLOSE_PRODUCER", build).await;
}
