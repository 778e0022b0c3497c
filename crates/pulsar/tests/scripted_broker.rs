//! Brokers that redirect, proxy, refuse, fall silent or answer wrongly, which a single real broker never does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitacora_pulsar::wire::proto::*;
use bitacora_pulsar::wire::{
    BatchBuilder, Codec, Command, EntryHeader, Frame, FrameDecoder, OutgoingMessage, ServerError, TopicName, encode,
};
use bitacora_pulsar::{
    Auth, AutoCreation, Client, ClientConfig, ConsumerOptions, Error, PendingBudget, Producer, ProducerOptions,
};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Answers a command of the connection with this number.
type Script = Arc<dyn Fn(usize, &Command) -> Vec<Frame> + Send + Sync>;

/// A broker whose answers are scripted, except those to CONNECT and PING.
struct Scripted {
    address: SocketAddr,
    connects: Arc<Mutex<Vec<CommandConnect>>>,
}

impl Scripted {
    async fn start(script: impl Fn(usize, &Command) -> Vec<Frame> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connects = Arc::new(Mutex::new(Vec::new()));
        let (seen, script): (_, Script) = (Arc::clone(&connects), Arc::new(script));
        tokio::spawn(async move {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, number, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { address, connects }
    }

    fn url(&self) -> String {
        format!("pulsar://{}", self.address)
    }

    fn client(&self) -> Client {
        Client::new(ClientConfig { operation_timeout_ms: 2_000, ..ClientConfig::url(self.url()) }).unwrap()
    }
}

async fn serve(mut stream: TcpStream, number: usize, script: Script, connects: Arc<Mutex<Vec<CommandConnect>>>) {
    let decoder = FrameDecoder::default();
    let mut buffer = BytesMut::new();
    loop {
        while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
            let mut answers = script(number, &frame.command);
            if let (Command::Connect(connect), true) = (&frame.command, answers.is_empty()) {
                connects.lock().unwrap().push((**connect).clone());
                answers.push(CommandConnected { server_version: "scripted".into(), ..Default::default() }.into());
            }
            let mut out = BytesMut::new();
            for answer in &answers {
                encode(answer, &mut out);
            }
            if stream.write_all(&out).await.is_err() {
                return;
            }
            if matches!(answers.last().map(|frame| &frame.command), Some(Command::ReachedEndOfTopic(_))) {
                // In these scripts: hang up.
                return;
            }
            if matches!(answers.last().map(|frame| &frame.command), Some(Command::ActiveConsumerChange(_))) {
                // In these scripts: the host vanishes. The socket stays, and nobody reads from it.
                std::future::pending::<()>().await;
            }
        }
        if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

fn hang_up() -> Frame {
    CommandReachedEndOfTopic { consumer_id: 0 }.into()
}

fn vanish() -> Frame {
    CommandActiveConsumerChange::default().into()
}

fn lookup(request_id: u64, url: &str, kind: LookupType, through_proxy: bool) -> Frame {
    CommandLookupTopicResponse {
        broker_service_url: Some(url.to_owned()),
        response: Some(kind as i32),
        request_id,
        authoritative: Some(true),
        proxy_through_service_url: Some(through_proxy),
        ..Default::default()
    }
    .into()
}

fn opened(command: &Command, last_sequence_id: i64) -> Option<Frame> {
    let Command::Producer(producer) = command else { return None };
    let success = CommandProducerSuccess {
        request_id: producer.request_id,
        producer_name: "p".into(),
        last_sequence_id: Some(last_sequence_id),
        ..Default::default()
    };
    Some(success.into())
}

fn topic() -> TopicName {
    TopicName::parse("t").unwrap()
}

fn message(sequence_id: u64) -> OutgoingMessage<'static> {
    OutgoingMessage { value: Some(b"v"), sequence_id, ..Default::default() }
}

#[tokio::test]
async fn a_redirect_is_followed_to_the_broker_that_serves_the_topic() {
    let owner = Scripted::start(|_, command| match command {
        Command::LookupTopic(ask) if ask.authoritative() => {
            vec![lookup(ask.request_id, "pulsar://127.0.0.1:1", LookupType::Connect, true)]
        }
        _ => opened(command, 7).into_iter().collect(),
    })
    .await;
    let owner_url = owner.url();
    let front = Scripted::start(move |_, command| match command {
        Command::LookupTopic(ask) => vec![lookup(ask.request_id, &owner_url, LookupType::Redirect, false)],
        _ => opened(command, 8).into_iter().collect(),
    })
    .await;
    let producer = front.client().producer(ProducerOptions::new(topic())).await.unwrap();
    // The owner said "through the proxy": the producer is at the front, by a connection that names the broker behind.
    assert_eq!(producer.last_sequence_id(), 8);
    assert_eq!(owner.connects.lock().unwrap().len(), 1);
    let behind: Vec<_> = front.connects.lock().unwrap().iter().map(|c| c.proxy_to_broker_url.clone()).collect();
    assert_eq!(behind, [None, Some("127.0.0.1:1".to_owned())]);
}

#[tokio::test]
async fn redirects_without_end_are_given_up() {
    let own_url = Arc::new(Mutex::new(String::new()));
    let url = Arc::clone(&own_url);
    let broker = Scripted::start(move |_, command| match command {
        Command::LookupTopic(ask) => {
            vec![lookup(ask.request_id, &url.lock().unwrap(), LookupType::Redirect, false)]
        }
        _ => Vec::new(),
    })
    .await;
    *own_url.lock().unwrap() = broker.url();
    let refused = broker.client().producer(ProducerOptions::new(topic())).await.unwrap_err();
    assert!(matches!(refused, Error::Protocol { .. }), "{refused}");
}

#[tokio::test]
async fn credentials_are_sent_and_a_refusal_is_told_in_the_brokers_words() {
    let broker = Scripted::start(|_, command| match command {
        Command::Connect(connect) if connect.auth_data.as_deref() != Some(b"right") => {
            vec![CommandError { request_id: u64::MAX, error: 3, message: "bad token".into() }.into()]
        }
        _ => Vec::new(),
    })
    .await;
    let with = |token: &str| ClientConfig { auth: Auth::Token(token.into()), ..ClientConfig::url(broker.url()) };
    let refused = Client::new(with("wrong")).unwrap().check().await.unwrap_err();
    assert_eq!(refused.server_error(), Some(ServerError::AuthenticationError));
    assert!(refused.to_string().contains("bad token") && !refused.to_string().contains("wrong"), "{refused}");
    assert!(!format!("{:?}", with("wrong")).contains("wrong"));
    assert_eq!(Client::new(with("right")).unwrap().check().await.unwrap(), "scripted");
    assert_eq!(broker.connects.lock().unwrap()[0].auth_method_name.as_deref(), Some("token"));
}

/// First connection: hangs up at the first SEND. Second: an error. Third: a receipt.
#[tokio::test]
async fn a_message_is_sent_again_until_it_has_its_receipt() {
    let sends = Arc::new(Mutex::new(Vec::new()));
    let (seen, own_url) = (Arc::clone(&sends), Arc::new(Mutex::new(String::new())));
    let url = Arc::clone(&own_url);
    let broker = Scripted::start(move |_, command| match command {
        Command::LookupTopic(ask) => vec![lookup(ask.request_id, &url.lock().unwrap(), LookupType::Connect, false)],
        Command::Send(send) => {
            let mut seen = seen.lock().unwrap();
            seen.push(send.sequence_id);
            let (producer_id, sequence_id) = (send.producer_id, send.sequence_id);
            match seen.len() {
                1 => vec![hang_up()],
                2 => {
                    let error = ServerError::PersistenceError as i32;
                    vec![CommandSendError { producer_id, sequence_id, error, message: "disk".into() }.into()]
                }
                _ => vec![CommandSendReceipt { producer_id, sequence_id, ..Default::default() }.into()],
            }
        }
        Command::CloseProducer(close) => {
            vec![CommandSuccess { request_id: close.request_id, schema: None }.into()]
        }
        _ => opened(command, -1).into_iter().collect(),
    })
    .await;
    *own_url.lock().unwrap() = broker.url();
    let mut producer = broker.client().producer(ProducerOptions::new(topic())).await.unwrap();
    let receipt = tokio::time::timeout(Duration::from_secs(10), producer.send(&message(5))).await.unwrap().unwrap();
    assert_eq!(receipt.sequence_id, 5);
    assert_eq!(*sends.lock().unwrap(), [5, 5, 5]);
    assert_eq!(producer.progress().borrow().reconnect_count, 2);
}

/// A broker that hangs up at the first SEND, and at the next PRODUCER after it has raised the topic's epoch. From the
/// third PRODUCER on it says that `last_sequence_id` is the producer's last.
async fn broker_that_loses_the_answer(last_sequence_id: i64) -> (Scripted, Producer) {
    let own_url = Arc::new(Mutex::new(String::new()));
    let (url, epoch, sends) = (Arc::clone(&own_url), AtomicU64::new(0), AtomicU64::new(0));
    let broker = Scripted::start(move |_, command| match command {
        Command::LookupTopic(ask) => vec![lookup(ask.request_id, &url.lock().unwrap(), LookupType::Connect, false)],
        Command::Producer(ask) => {
            if ask.topic_epoch.is_some_and(|known| known < epoch.load(Ordering::SeqCst)) {
                let error = ServerError::ProducerFenced as i32;
                return vec![CommandError { request_id: ask.request_id, error, message: "fenced".into() }.into()];
            }
            let raised = epoch.fetch_add(1, Ordering::SeqCst) + 1;
            if raised == 2 {
                return vec![hang_up()];
            }
            let success = CommandProducerSuccess {
                request_id: ask.request_id,
                producer_name: "p".into(),
                last_sequence_id: Some(if raised == 1 { -1 } else { last_sequence_id }),
                topic_epoch: Some(raised),
                ..Default::default()
            };
            vec![success.into()]
        }
        Command::Send(_) if sends.fetch_add(1, Ordering::SeqCst) == 0 => vec![hang_up()],
        Command::Send(send) => {
            let (producer_id, sequence_id) = (send.producer_id, send.sequence_id);
            vec![CommandSendReceipt { producer_id, sequence_id, ..Default::default() }.into()]
        }
        Command::CloseProducer(close) => {
            vec![CommandSuccess { request_id: close.request_id, schema: None }.into()]
        }
        _ => Vec::new(),
    })
    .await;
    *own_url.lock().unwrap() = broker.url();
    let options =
        ProducerOptions { access_mode: ProducerAccessMode::ExclusiveWithFencing, ..ProducerOptions::new(topic()) };
    let producer = broker.client().producer(options).await.unwrap();
    (broker, producer)
}

#[tokio::test]
async fn an_exclusive_producer_goes_on_when_the_answer_to_its_opening_is_lost() {
    let (_broker, mut producer) = broker_that_loses_the_answer(5).await;
    let receipt = tokio::time::timeout(Duration::from_secs(20), producer.send(&message(5))).await.unwrap().unwrap();
    assert_eq!(receipt.sequence_id, 5);
}

#[tokio::test]
async fn an_exclusive_producer_gives_way_if_another_one_wrote_when_the_answer_was_lost() {
    let (_broker, mut producer) = broker_that_loses_the_answer(6).await;
    let refused = tokio::time::timeout(Duration::from_secs(20), producer.send(&message(5))).await.unwrap().unwrap_err();
    assert_eq!(refused.server_error(), Some(ServerError::ProducerFenced), "{refused}");
}

#[tokio::test]
async fn a_terminated_topic_ends_the_producer_and_tells_everyone() {
    let own_url = Arc::new(Mutex::new(String::new()));
    let url = Arc::clone(&own_url);
    let broker = Scripted::start(move |_, command| match command {
        Command::LookupTopic(ask) => vec![lookup(ask.request_id, &url.lock().unwrap(), LookupType::Connect, false)],
        Command::Send(send) => vec![
            CommandSendError {
                producer_id: send.producer_id,
                sequence_id: send.sequence_id,
                error: ServerError::TopicTerminatedError as i32,
                message: "over".into(),
            }
            .into(),
        ],
        _ => opened(command, -1).into_iter().collect(),
    })
    .await;
    *own_url.lock().unwrap() = broker.url();
    let budget = PendingBudget::new(1_000);
    let options = ProducerOptions { shared_budget: Some(budget.clone()), ..ProducerOptions::new(topic()) };
    let mut producer = broker.client().producer(options).await.unwrap();
    let refused = producer.send(&message(1)).await.unwrap_err();
    assert_eq!(refused.server_error(), Some(ServerError::TopicTerminatedError));
    assert!(producer.send(&message(2)).await.is_err());
    assert!(producer.flush().await.is_err());
    assert!(producer.progress().borrow().failure.is_some());
    assert_eq!(budget.pending_bytes(), 0);
}

#[tokio::test]
async fn a_silent_broker_is_noticed() {
    let broker = Scripted::start(|_, _| Vec::new()).await;
    let config = ClientConfig { keepalive_ms: 20, operation_timeout_ms: 60_000, ..ClientConfig::url(broker.url()) };
    let client = Client::new(config).unwrap();
    let topic = topic();
    let asked = client.partitions(&topic, AutoCreation::Allowed);
    let refused = tokio::time::timeout(Duration::from_secs(10), asked).await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::Disconnected), "{refused}");
}

