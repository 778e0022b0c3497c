//! Tests of the broker with raw frames: frames that no correct client sends, and answers on whose exact form clients
//! depend.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::time::Duration;

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar_wire::{
    BatchBuilder, Codec, Command, EntryHeader, Frame, MessageId, OutgoingMessage,
    proto::{
        CommandCloseProducer, CommandConnect, CommandFlow, CommandGetLastMessageId, CommandNewTxn, CommandPing,
        CommandProducer, CommandSeek, CommandSend, CommandSubscribe, CommandWatchTopicList, MessageIdData, ServerError,
    },
};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

struct Peer {
    broker: Broker,
    out: mpsc::Sender<Frame>,
    inn: mpsc::Receiver<Frame>,
    _folder: tempfile::TempDir,
}

impl Peer {
    async fn connect() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = BrokerConfig::new(folder.path());
        config.listen = Some("127.0.0.1:0".parse().unwrap());
        config.http = None;
        let broker = Broker::start(config).await.unwrap();
        let (out, inn) = broker.local_connection();
        let mut peer = Self { broker, out, inn, _folder: folder };
        let connect =
            CommandConnect { client_version: "test".to_owned(), protocol_version: Some(21), ..Default::default() };
        let Command::Connected(connected) = peer.ask(connect).await else { panic!("CONNECTED expected") };
        assert_eq!((connected.protocol_version, connected.max_message_size), (Some(21), Some(5 * 1024 * 1024)));
        peer
    }

    async fn send(&self, frame: impl Into<Frame>) {
        self.out.send(frame.into()).await.unwrap();
    }

    async fn next(&mut self) -> Command {
        timeout(Duration::from_secs(10), self.inn.recv()).await.expect("an answer").expect("an open connection").command
    }

    async fn ask(&mut self, command: impl Into<Command>) -> Command {
        self.send(Frame::new(command)).await;
        self.next().await
    }

    async fn producer(&mut self, id: u64, name: Option<&str>) -> i64 {
        let command = CommandProducer {
            topic: "t".to_owned(),
            producer_id: id,
            request_id: 100 + id,
            producer_name: name.map(str::to_owned),
            ..CommandProducer::default()
        };
        match self.ask(command).await {
            Command::ProducerSuccess(success) => success.last_sequence_id(),
            other => panic!("{other:?}"),
        }
    }

    async fn subscribe(&mut self, sub_type: i32) {
        let command = CommandSubscribe {
            topic: "t".to_owned(),
            subscription: "s".to_owned(),
            sub_type,
            consumer_id: 1,
            request_id: 50,
            initial_position: Some(1),
            ..CommandSubscribe::default()
        };
        assert!(matches!(self.ask(command).await, Command::Success(s) if s.request_id == 50));
    }
}

fn entry(ids: std::ops::Range<u64>) -> Bytes {
    let mut builder = BatchBuilder::new();
    for sequence_id in ids {
        builder.append(&OutgoingMessage { value: Some(b"x"), sequence_id, ..OutgoingMessage::default() }).unwrap();
    }
    let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };
    builder.finish(&header).unwrap().unwrap().entry
}

fn message(producer_id: u64, sequence_id: u64, highest: u64) -> Frame {
    let command = CommandSend {
        producer_id,
        sequence_id,
        highest_sequence_id: Some(highest),
        num_messages: Some(i32::try_from(highest - sequence_id + 1).unwrap()),
        ..CommandSend::default()
    };
    Frame::with_payload(command, entry(sequence_id..highest + 1))
}

