//! The shell around the core: one loop that carries messages between consumer, handlers and dead letters.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitacora_pulsar_wire::proto::SubType;
use bitacora_pulsar_wire::{MessageId, ServerError, SingleMessageMetadata, TopicName};
use bytes::Bytes;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, sleep_until, timeout};

use super::core::{Arrived, Bounds, Core, Due, OnArrival, Order};
use super::dead_letter::Postman;
use super::options::WorkerOptions;
use super::outcome::Outcome;
use crate::client::Client;
use crate::consumer::{ChunkLimits, Consumer, ConsumerOptions, Message};
use crate::error::Error;

/// Waiting time after a broker could not be reached; before that, the client has tried for its operation timeout.
const BROKER_WAIT: Duration = Duration::from_secs(1);

/// How long an attempt to subscribe lasts before the log says that the broker does not answer. The client itself tries
/// in silence for its operation timeout.
const SILENCE: Duration = Duration::from_secs(3);

/// How long the worker waits for aborted handlers. A handler that blocks its thread does not notice the abort, and ends
/// with the process.
const ABORT_LIMIT: Duration = Duration::from_secs(1);

/// Consumes until `stop` completes: passes every message to `handler` and does what the handler answers.
///
/// Waits for a broker that is away, also at the start. Once `stop` has completed it starts no handler, gives the
/// running ones [`WorkerOptions::grace`] to finish, and leaves what is not done unacknowledged.
///
/// # Errors
/// [`Error::Subscription`] when the broker refuses what no retry can change.
///
/// # Example
/// ```no_run
/// use bitacora_pulsar::wire::TopicName;
/// use bitacora_pulsar::{Client, ClientConfig, Error, Outcome, WorkerOptions, run_subscription_worker};
///
/// # async fn run() -> Result<(), Error> {
/// let client = Client::new(ClientConfig::url("pulsar://127.0.0.1:6650"))?;
/// let options = WorkerOptions::new(TopicName::parse("orders")?, "shipping", TopicName::parse("orders-dead")?);
/// let stop = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
/// run_subscription_worker(&client, options, stop, |message| async move {
///     match message.value() {
///         Some(order) => ship(order).await,
///         None => Outcome::Rejected("an order has no content".to_owned()),
///     }
/// })
/// .await
/// # }
/// # async fn ship(order: &[u8]) -> Outcome { Outcome::Done }
/// ```
pub async fn run_subscription_worker<M, F>(
    client: &Client,
    options: WorkerOptions,
    stop: impl Future<Output = ()>,
    handler: M,
) -> Result<(), Error>
where
    M: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let mut stop = pin!(stop);
    let postman = Box::new(postman(client, &options));
    let consumer = tokio::select! {
        () = &mut stop => return Ok(()),
        opened = open(client, &options) => opened?,
    };
    tracing::info!(topic = %options.topic, subscription = %options.subscription, "consuming");
    let mut worker = Worker {
        core: Core::new(
            options.retry,
            Bounds {
                parallelism: options.parallelism,
                max_messages: options.max_messages,
                max_bytes: options.max_bytes,
            },
        ),
        options,
        consumer,
        handler: Arc::new(handler),
        messages: HashMap::new(),
        tasks: JoinSet::new(),
        errands: HashMap::new(),
        postman: Some(postman),
        letters: VecDeque::new(),
        client: client.clone(),
    };
    let outcome = Box::pin(worker.work(stop)).await;
    Box::pin(worker.end()).await;
    outcome
}

fn postman(client: &Client, options: &WorkerOptions) -> Postman {
    Postman::new(client.clone(), options.dead_letter_topic.clone(), options.dead_letter_properties.clone())
}

fn consumer_options(options: &WorkerOptions) -> ConsumerOptions {
    ConsumerOptions {
        sub_type: SubType::Shared,
        initial_position: options.initial_position,
        // Little is fetched ahead, so that other consumers of the subscription get their share. When the connection is
        // lost, the broker also counts a redelivery for everything that waits here.
        chunks: ChunkLimits { max_bytes: options.max_bytes, ..ChunkLimits::default() },
        receiver_queue: u32::try_from(options.parallelism.max(1) * 4).unwrap_or(u32::MAX).min(1000),
        ..ConsumerOptions::new(options.topic.clone(), options.subscription.clone())
    }
}

