//! A connection to one broker, shared by the producers and consumers whose topics live there.
//!
//! Life cycle: transport, CONNECT/CONNECTED, then one task that reads, routes and keeps alive. When it ends, every
//! waiter gets [`Error::Disconnected`] and every mailbox closes; the owners then look their topic up again and connect
//! again. The task that writes to the socket ends with it: if the host has vanished, the kernel would try to send for a
//! quarter of an hour.

mod core;
mod transport;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitacora_pulsar_wire::proto::{AuthData, CommandAuthResponse, CommandConnect, CommandConnected, FeatureFlags};
use bitacora_pulsar_wire::{Command, DEFAULT_MAX_MESSAGE_BYTES, Frame, PROTOCOL_VERSION};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use self::core::{ConnectionCore, Keepalive, Route};
use self::transport::{Incoming, Transport, Writer};
use crate::config::{ClientConfig, Endpoint};
use crate::error::Error;
use crate::service_url::ServiceUrl;

/// Version text that the broker shows for this client.
pub(crate) const CLIENT_VERSION: &str = concat!("Bitacora-", env!("CARGO_PKG_VERSION"));

/// Which connection: the address to dial and, through a proxy, the broker behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Local,
    Broker { dial: ServiceUrl, behind_proxy: Option<String> },
}

/// How long the connection still writes queued frames after its last handle was dropped.
const LINGER: Duration = Duration::from_secs(5);

type Waiter = oneshot::Sender<Result<Command, Error>>;

/// Mailboxes need no bound of their own: sent batches bound the receipts, and permits bound the messages.
type ProducerMailbox = mpsc::UnboundedSender<Command>;
type ConsumerMailbox = mpsc::UnboundedSender<Frame>;

#[derive(Debug)]
struct Shared {
    core: ConnectionCore<Waiter>,
    producers: HashMap<u64, ProducerMailbox>,
    consumers: HashMap<u64, ConsumerMailbox>,
    is_closed: bool,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    // A std mutex: held for a map access only, never across an await.
    shared: Arc<Mutex<Shared>>,
    outgoing: mpsc::Sender<Frame>,
    connected: CommandConnected,
    operation_timeout: Duration,
    /// Its sender is dropped when the connection has ended.
    ended: watch::Receiver<()>,
    /// Dropped with the last handle; ends the task.
    _alive: watch::Sender<()>,
}

impl Connection {
    /// Connects and shakes hands.
    pub(crate) async fn open(target: &Target, config: &ClientConfig) -> Result<Arc<Self>, Error> {
        let limit = Duration::from_millis(config.connect_timeout_ms);
        let timed_out = |_| Error::Timeout { what: "CONNECT", timeout_ms: config.connect_timeout_ms };
        timeout(limit, Box::pin(Self::open_unlimited(target, config))).await.map_err(timed_out)?
    }

    async fn open_unlimited(target: &Target, config: &ClientConfig) -> Result<Arc<Self>, Error> {
        let (Transport { outgoing, mut incoming, writer }, behind_proxy) = match (target, &config.endpoint) {
            (Target::Broker { dial, behind_proxy }, _) => {
                (transport::open_socket(dial, config).await?, behind_proxy.clone())
            }
            (Target::Local, Endpoint::Local(factory)) => (transport::open_local(factory)?, None),
            (Target::Local, Endpoint::Url(_)) => return Err(Error::Disconnected),
        };
        let connected = shake_hands(&outgoing, &mut incoming, config, behind_proxy).await?;
        let shared = Arc::new(Mutex::new(Shared {
            core: ConnectionCore::new(),
            producers: HashMap::new(),
            consumers: HashMap::new(),
            is_closed: false,
        }));
        let (alive, alive_seen) = watch::channel(());
        let (end, ended) = watch::channel(());
        let task =
            Task { shared: Arc::clone(&shared), outgoing: outgoing.downgrade(), config: config.clone(), _end: end };
        tokio::spawn(task.run(incoming, writer, alive_seen));
        let operation_timeout = Duration::from_millis(config.operation_timeout_ms);
        Ok(Arc::new(Self { shared, outgoing, connected, operation_timeout, ended, _alive: alive }))
    }

    /// Returns the largest message that the broker accepts.
    pub(crate) fn max_message_bytes(&self) -> u32 {
        max_message_bytes(&self.connected)
    }

    pub(crate) fn features(&self) -> FeatureFlags {
        self.connected.feature_flags.clone().unwrap_or_default()
    }

