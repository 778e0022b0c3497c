//! The subscription worker against the real `bitacora broker`: what is handled, what comes again, what becomes a dead
//! letter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bitacora_pulsar::wire::proto::{InitialPosition, SubType};
use bitacora_pulsar::wire::{BatchBuilder, Codec, EntryHeader, MessageKey, OutgoingMessage, TopicName};
use bitacora_pulsar::{
    Client, ClientConfig, ConsumerOptions, Message, Outcome, Producer, ProducerOptions, RetryPolicy, WorkerOptions,
    run_subscription_worker,
};
use bitacora_testkit::{BitacoraProcess, free_port};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

const TOPIC: &str = "persistent://public/default/commands";
const DEAD: &str = "persistent://public/default/commands-dead";
const LIMIT: Duration = Duration::from_secs(30);

/// A broker that can be killed and started again on the same port and data.
struct House {
    process: BitacoraProcess,
    data: tempfile::TempDir,
    port: u16,
}

impl House {
    fn start() -> Self {
        let (data, port) = (tempfile::tempdir().unwrap(), free_port());
        let process = run(&data, port);
        Self { process, data, port }
    }

    fn start_again(&mut self) {
        self.process = run(&self.data, self.port);
    }

    fn client(&self) -> Client {
        client(self.port)
    }
}

fn run(data: &tempfile::TempDir, port: u16) -> BitacoraProcess {
    let (listen, http) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port()));
    let folder = data.path().display().to_string();
    BitacoraProcess::start(["broker", "--listen", &listen, "--http", &http, "--data-dir", &folder])
}

fn client(port: u16) -> Client {
    let config = ClientConfig { backoff_max_ms: 200, ..ClientConfig::url(format!("pulsar://127.0.0.1:{port}")) };
    Client::new(config).unwrap()
}

fn topic(name: &str) -> TopicName {
    TopicName::parse(name).unwrap()
}

fn options() -> WorkerOptions {
    let retry = RetryPolicy { tries: 3, first_wait: Duration::from_millis(50), max_wait: Duration::from_millis(400) };
    WorkerOptions { retry, grace: Duration::from_millis(200), ..WorkerOptions::new(topic(TOPIC), "sub", topic(DEAD)) }
}

/// A consumption in the background, and what its handler saw.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    seen: mpsc::UnboundedReceiver<(String, Instant)>,
}

impl Running {
    fn start<F>(
        client: Client,
        options: WorkerOptions,
        handler: impl Fn(String, u32) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, seen) = mpsc::unbounded_channel();
        let tries: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
        let task = tokio::spawn(async move {
            let stopped = async move { stopped.await.unwrap_or(()) };
            let handle = move |message: Message| {
                let text = text(&message);
                let count = *tries.lock().unwrap().entry(text.clone()).and_modify(|count| *count += 1).or_insert(1);
                tell.send((text.clone(), Instant::now())).unwrap_or(());
                handler(text, count)
            };
            run_subscription_worker(&client, options, stopped, handle).await.unwrap();
        });
        Self { stop, task, seen }
    }

    async fn next(&mut self) -> (String, Instant) {
        tokio::time::timeout(LIMIT, self.seen.recv()).await.expect("a message in time").unwrap()
    }

    /// Stops it and returns what was handled and not yet looked at.
    async fn stop(mut self) -> Vec<String> {
        self.stop.send(()).unwrap();
        tokio::time::timeout(LIMIT, self.task).await.expect("it stops in time").unwrap();
        std::iter::from_fn(|| self.seen.try_recv().ok()).map(|(text, _)| text).collect()
    }
}

fn text(message: &Message) -> String {
    String::from_utf8(message.value().unwrap_or_default().to_vec()).unwrap()
}

async fn producer(client: &Client) -> Producer {
    client.producer(ProducerOptions::new(topic(TOPIC))).await.unwrap()
}

async fn send(client: &Client, values: &[&str]) {
    let mut producer = producer(client).await;
    for value in values {
        let message = OutgoingMessage {
            key: MessageKey::Text("key"),
            value: Some(value.as_bytes()),
            sequence_id: producer.next_sequence_id(),
            event_time_ms: Some(7),
            properties: &[("own", "sí"), ("reason", "an earlier one")],
            ..Default::default()
        };
        producer.send(&message).await.unwrap();
    }
    producer.close().await.unwrap();
}