#[tokio::test]
async fn garbage_from_the_broker_is_an_error() {
    let broker = Scripted::start(|_, command| match command {
        Command::Connect(_) => vec![CommandPong {}.into()],
        _ => Vec::new(),
    })
    .await;
    let refused = broker.client().check().await.unwrap_err();
    assert!(matches!(refused, Error::Protocol { .. }), "{refused}");
}

/// The broker's host vanishes without closing the connection. The client once waited for its last write until the
/// kernel gave up, and the producer waited with it.
#[tokio::test]
async fn a_producer_leaves_a_host_that_takes_no_more_bytes() {
    let own_url = Arc::new(Mutex::new(String::new()));
    let url = Arc::clone(&own_url);
    let broker = Scripted::start(move |connection, command| match command {
        Command::LookupTopic(ask) => vec![lookup(ask.request_id, &url.lock().unwrap(), LookupType::Connect, false)],
        Command::Send(_) if connection == 0 => vec![vanish()],
        Command::Send(send) => {
            let (producer_id, sequence_id) = (send.producer_id, send.sequence_id);
            vec![CommandSendReceipt { producer_id, sequence_id, ..Default::default() }.into()]
        }
        _ => opened(command, -1).into_iter().collect(),
    })
    .await;
    *own_url.lock().unwrap() = broker.url();
    let config = ClientConfig { keepalive_ms: 200, operation_timeout_ms: 60_000, ..ClientConfig::url(broker.url()) };
    let client = Client::new(config).unwrap();
    let options = ProducerOptions { codec: Codec::None, ..ProducerOptions::new(topic()) };
    let mut producer = client.producer(options).await.unwrap();
    // More than the sockets' buffers and the queue of frames hold together.
    let value = vec![0; 64 * 1024];
    for sequence_id in 0..600 {
        let mut builder = BatchBuilder::new();
        builder.append(&OutgoingMessage { value: Some(&value), ..message(sequence_id) }).unwrap();
        let batch = builder.finish(&producer.entry_header(1)).unwrap().unwrap();
        producer.send_batch(batch).await.unwrap();
    }
    tokio::time::timeout(Duration::from_secs(30), producer.flush()).await.expect("a new connection").unwrap();
    assert_eq!(producer.progress().borrow().durable_sequence_id, 599);
}