async fn open(client: &Client, options: &WorkerOptions) -> Result<Consumer, Error> {
    loop {
        let mut opening = pin!(client.consumer(consumer_options(options)));
        let opened = match timeout(SILENCE, &mut opening).await {
            Ok(opened) => opened,
            Err(_) => {
                tracing::warn!(topic = %options.topic, "the broker does not answer yet");
                opening.await
            }
        };
        match opened {
            Ok(consumer) => return Ok(consumer),
            Err(error) if !is_worth_waiting(&error) => return Err(options.refused(error)),
            Err(error) => tracing::warn!(topic = %options.topic, %error, "not subscribed yet"),
        }
        sleep(BROKER_WAIT).await;
    }
}

/// Returns whether waiting may help. A topic that does not exist is created by its first producer.
fn is_worth_waiting(error: &Error) -> bool {
    error.is_retryable() || error.server_error() == Some(ServerError::TopicNotFound)
}

/// What a task has done.
enum Ended {
    Handled(Outcome),
    /// A dead letter was sent or not; the postman is returned for the next one.
    Letter(Box<Postman>, Result<(), Error>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Handle,
    Bury,
}

enum Event {
    Stop,
    Task(Result<(Id, Ended), JoinError>),
    Deadline,
    Message(Box<Result<Message, Error>>),
}

struct Worker<M> {
    core: Core,
    options: WorkerOptions,
    consumer: Consumer,
    handler: Arc<M>,
    /// Messages that the core knows as under way.
    messages: HashMap<MessageId, Message>,
    tasks: JoinSet<Ended>,
    /// Which message each task works on.
    errands: HashMap<Id, (MessageId, Errand)>,
    /// `None` while a task sends a letter.
    postman: Option<Box<Postman>>,
    /// Letters that wait for the postman; at most as many as messages are handled at the same time.
    letters: VecDeque<(MessageId, String)>,
    client: Client,
}

impl<M, F> Worker<M>
where
    M: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    async fn work(&mut self, mut stop: std::pin::Pin<&mut impl Future<Output = ()>>) -> Result<(), Error> {
        loop {
            while let Some(due) = self.core.due(Instant::now()) {
                match due {
                    Due::Handle(id) => self.handle(id),
                    Due::GiveBack(id) => {
                        self.messages.remove(&id);
                        self.consumer.negative_acknowledge(id).await.map_err(|error| self.options.refused(error))?;
                    }
                }
            }
            let (deadline, has_room) = (self.core.deadline(), self.core.has_room());
            let event = tokio::select! {
                biased;
                () = &mut stop => Event::Stop,
                Some(done) = self.tasks.join_next_with_id() => Event::Task(done),
                () = wait_until(deadline) => Event::Deadline,
                received = self.consumer.receive(), if has_room => Event::Message(Box::new(received)),
            };
            match event {
                Event::Stop => return Ok(()),
                Event::Deadline => {}
                Event::Task(done) => self.task_ended(done).await?,
                Event::Message(received) => match *received {
                    Ok(message) => self.message(message).await?,
                    Err(error) => self.not_received(error).await?,
                },
            }
        }
    }

    async fn message(&mut self, message: Message) -> Result<(), Error> {
        let id = message.id;
        let arrived = Arrived {
            id,
            entry_messages: message
                .entry
                .num_messages_in_batch
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(1),
            bytes: message.payload.len(),
            redelivery_count: message.redelivery_count,
        };
        match self.core.arrive(arrived) {
            OnArrival::Ignore => Ok(()),
            OnArrival::Acknowledge => self.acknowledge(id).await,
            OnArrival::Handle => {
                self.messages.insert(id, message);
                self.handle(id);
                Ok(())
            }
        }
    }

    /// Makes an unreadable message a dead letter, waits for a broker that is away, and ends the worker on a refusal.
    async fn not_received(&mut self, error: Error) -> Result<(), Error> {
        match error {
            Error::Unreadable { id, reason, entry, redelivery_count } => {
                let message = unreadable(self.consumer.topic(), id, *entry, redelivery_count);
                let arrived = Arrived { id, entry_messages: 1, bytes: message.payload.len(), redelivery_count };
                match self.core.arrive(arrived) {
                    OnArrival::Ignore => Ok(()),
                    OnArrival::Acknowledge => self.acknowledge(id).await,
                    OnArrival::Handle => {
                        self.messages.insert(id, message);
                        self.handled(id, Outcome::Rejected(format!("it cannot be read: {reason}"))).await
                    }
                }
            }
            error if is_worth_waiting(&error) => {
                tracing::warn!(topic = %self.options.topic, %error, "the broker is away");
                sleep(BROKER_WAIT).await;
                Ok(())
            }
            error => Err(self.options.refused(error)),
        }
    }