async fn send_as_batch(client: &Client, values: &[&str]) {
    let mut producer = producer(client).await;
    let mut batch = BatchBuilder::new();
    for (number, value) in values.iter().enumerate() {
        let sequence_id = producer.next_sequence_id() + number as u64;
        batch.append(&OutgoingMessage { value: Some(value.as_bytes()), sequence_id, ..Default::default() }).unwrap();
    }
    let batch = batch.finish(&producer.entry_header(1)).unwrap().unwrap();
    producer.send_batch(batch).await.unwrap();
    producer.close().await.unwrap();
}

/// Reads so many messages of a topic from its start under a subscription of its own.
async fn read(client: &Client, name: &str, count: usize) -> Vec<Message> {
    let options =
        ConsumerOptions { initial_position: InitialPosition::Earliest, ..ConsumerOptions::new(topic(name), "reader") };
    let mut consumer = client.consumer(options).await.unwrap();
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.push(tokio::time::timeout(LIMIT, consumer.receive()).await.expect("a letter in time").unwrap());
    }
    consumer.close().await.unwrap();
    messages
}

/// What the subscription would still deliver: a last message is sent, and what comes up to it is returned.
async fn left_over(client: &Client) -> Vec<String> {
    send(client, &["the end"]).await;
    let options = ConsumerOptions { sub_type: SubType::Shared, ..ConsumerOptions::new(topic(TOPIC), "sub") };
    let mut consumer = client.consumer(options).await.unwrap();
    let mut left = Vec::new();
    loop {
        let message = tokio::time::timeout(LIMIT, consumer.receive()).await.expect("the last message").unwrap();
        consumer.acknowledge(message.id).await.unwrap();
        match text(&message) {
            end if end == "the end" => break,
            text => left.push(text),
        }
    }
    consumer.close().await.unwrap();
    left
}

