//! Delivery whose errors have no words: the sink waits, tries again and stops as it does with them.
//!
//! Once the sink found out by a remedy whether to wait, so that a reworded remedy would have ended a source. Here every
//! sentence of an error is `x`, and the broker says nothing else either; it is a script at the other end of a channel
//! pair.

#![allow(clippy::unwrap_used)]
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bitacora_change::MessageSchema;
use bitacora_change::schema::ValueSchema;
use bitacora_pulsar::{Client, ClientConfig, Endpoint};
use bitacora_pulsar_wire::proto::{
    CommandConnected, CommandError, CommandLookupTopicResponse, CommandPartitionedTopicMetadataResponse,
    CommandProducerSuccess, CommandSendError, FeatureFlags, LookupType, PartitionedLookupType,
};
use bitacora_pulsar_wire::{Command, Frame, ServerError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::names::ProducerNames;
use super::pulsar::PulsarSink;
use super::{Lane, OutgoingMessage, Sink};
use crate::error::{EngineError, ErrorClass, ErrorKind, WORDLESS};

/// What the broker does.
#[derive(Clone, Copy)]
struct Script {
    /// Answers to the first producers; those that follow are opened.
    refusals: &'static [ServerError],
    /// Answer to each batch.
    batches: ServerError,
}

impl Script {
    fn answer(self, command: &Command, producers: &AtomicUsize) -> Option<Frame> {
        const SILENCE: &str = "x";
        Some(match command {
            Command::Connect(_) => {
                let flags = FeatureFlags {
                    supports_get_partitioned_metadata_without_auto_creation: Some(true),
                    ..FeatureFlags::default()
                };
                let server_version = SILENCE.to_owned();
                CommandConnected { server_version, feature_flags: Some(flags), ..CommandConnected::default() }.into()
            }
            Command::PartitionedTopicMetadata(ask) => CommandPartitionedTopicMetadataResponse {
                partitions: Some(0),
                request_id: ask.request_id,
                response: Some(PartitionedLookupType::Success as i32),
                ..CommandPartitionedTopicMetadataResponse::default()
            }
            .into(),
            Command::LookupTopic(ask) => CommandLookupTopicResponse {
                broker_service_url: Some("pulsar://127.0.0.1:1".to_owned()),
                response: Some(LookupType::Connect as i32),
                request_id: ask.request_id,
                authoritative: Some(true),
                proxy_through_service_url: Some(true),
                ..CommandLookupTopicResponse::default()
            }
            .into(),
            Command::Producer(ask) => match self.refusals.get(producers.fetch_add(1, Ordering::SeqCst)) {
                Some(error) => {
                    CommandError { request_id: ask.request_id, error: *error as i32, message: SILENCE.to_owned() }
                        .into()
                }
                None => CommandProducerSuccess {
                    request_id: ask.request_id,
                    producer_name: "p".to_owned(),
                    last_sequence_id: Some(-1),
                    topic_epoch: Some(0),
                    ..CommandProducerSuccess::default()
                }
                .into(),
            },
            Command::Send(send) => CommandSendError {
                producer_id: send.producer_id,
                sequence_id: send.sequence_id,
                error: self.batches as i32,
                message: SILENCE.to_owned(),
            }
            .into(),
            Command::Subscribe(ask) => CommandError {
                request_id: ask.request_id,
                error: ServerError::AuthorizationError as i32,
                message: SILENCE.to_owned(),
            }
            .into(),
            _ => return None,
        })
    }
}

/// Runs with a sink at a broker that follows the script, while errors have no words.
fn with_sink(script: Script, run: impl FnOnce(&mut PulsarSink)) {
    let runtime = Runtime::new().unwrap();
    let (handle, producers) = (runtime.handle().clone(), Arc::new(AtomicUsize::new(0)));
    let factory = {
        let handle = handle.clone();
        move || {
            let (outgoing, mut commands) = mpsc::channel::<Frame>(64);
            let (answers, incoming) = mpsc::channel(64);
            let producers = Arc::clone(&producers);
            handle.spawn(async move {
                while let Some(frame) = commands.recv().await {
                    if let Some(answer) = script.answer(&frame.command, &producers) {
                        let _ = answers.send(answer).await;
                    }
                }
            });
            Ok((outgoing, incoming))
        }
    };
    let config = ClientConfig::new(Endpoint::Local(Arc::new(factory)));
    let client = Client::new(ClientConfig { operation_timeout_ms: 2_000, ..config }).unwrap();
    let names = ProducerNames::new("s", None, std::collections::HashMap::new());
    let mut sink = PulsarSink::new(client, handle, "public/default", names, Vec::new()).unwrap();
    WORDLESS.set(true);
    run(&mut sink);
    WORDLESS.set(false);
}

fn open(sink: &mut PulsarSink, lane: Lane) -> Result<super::Opened, EngineError> {
    sink.open(lane, "t", &MessageSchema::Value(ValueSchema::bytes()))
}

#[test]
fn the_stream_waits_for_a_schema_to_be_allowed_and_for_a_broker_that_is_away() {
    let refusals = &[ServerError::IncompatibleSchema, ServerError::MetadataError];
    with_sink(Script { refusals, batches: ServerError::UnknownError }, |sink| {
        assert_eq!(open(sink, Lane::Stream).unwrap().last_sequence_id, None);
    });
}

#[test]
fn a_snapshot_does_not_wait() {
    with_sink(Script { refusals: &[ServerError::IncompatibleSchema], batches: ServerError::UnknownError }, |sink| {
        let error = open(sink, Lane::Snapshot).unwrap_err();
        assert_eq!((error.kind, error.class()), (ErrorKind::SchemaRefused, ErrorClass::Wait));
        assert_eq!((error.what.as_str(), error.remedy.as_deref()), ("x", Some("x")));
    });
}

#[test]
fn what_the_broker_refuses_for_good_stops_the_stream() {
    with_sink(Script { refusals: &[ServerError::AuthorizationError], batches: ServerError::UnknownError }, |sink| {
        let error = open(sink, Lane::Stream).unwrap_err();
        assert_eq!((error.kind, error.class()), (ErrorKind::BrokerRefuses, ErrorClass::Stop));
    });
}

#[test]
fn a_source_that_was_fenced_out_stops_and_is_told_who_has_its_topic() {
    with_sink(Script { refusals: &[], batches: ServerError::ProducerFenced }, |sink| {
        let topic = open(sink, Lane::Stream).unwrap().topic;
        let message = OutgoingMessage {
            key: None,
            value: Some(b"v"),
            landmarks: &[],
            properties: &[],
            event_time_ms: None,
            sequence_id: 1,
        };
        sink.append(topic, message).unwrap();
        sink.flush().unwrap();
        let limit = Instant::now() + Duration::from_secs(30);
        let error = loop {
            match sink.oldest_pending() {
                Ok(_) => assert!(Instant::now() < limit, "the sink does not see that it was fenced out"),
                Err(error) => break error,
            }
            std::thread::yield_now();
        };
        assert_eq!((error.kind, error.class()), (ErrorKind::Fenced, ErrorClass::Stop));
        assert!(error.what.contains("has taken over topic t"), "{error}");
        assert_eq!(error.remedy.as_deref(), Some("x"));
    });
}