    pub(crate) fn server_version(&self) -> &str {
        &self.connected.server_version
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Sends a request and waits for its answer. ERROR becomes [`Error::Server`].
    pub(crate) async fn request<C: Into<Command>>(
        &self,
        what: &'static str,
        build: impl FnOnce(u64) -> C,
    ) -> Result<Command, Error> {
        let asked = async { self.start_request(what, build).await?.receive(what).await };
        timeout(self.operation_timeout, asked).await.map_err(|_| self.timed_out(what))?
    }

    /// Sends a request whose answer has no time limit; sending it has one.
    pub(crate) async fn start_request<C: Into<Command>>(
        &self,
        what: &'static str,
        build: impl FnOnce(u64) -> C,
    ) -> Result<PendingAnswer, Error> {
        let (waiter, receiver) = oneshot::channel();
        let (request_id, command) = {
            let mut shared = self.lock();
            if shared.is_closed {
                return Err(Error::Disconnected);
            }
            let request_id = shared.core.next_id();
            shared.core.expect_answer(request_id, waiter);
            (request_id, build(request_id).into())
        };
        let answer = PendingAnswer { receiver, request_id, shared: Arc::clone(&self.shared) };
        let sent = timeout(self.operation_timeout, self.send(Frame::new(command))).await;
        sent.map_err(|_| self.timed_out(what))??;
        Ok(answer)
    }

    /// Sends a frame. Waits while the queue is full, but no longer than the connection lasts.
    pub(crate) async fn send(&self, frame: Frame) -> Result<(), Error> {
        let mut ended = self.ended.clone();
        tokio::select! {
            biased;
            sent = self.outgoing.send(frame) => sent.map_err(|_| Error::Disconnected),
            // Nothing is ever sent on it.
            _ = ended.changed() => Err(Error::Disconnected),
        }
    }

    fn timed_out(&self, what: &'static str) -> Error {
        let timeout_ms = u64::try_from(self.operation_timeout.as_millis()).unwrap_or(u64::MAX);
        Error::Timeout { what, timeout_ms }
    }

    /// Registers a producer: its id and what the broker tells it, until the connection ends.
    pub(crate) fn register_producer(&self) -> (u64, mpsc::UnboundedReceiver<Command>) {
        let (mailbox, events) = mpsc::unbounded_channel();
        let mut shared = self.lock();
        let id = shared.core.next_id();
        if !shared.is_closed {
            shared.producers.insert(id, mailbox);
        }
        (id, events)
    }

    /// Registers a consumer: its id and what the broker tells it, until the connection ends.
    pub(crate) fn register_consumer(&self) -> (u64, mpsc::UnboundedReceiver<Frame>) {
        let (mailbox, events) = mpsc::unbounded_channel();
        let mut shared = self.lock();
        let id = shared.core.next_id();
        if !shared.is_closed {
            shared.consumers.insert(id, mailbox);
        }
        (id, events)
    }

    pub(crate) fn forget_producer(&self, id: u64) {
        self.lock().producers.remove(&id);
    }

    pub(crate) fn forget_consumer(&self, id: u64) {
        self.lock().consumers.remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that has not come yet. Dropping it forgets the request.
pub(crate) struct PendingAnswer {
    receiver: oneshot::Receiver<Result<Command, Error>>,
    request_id: u64,
    shared: Arc<Mutex<Shared>>,
}

impl PendingAnswer {
    pub(crate) async fn receive(mut self, what: &'static str) -> Result<Command, Error> {
        match (&mut self.receiver).await {
            Ok(Ok(Command::Error(error))) => Err(Error::server(what, error.error, error.message)),
            Ok(answer) => answer,
            Err(_) => Err(Error::Disconnected),
        }
    }
}

impl Drop for PendingAnswer {
    fn drop(&mut self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).core.forget(self.request_id);
    }
}

fn max_message_bytes(connected: &CommandConnected) -> u32 {
    connected
        .max_message_size
        .and_then(|bytes| u32::try_from(bytes).ok())
        .filter(|bytes| *bytes > 0)
        .unwrap_or(DEFAULT_MAX_MESSAGE_BYTES)
}

async fn shake_hands(
    outgoing: &mpsc::Sender<Frame>,
    incoming: &mut Incoming,
    config: &ClientConfig,
    proxy_to_broker_url: Option<String>,
) -> Result<CommandConnected, Error> {
    let auth_data = config.auth.data()?;
    let connect = CommandConnect {
        client_version: CLIENT_VERSION.to_owned(),
        protocol_version: Some(PROTOCOL_VERSION),
        auth_method_name: auth_data.is_some().then(|| config.auth.method().to_owned()),
        auth_data: auth_data.map(Into::into),
        proxy_to_broker_url,
        feature_flags: Some(FeatureFlags {
            supports_auth_refresh: Some(true),
            supports_get_partitioned_metadata_without_auto_creation: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    outgoing.send(connect.into()).await.map_err(|_| Error::Disconnected)?;
    match incoming.next().await?.map(|frame| frame.command) {
        Some(Command::Connected(connected)) => {
            incoming.set_max_message_bytes(max_message_bytes(&connected));
            Ok(connected)
        }
        Some(Command::Error(error)) => Err(Error::server("CONNECT", error.error, error.message)),
        Some(_) => Err(Error::Protocol { reason: "it answered CONNECT with something else" }),
        None => Err(Error::Disconnected),
    }
}

/// Reads, routes, keeps alive.
struct Task {
    shared: Arc<Mutex<Shared>>,
    // Weak, so that the writer ends with the last handle.
    outgoing: mpsc::WeakSender<Frame>,
    config: ClientConfig,
    /// Dropped last, so that a task that waits for this finds the connection marked as closed.
    _end: watch::Sender<()>,
}

impl Task {
    async fn run(self, mut incoming: Incoming, writer: Option<Writer>, mut alive: watch::Receiver<()>) {
        let mut keepalive = tokio::time::interval(Duration::from_millis(self.config.keepalive_ms.max(1)));
        keepalive.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        keepalive.tick().await;
        loop {
            tokio::select! {
                frame = incoming.next() => match frame {
                    Ok(Some(frame)) => if !self.on_frame(frame) { break },
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "connection to the broker closed");
                        break;
                    }
                },
                _ = keepalive.tick() => {
                    let (decision, ping) = self.lock().core.on_keepalive();
                    if decision == Keepalive::PeerIsDead {
                        tracing::warn!("the broker is silent, connection closed");
                        break;
                    }
                    self.reply(ping);
                }
                _ = alive.changed() => {
                    self.close();
                    if let Some(writer) = writer {
                        writer.finish(LINGER).await;
                    }
                    return;
                }
            }
        }
        self.close();
    }

    /// Answers all waiters with the end of the connection.
    fn close(&self) {
        let mut shared = self.lock();
        shared.is_closed = true;
        for waiter in shared.core.drain() {
            // A waiter that is gone has given up already.
            let _ = waiter.send(Err(Error::Disconnected));
        }
        shared.producers.clear();
        shared.consumers.clear();
    }

    /// Routes a frame. Returns false if the connection has to end. A mailbox whose owner was dropped is not a fault.
    fn on_frame(&self, frame: Frame) -> bool {
        let mut shared = self.lock();
        match shared.core.on_frame(frame) {
            Route::Answer(waiter, command) => drop(waiter.send(Ok(command))),
            Route::Producer(id, command) => {
                if let Some(mailbox) = shared.producers.get(&id) {
                    drop(mailbox.send(command));
                }
            }
            Route::Consumer(id, frame) => {
                if let Some(mailbox) = shared.consumers.get(&id) {
                    drop(mailbox.send(frame));
                }
            }
            Route::Reply(command) => self.reply(command),
            Route::AuthChallenge => match self.config.auth.data() {
                Ok(data) => self.reply(
                    CommandAuthResponse {
                        client_version: Some(CLIENT_VERSION.to_owned()),
                        protocol_version: Some(PROTOCOL_VERSION),
                        response: Some(AuthData {
                            auth_method_name: Some(self.config.auth.method().to_owned()),
                            auth_data: data.map(Into::into),
                        }),
                    }
                    .into(),
                ),
                Err(error) => {
                    tracing::warn!(%error, "the broker asks for fresh credentials");
                    return false;
                }
            },
            Route::Refused(command) => {
                if let Command::Error(error) = command {
                    tracing::warn!(message = error.message, "the broker closes the connection");
                }
                return false;
            }
            Route::Ignored => {}
        }
        true
    }

    /// Answers without waiting. If the outgoing queue is full, its frames are a sign of life anyway.
    fn reply(&self, command: Command) {
        if let Some(outgoing) = self.outgoing.upgrade() {
            let _ = outgoing.try_send(command.into());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