/// An entry of 64 messages whose body was damaged.
fn damaged_entry() -> Bytes {
    let mut builder = BatchBuilder::new();
    for sequence_id in 0..64 {
        builder.append(&message(sequence_id)).unwrap();
    }
    let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };
    let mut entry = builder.finish(&header).unwrap().unwrap().entry.to_vec();
    *entry.last_mut().unwrap() ^= 1;
    entry.into()
}

/// The broker counts all messages of an unreadable batch against the permits; the client once gave back only one of
/// them.
#[tokio::test]
async fn a_batch_that_cannot_be_read_does_not_use_up_the_permits() {
    let own_url = Arc::new(Mutex::new(String::new()));
    let (url, grants) = (Arc::clone(&own_url), AtomicU64::new(0));
    let broker = Scripted::start(move |_, command| match command {
        Command::LookupTopic(ask) => vec![lookup(ask.request_id, &url.lock().unwrap(), LookupType::Connect, false)],
        Command::Subscribe(ask) => vec![CommandSuccess { request_id: ask.request_id, schema: None }.into()],
        Command::Flow(flow) => {
            // It takes all permits of the first window.
            let deliver = CommandMessage { consumer_id: flow.consumer_id, ..Default::default() };
            let is_due = grants.fetch_add(1, Ordering::SeqCst) < 2;
            if is_due { vec![Frame::with_payload(deliver, damaged_entry())] } else { Vec::new() }
        }
        _ => Vec::new(),
    })
    .await;
    *own_url.lock().unwrap() = broker.url();
    let mut consumer = broker.client().consumer(ConsumerOptions::new(topic(), "s")).await.unwrap();
    for _ in 0..2 {
        let refused = tokio::time::timeout(Duration::from_secs(10), consumer.receive()).await.expect("permits left");
        assert!(matches!(refused, Err(Error::Unreadable { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_is_cut_may_be_tried_again_and_an_answer_without_tls_not() {
    for (answer, is_retryable) in [(&b""[..], true), (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], false)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("pulsar+ssl://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            // All of the client's hello, so that the end of the stream is no reset.
            let _ = stream.read(&mut [0; 16 * 1024]).await;
            stream.write_all(answer).await.unwrap();
        });
        let refused = Client::new(ClientConfig::url(url)).unwrap().check().await.unwrap_err();
        assert_eq!(refused.is_retryable(), is_retryable, "{refused}");
    }
}
