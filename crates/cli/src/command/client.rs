//! `bitacora client consume` and `bitacora client produce`, with the flags and the output of Pulsar's own client tool.

use std::io::Write;

use bitacora_pulsar::wire::proto::{InitialPosition, SubType};
use bitacora_pulsar::wire::{MessageKey, OutgoingMessage, TopicName};
use bitacora_pulsar::{ChunkLimits, Chunking, Client, ConsumerOptions, Error, Message, ProducerOptions};

use super::Interrupts;
use crate::arguments::{self, ClientCommand, Consume, Produce, SubscriptionPosition, SubscriptionType, Unreadable};
use crate::failure::Failure;

/// Runs one of the client's commands.
pub(crate) async fn run(arguments: arguments::Client) -> Result<(), Failure> {
    let client = Client::new(arguments.access.client(&arguments.url)?)?;
    match arguments.command {
        ClientCommand::Consume(consume) => {
            let mut interrupts = Interrupts::listen()?;
            tokio::select! {
                outcome = self::consume(&client, consume) => outcome,
                () = interrupts.asked_to_end() => Ok(()),
            }
        }
        ClientCommand::Produce(produce) => self::produce(&client, produce).await,
    }
}

async fn consume(client: &Client, arguments: Consume) -> Result<(), Failure> {
    let mut options = ConsumerOptions::new(topic(&arguments.topic)?, arguments.subscription_name);
    options.sub_type = match arguments.subscription_type {
        SubscriptionType::Exclusive => SubType::Exclusive,
        SubscriptionType::Shared => SubType::Shared,
        SubscriptionType::Failover => SubType::Failover,
        SubscriptionType::KeyShared => SubType::KeyShared,
    };
    options.initial_position = match arguments.subscription_position {
        SubscriptionPosition::Latest => InitialPosition::Latest,
        SubscriptionPosition::Earliest => InitialPosition::Earliest,
    };
    options.chunks = ChunkLimits { max_bytes: arguments.max_message_bytes, ..ChunkLimits::default() };
    let mut consumer = client.consumer(options).await?;
    let mut count = 0;
    while arguments.num_messages == 0 || count < arguments.num_messages {
        let message = match consumer.receive().await {
            Ok(message) => message,
            // Report and acknowledge the message: it would otherwise come first at every start, and block those after
            // it.
            Err(error @ Error::Unreadable { id, .. }) if arguments.unreadable == Unreadable::Skip => {
                eprintln!("bitacora: {error}; it is acknowledged");
                consumer.acknowledge(id).await?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        count += 1;
        let shown = if arguments.hide_content { "got message\n".to_owned() } else { shown(&message) };
        let mut out = std::io::stdout().lock();
        // The reader of the output has closed it, so there is nothing more to do.
        if out.write_all(shown.as_bytes()).and_then(|()| out.flush()).is_err() {
            break;
        }
        drop(out);
        consumer.acknowledge(message.id).await?;
    }
    Ok(consumer.close().await?)
}

/// Returns a message as Pulsar's client prints it.
fn shown(message: &Message) -> String {
    let properties: Vec<String> = message
        .metadata
        .properties
        .iter()
        .map(|property| format!("\"{}\":\"{}\"", property.key, property.value))
        .collect();
    let content = match message.value() {
        Some(value) => String::from_utf8_lossy(value).into_owned(),
        None => "null".to_owned(),
    };
    format!(
        "----- got message -----\npublishTime:[{}], eventTime:[{}], key:[{}], properties:[{}], content:{content}\n",
        message.publish_time_ms(),
        message.event_time_ms().unwrap_or(0),
        message.key_text().unwrap_or("null"),
        properties.join(", "),
    )
}

async fn produce(client: &Client, arguments: Produce) -> Result<(), Failure> {
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    for messages in &arguments.messages {
        let parts = messages.split(arguments.separator.as_str());
        bodies.extend(parts.map(|part| part.as_bytes().to_vec()));
    }
    for file in &arguments.files {
        let read = std::fs::read(file);
        bodies.push(read.map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))?);
    }
    let mut properties = Vec::new();
    for property in &arguments.properties {
        match property.split_once('=') {
            Some(pair) => properties.push(pair),
            None => return Err(Failure::new(format!("{property:?} is not a property; write NAME=VALUE"))),
        }
    }
    let chunking = if arguments.chunking_allowed { Chunking::WhenTooLarge } else { Chunking::Never };
    let options = ProducerOptions { chunking, ..ProducerOptions::new(topic(&arguments.topic)?) };
    let mut producer = client.producer(options).await?;
    let mut sent = 0u64;
    for _ in 0..arguments.num_produce {
        for body in &bodies {
            let message = OutgoingMessage {
                key: arguments.key.as_deref().map_or(MessageKey::None, MessageKey::Text),
                value: Some(body),
                sequence_id: producer.next_sequence_id(),
                properties: &properties,
                ..OutgoingMessage::default()
            };
            producer.send(&message).await?;
            sent += 1;
        }
    }
    producer.close().await?;
    println!("{sent} messages successfully produced");
    Ok(())
}

fn topic(name: &str) -> Result<TopicName, Failure> {
    TopicName::parse(name).map_err(|error| Failure::new(error.to_string()))
}