/// Returns the sequence ids of the next receipt and the number of the entry in its segment.
async fn receipt(peer: &mut Peer) -> (u64, u64, i64) {
    match peer.next().await {
        Command::SendReceipt(r) => {
            (r.sequence_id, r.highest_sequence_id(), MessageId::from(r.message_id.as_ref().unwrap()).entry)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn duplicates_get_minus_one_behind_the_receipts_of_what_was_sent_before() {
    let mut peer = Peer::connect().await;
    assert_eq!(peer.producer(1, Some("p")).await, -1);
    for (first, last) in [(0, 4), (5, 9), (0, 4), (8, 12), (10, 12)] {
        peer.send(message(1, first, last)).await;
    }
    assert_eq!(receipt(&mut peer).await, (0, 4, 0));
    assert_eq!(receipt(&mut peer).await, (5, 9, 1));
    assert_eq!(receipt(&mut peer).await, (0, 4, -1));
    // Of a batch that overlaps in part, only the highest id is compared.
    assert_eq!(receipt(&mut peer).await, (8, 12, 2));
    assert_eq!(receipt(&mut peer).await, (10, 12, -1));
    assert_eq!(peer.producer(2, None).await, -1);
    for _ in 0..2 {
        peer.send(message(2, 0, 0)).await;
    }
    assert_eq!(receipt(&mut peer).await.2, 3);
    assert_eq!(receipt(&mut peer).await.2, 4, "a generated name is not deduplicated");
}

#[tokio::test]
async fn a_corrupt_entry_costs_only_itself() {
    let mut peer = Peer::connect().await;
    peer.producer(1, Some("p")).await;
    let mut frame = message(1, 0, 3);
    let mut bytes = frame.payload.unwrap().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    frame.payload = Some(bytes.into());
    peer.send(frame).await;
    let Command::SendError(error) = peer.next().await else { panic!("SEND_ERROR expected") };
    assert_eq!((error.error, error.sequence_id), (ServerError::ChecksumError as i32, 3));
    peer.send(message(1, 0, 3)).await;
    assert_eq!(receipt(&mut peer).await, (0, 3, 0));
}

#[tokio::test]
async fn what_is_not_served_is_refused_with_its_request_id() {
    let mut peer = Peer::connect().await;
    let commands: [(Command, u64); 2] = [
        (CommandNewTxn { request_id: 7, ..Default::default() }.into(), 7),
        (
            CommandWatchTopicList { request_id: 8, namespace: "public/default".to_owned(), ..Default::default() }
                .into(),
            8,
        ),
    ];
    for (command, id) in commands {
        let Command::Error(error) = peer.ask(command).await else { panic!("ERROR expected") };
        assert_eq!((error.request_id, error.error), (id, ServerError::NotAllowedError as i32));
    }
    assert!(matches!(peer.ask(CommandPing {}).await, Command::Pong(_)));
}

#[tokio::test]
async fn a_send_after_close_is_a_violation_only_for_a_producer_that_never_was() {
    let mut peer = Peer::connect().await;
    peer.producer(1, Some("p")).await;
    let close = CommandCloseProducer { producer_id: 1, request_id: 9, ..Default::default() };
    assert!(matches!(peer.ask(close).await, Command::Success(s) if s.request_id == 9));
    let close = CommandCloseProducer { producer_id: 77, request_id: 10, ..Default::default() };
    assert!(matches!(peer.ask(close).await, Command::Success(s) if s.request_id == 10));
    peer.send(message(77, 0, 0)).await;
    let end = timeout(Duration::from_secs(10), peer.inn.recv()).await.unwrap();
    assert_eq!(end, None, "the connection must end");
}

#[tokio::test]
async fn an_empty_topic_has_a_last_message_id_and_a_batch_names_its_last_index() {
    let mut peer = Peer::connect().await;
    peer.subscribe(0).await;
    let ask = CommandGetLastMessageId { consumer_id: 1, request_id: 3 };
    let Command::GetLastMessageIdResponse(answer) = peer.ask(ask.clone()).await else { panic!() };
    assert_eq!(MessageId::from(&answer.last_message_id), MessageId::EARLIEST);
    peer.producer(1, Some("p")).await;
    peer.send(message(1, 0, 4)).await;
    receipt(&mut peer).await;
    let Command::GetLastMessageIdResponse(answer) = peer.ask(ask).await else { panic!() };
    let last = MessageId::from(&answer.last_message_id);
    assert_eq!(last, MessageId { batch_index: 4, ..MessageId::new(last.ledger, 0) });
    let mark_delete = MessageId::from(answer.consumer_mark_delete_position.as_ref().unwrap());
    assert_eq!(mark_delete, MessageId::new(last.ledger, -1));
}

#[tokio::test]
async fn seek_closes_the_consumer_before_it_succeeds_and_includes_the_entry() {
    let mut peer = Peer::connect().await;
    peer.subscribe(1).await;
    peer.producer(1, Some("p")).await;
    let mut to = MessageIdData::default();
    for id in 0..3 {
        peer.send(message(1, id, id)).await;
        let Command::SendReceipt(receipt) = peer.next().await else { panic!("SEND_RECEIPT expected") };
        to = receipt.message_id.unwrap();
    }
    to.entry_id = 1;
    let ledger = MessageId::from(&to).ledger;
    let seek = CommandSeek { consumer_id: 1, request_id: 4, message_id: Some(to), message_publish_time: None };
    let Command::CloseConsumer(close) = peer.ask(seek).await else { panic!("CLOSE_CONSUMER expected") };
    assert_eq!((close.consumer_id, close.request_id), (1, u64::MAX));
    assert!(matches!(peer.next().await, Command::Success(s) if s.request_id == 4));
    peer.subscribe(1).await;
    peer.send(Frame::new(CommandFlow { consumer_id: 1, message_permits: 10 })).await;
    for entry_id in 1..3 {
        let Command::Message(message) = peer.next().await else { panic!("MESSAGE expected") };
        assert_eq!(MessageId::from(&message.message_id), MessageId::new(ledger, entry_id));
    }
}

#[tokio::test]
async fn garbage_on_a_socket_ends_that_connection_only() {
    let mut peer = Peer::connect().await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0, 0, 0, 5, 0, 0, 0, 200, 1], &[0, 0, 0, 0]] {
        let mut socket = tokio::net::TcpStream::connect(peer.broker.listen_addr().unwrap()).await.unwrap();
        socket.write_all(garbage).await.unwrap();
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(10), socket.read_to_end(&mut rest)).await.expect("closed");
        assert_eq!(rest, b"");
    }
    assert!(matches!(peer.ask(CommandPing {}).await, Command::Pong(_)));
}
