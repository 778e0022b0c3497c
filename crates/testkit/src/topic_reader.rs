//! Reads a topic from its start over the binary protocol, message by message as stored.
//!
//! The reader is deliberately small and blocking, so that a test sees what the broker has stored, without a client
//! library in between. Each reader has one connection and one non-durable subscription. Any error panics with a
//! sentence.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use bitacora_pulsar_wire::proto::{
    CommandConnect, CommandFlow, CommandLookupTopic, CommandPong, CommandSubscribe, MessageIdData,
};
use bitacora_pulsar_wire::{
    Command, EntryReader, Frame, FrameDecoder, MessageMetadata, ReadLimits, SingleMessageMetadata, encode,
};
use bytes::{Bytes, BytesMut};

const PERMITS: u32 = 1000;

/// One message as the broker has stored it.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// Ledger and entry of the message id.
    pub entry_id: (u64, u64),
    /// Index in the batch; `None` for an entry that is not a batch.
    pub batch_index: Option<u32>,
    /// Metadata of the entry.
    pub entry: MessageMetadata,
    /// Metadata of the message.
    pub message: SingleMessageMetadata,
    /// The payload, decompressed.
    pub payload: Bytes,
}

impl StoredMessage {
    /// Returns the text of the message's key, decoded if it is marked as base64; empty if there is no key.
    pub fn key_text(&self) -> String {
        let key = self.message.partition_key.as_deref().unwrap_or_default();
        if self.message.partition_key_b64_encoded != Some(true) {
            return key.to_owned();
        }
        let bytes = base64::engine::general_purpose::STANDARD.decode(key).expect("a key marked as base64 is base64");
        String::from_utf8(bytes).expect("the key is text")
    }
}

/// A reader of one topic from its first message.
#[derive(Debug)]
pub struct TopicReader {
    stream: TcpStream,
    input: BytesMut,
    decoder: FrameDecoder,
    waiting: VecDeque<StoredMessage>,
    permits_used: u32,
}

impl TopicReader {
    /// Opens a reader on `topic` (full name) of the broker at `address` (`host:port`).
    pub fn open(address: &str, topic: &str) -> TopicReader {
        let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        let mut reader = TopicReader {
            stream,
            input: BytesMut::new(),
            decoder: FrameDecoder::default(),
            waiting: VecDeque::new(),
            permits_used: 0,
        };
        reader.send(CommandConnect {
            client_version: "testkit".into(),
            protocol_version: Some(bitacora_pulsar_wire::PROTOCOL_VERSION),
            ..Default::default()
        });
        reader.expect("CONNECTED");
        reader.send(CommandLookupTopic { topic: topic.into(), request_id: 1, ..Default::default() });
        reader.expect("LOOKUP_RESPONSE"); // a real Pulsar loads the topic at its lookup
        reader.send(CommandSubscribe {
            topic: topic.into(),
            subscription: format!("testkit-{}-{:?}", std::process::id(), Instant::now()),
            consumer_id: 1,
            request_id: 2,
            durable: Some(false),
            start_message_id: Some(MessageIdData { ledger_id: u64::MAX, entry_id: u64::MAX, ..Default::default() }),
            initial_position: Some(1),
            ..Default::default()
        });
        reader.expect("SUCCESS");
        reader.send(CommandFlow { consumer_id: 1, message_permits: PERMITS });
        reader
    }

    /// Returns the next message, or `None` if none arrives within `patience`.
    pub fn next_within(&mut self, patience: Duration) -> Option<StoredMessage> {
        let deadline = Instant::now() + patience;
        while self.waiting.is_empty() {
            let frame = self.frame(deadline)?;
            if let Command::Message(command) = frame.command {
                let payload = frame.payload.expect("a MESSAGE carries an entry");
                self.take_entry((command.message_id.ledger_id, command.message_id.entry_id), &payload);
            }
        }
        self.waiting.pop_front()
    }

    fn take_entry(&mut self, entry_id: (u64, u64), payload: &Bytes) {
        let reader = EntryReader::open(payload, ReadLimits::default())
            .unwrap_or_else(|error| panic!("entry {entry_id:?} is damaged: {error}"));
        let entry = reader.metadata().clone();
        for message in reader {
            let message = message.unwrap_or_else(|error| panic!("entry {entry_id:?} is damaged: {error}"));
            self.permits_used += 1;
            self.waiting.push_back(StoredMessage {
                entry_id,
                batch_index: message.batch_index,
                entry: entry.clone(),
                message: message.metadata,
                payload: message.payload,
            });
        }
        if self.permits_used >= PERMITS / 2 {
            self.send(CommandFlow { consumer_id: 1, message_permits: self.permits_used });
            self.permits_used = 0;
        }
    }

    fn send(&mut self, command: impl Into<Command>) {
        let mut bytes = BytesMut::new();
        encode(&Frame::new(command), &mut bytes);
        self.stream.write_all(&bytes).expect("the broker takes the command");
    }

    fn expect(&mut self, name: &str) -> Frame {
        let frame = self.frame(Instant::now() + Duration::from_secs(30));
        let frame = frame.unwrap_or_else(|| panic!("the broker did not answer with {name} in 30 s"));
        assert_eq!(frame.command.name(), name, "unexpected answer: {:?}", frame.command);
        frame
    }

    fn frame(&mut self, deadline: Instant) -> Option<Frame> {
        loop {
            match self.decoder.decode(&mut self.input).expect("the broker sends well-formed frames") {
                Some(frame) if frame.command.name() == "PING" => self.send(CommandPong::default()),
                Some(frame) => return Some(frame),
                None => {
                    let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
                    self.stream.set_read_timeout(Some(left)).expect("a positive timeout");
                    let mut chunk = [0; 64 * 1024];
                    match self.stream.read(&mut chunk) {
                        Ok(0) => panic!("the broker closed the connection"),
                        Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                            return None;
                        }
                        Err(error) => panic!("reading from the broker: {error}"),
                    }
                }
            }
        }
    }
}