fn property<'a>(message: &'a Message, name: &str) -> Vec<&'a str> {
    let all = message.metadata.properties.iter();
    all.filter(|property| property.key == name).map(|property| property.value.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_acknowledged_and_what_never_will_be_is_a_dead_letter() {
    let house = House::start();
    let client = house.client();
    send(&client, &["good", "bad", "weak"]).await;
    let mut running = Running::start(house.client(), options(), |text, _| async move {
        match text.as_str() {
            "bad" => Outcome::Rejected("no use".to_owned()),
            "weak" => Outcome::Retry("not today".to_owned()),
            _ => Outcome::Done,
        }
    });
    let mut seen = Vec::new();
    while seen.len() < 5 {
        seen.push(running.next().await);
    }
    let texts: Vec<_> = seen.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["good", "bad", "weak", "weak", "weak"]);
    let pauses: Vec<_> = seen.windows(2).skip(2).map(|pair| pair[1].1 - pair[0].1).collect();
    assert!(pauses[0] >= Duration::from_millis(50) && pauses[1] >= Duration::from_millis(100), "{pauses:?}");

    let letters = read(&client, DEAD, 2).await;
    for (letter, (value, reason)) in letters.iter().zip([("bad", "no use"), ("weak", "after 3 tries: not today")]) {
        assert_eq!((text(letter).as_str(), letter.key_text(), letter.event_time_ms()), (value, Some("key"), Some(7)));
        assert_eq!(property(letter, "reason"), [reason]);
        assert_eq!((property(letter, "own"), property(letter, "original_topic")), (vec!["sí"], vec![TOPIC]));
        assert_eq!(property(letter, "original_id").len(), 1);
    }
    assert!(running.stop().await.is_empty());
    assert!(left_over(&client).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn siblings_of_a_failing_message_in_a_batch_are_handled_once() {
    let house = House::start();
    let client = house.client();
    send_as_batch(&client, &["a", "b", "c"]).await;
    let mut running = Running::start(house.client(), options(), |text, tries| async move {
        if text == "b" && tries == 1 { Outcome::Retry("later".to_owned()) } else { Outcome::Done }
    });
    let mut seen = Vec::new();
    while seen.len() < 4 {
        seen.push(running.next().await.0);
    }
    assert_eq!(seen, ["a", "b", "c", "b"]);
    assert!(running.stop().await.is_empty());
    assert!(left_over(&client).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_consumer_cannot_do_another_of_the_subscription_may() {
    let house = House::start();
    let client = house.client();
    let patient = WorkerOptions { retry: RetryPolicy { tries: 1000, ..options().retry }, ..options() };
    let mut unable = Running::start(house.client(), patient.clone(), |_, _| async {
        Outcome::Retry("here it cannot be done".to_owned())
    });
    send(&client, &["one"]).await;
    assert_eq!(unable.next().await.0, "one");
    let mut able = Running::start(house.client(), patient, |_, _| async { Outcome::Done });
    assert_eq!(able.next().await.0, "one");
    unable.stop().await;
    assert!(able.stop().await.is_empty());
    assert!(left_over(&client).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_costs_its_message_a_try() {
    let house = House::start();
    let client = house.client();
    send(&client, &["boom"]).await;
    let mut running = Running::start(house.client(), options(), |_, tries| async move {
        assert!(tries > 1, "at first it breaks");
        Outcome::Done
    });
    assert_eq!((running.next().await.0.as_str(), running.next().await.0.as_str()), ("boom", "boom"));
    assert!(running.stop().await.is_empty());
    assert!(left_over(&client).await.is_empty());
}

/// If the broker is away at the start, the client gives up after its operation timeout, but the worker goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_at_the_start_or_is_killed_is_waited_for() {
    let mut house = House::start();
    send(&house.client(), &["one"]).await;
    house.process.kill9();
    let config = ClientConfig { operation_timeout_ms: 100, ..house.client().config().clone() };
    let impatient = Client::new(config).unwrap();
    let other = ConsumerOptions::new(topic(TOPIC), "other");
    assert!(impatient.consumer(other).await.is_err(), "the broker is away");
    let mut running = Running::start(impatient, options(), |_, _| async { Outcome::Done });
    house.start_again();
    assert_eq!(running.next().await.0, "one");
    for value in ["two", "three"] {
        house.process.kill9();
        house.start_again();
        send(&house.client(), &[value]).await;
        // What was handled shortly before the kill may come again: its acknowledgement was on the way.
        while running.next().await.0 != value {}
    }
    running.stop().await;
    assert!(left_over(&house.client()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unfinished_at_the_end_is_left_for_the_next_consumer() {
    let house = House::start();
    let client = house.client();
    send(&client, &["held", "stuck", "done", "finishing"]).await;
    let options = WorkerOptions { parallelism: 3, grace: Duration::from_secs(1), ..options() };
    let finish = Arc::new(Notify::new());
    let wait = Arc::clone(&finish);
    let mut running = Running::start(house.client(), options, move |text, _| {
        let wait = Arc::clone(&wait);
        async move {
            match text.as_str() {
                "held" => Outcome::Unavailable("the service is away".to_owned()),
                "stuck" => std::future::pending().await,
                "finishing" => {
                    wait.notified().await;
                    Outcome::Done
                }
                _ => Outcome::Done,
            }
        }
    });
    while running.next().await.0 != "finishing" {}
    running.stop.send(()).unwrap();
    finish.notify_one();
    tokio::time::timeout(LIMIT, running.task).await.expect("it stops in time").unwrap();
    let mut left = left_over(&client).await;
    left.sort();
    assert_eq!(left, ["held", "stuck"]);
}

/// A batch with fewer messages than it announces once stayed in the backlog for ever; now it becomes a dead letter.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_count_lies_is_a_dead_letter_and_others_go_on() {
    let house = House::start();
    let client = house.client();
    let mut lying = producer(&client).await;
    let mut batch = BatchBuilder::new();
    for sequence_id in 0..2 {
        batch.append(&OutgoingMessage { value: Some(b"v"), sequence_id, ..Default::default() }).unwrap();
    }
    let mut batch = batch.finish(&EntryHeader { codec: Codec::None, ..lying.entry_header(1) }).unwrap().unwrap();
    // Without its checksum the entry may say what it likes: 11 is the field of the count.
    let mut entry = batch.entry.slice(6..).to_vec();
    let place = entry.windows(2).position(|pair| pair == [11 << 3, 2]).unwrap();
    entry[place + 1] = 9;
    batch.entry = entry.into();
    let bytes = batch.entry.clone();
    lying.send_batch(batch).await.unwrap();
    lying.close().await.unwrap();
    send(&client, &["good"]).await;
    let mut running = Running::start(house.client(), options(), |_, _| async { Outcome::Done });
    assert_eq!(running.next().await.0, "good");
    let letters = read(&client, DEAD, 1).await;
    assert_eq!(letters[0].payload, bytes);
    assert!(property(&letters[0], "reason")[0].contains("cannot be read"), "{:?}", letters[0]);
    assert!(running.stop().await.is_empty());
    assert!(left_over(&client).await.is_empty());
}