    fn handle(&mut self, id: MessageId) {
        if let Some(message) = self.messages.get(&id) {
            let handling = (self.handler)(message.clone());
            let task = self.tasks.spawn(async move { Ended::Handled(handling.await) });
            self.errands.insert(task.id(), (id, Errand::Handle));
        }
    }

    async fn task_ended(&mut self, done: Result<(Id, Ended), JoinError>) -> Result<(), Error> {
        let task = done.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        let Some((id, errand)) = self.errands.remove(&task) else { return Ok(()) };
        match done {
            Ok((_, Ended::Handled(outcome))) => self.handled(id, outcome).await,
            Ok((_, Ended::Letter(postman, sent))) => {
                self.postman = Some(postman);
                let order = match sent {
                    Ok(()) => self.core.buried(id),
                    Err(error) => self.not_buried(id, &error),
                };
                self.carry_out(id, order).await
            }
            Err(error) if errand == Errand::Handle => {
                self.handled(id, Outcome::Retry(format!("its handler broke off: {error}"))).await
            }
            Err(error) => {
                self.postman = Some(Box::new(postman(&self.client, &self.options)));
                let order = self.not_buried(id, &error);
                self.carry_out(id, order).await
            }
        }
    }

    fn not_buried(&mut self, id: MessageId, error: &dyn std::fmt::Display) -> Order {
        let topic = &self.options.dead_letter_topic;
        tracing::error!(%topic, message = %id, %error, "a dead letter cannot be stored yet");
        self.core.not_buried(id, Instant::now())
    }

    async fn handled(&mut self, id: MessageId, outcome: Outcome) -> Result<(), Error> {
        match &outcome {
            Outcome::Done => {}
            Outcome::Rejected(reason) => tracing::warn!(message = %id, reason, "a message can never be handled"),
            Outcome::Retry(reason) | Outcome::Unavailable(reason) => {
                tracing::warn!(message = %id, reason, "a message could not be handled");
            }
        }
        let order = self.core.tried(id, outcome, Instant::now());
        self.carry_out(id, order).await
    }

    async fn carry_out(&mut self, id: MessageId, order: Order) -> Result<(), Error> {
        match order {
            Order::Acknowledge => {
                self.messages.remove(&id);
                self.acknowledge(id).await?;
            }
            Order::Hold => {}
            Order::Bury(reason) => self.letters.push_back((id, reason)),
        }
        self.send_next_letter();
        Ok(())
    }

    /// Sends the next letter unless one is being sent.
    fn send_next_letter(&mut self) {
        while self.postman.is_some() {
            let Some((id, reason)) = self.letters.pop_front() else { return };
            let Some(message) = self.messages.get(&id).cloned() else { continue };
            let Some(mut postman) = self.postman.take() else { return };
            let task = self.tasks.spawn(async move {
                let sent = postman.send(&message, &reason).await;
                Ended::Letter(postman, sent)
            });
            self.errands.insert(task.id(), (id, Errand::Bury));
        }
    }

    async fn acknowledge(&mut self, id: MessageId) -> Result<(), Error> {
        self.consumer.acknowledge(id).await.map_err(|error| self.options.refused(error))
    }

    /// Lets running handlers finish, then leaves everything else to the next consumer.
    async fn end(mut self) {
        let grace = self.options.grace;
        let finishing = async {
            while let Some(done) = self.tasks.join_next_with_id().await {
                if self.task_ended(done).await.is_err() {
                    return;
                }
            }
        };
        if timeout(grace, finishing).await.is_err() {
            tracing::warn!(count = self.tasks.len(), "handlers are broken off; their messages come again");
        }
        let _ = timeout(ABORT_LIMIT, self.tasks.shutdown()).await;
        let closing = async {
            if let Some(postman) = self.postman.take() {
                postman.close().await;
            }
            self.consumer.close().await
        };
        // If the broker does not answer in time, it will notice the end of the connection instead.
        let _ = timeout(grace, closing).await;
    }
}

/// Returns an entry that cannot be read as a message for its dead letter: its bytes as the broker delivered them.
fn unreadable(topic: &TopicName, id: MessageId, entry: Bytes, redelivery_count: u32) -> Message {
    Message {
        topic: Arc::new(topic.clone()),
        id,
        metadata: SingleMessageMetadata {
            payload_size: i32::try_from(entry.len()).unwrap_or(i32::MAX),
            ..SingleMessageMetadata::default()
        },
        payload: entry,
        entry: Arc::default(),
        redelivery_count,
        first_chunk_id: None,
    }
}

/// Sleeps until the deadline; without one it never ends.
async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
