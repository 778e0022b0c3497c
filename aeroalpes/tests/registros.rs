//! Registros leídos de un tema del `bitacora broker` de verdad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::time::Duration;

use aeroalpes::consumo::Registros;
use aeroalpes::contrato::avro::Lector;
use aeroalpes::contrato::comando::{self, ComandoCrearReserva, DatosComando};
use bitacora_pulsar::wire::proto::{InitialPosition, Schema, SchemaType};
use bitacora_pulsar::wire::{OutgoingMessage, TopicName};
use bitacora_pulsar::{Client, ClientConfig, ConsumerOptions, Message, Outcome, ProducerOptions};
use bitacora_testkit::{BitacoraProcess, free_port};

const TOPIC: &str = "persistent://public/default/comandos";
const LIMIT: Duration = Duration::from_secs(30);

/// Reads so many messages of a topic from its start under a subscription of its own.
async fn read(client: &Client, topic: &str, count: usize) -> Vec<Message> {
    let options = ConsumerOptions {
        initial_position: InitialPosition::Earliest,
        ..ConsumerOptions::new(TopicName::parse(topic).unwrap(), "reader")
    };
    let mut consumer = client.consumer(options).await.unwrap();
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.push(tokio::time::timeout(LIMIT, consumer.receive()).await.expect("a letter in time").unwrap());
    }
    consumer.close().await.unwrap();
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_read_with_the_schema_of_their_writer() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port());
    let (listen, http) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port()));
    let folder = data.path().display().to_string();
    let _broker = BitacoraProcess::start(["broker", "--listen", &listen, "--http", &http, "--data-dir", &folder]);
    let config = ClientConfig { backoff_max_ms: 200, ..ClientConfig::url(format!("pulsar://{listen}")) };
    let client = Client::new(config).unwrap();
    let topic = TopicName::parse(TOPIC).unwrap();
    let first = comando::ESQUEMA.replace(
        r#"{"name": "id_usuario", "type": ["null", "string"]},
        {"name": "itinerarios", "type": ["null", "string"], "default": null}"#,
        r#"{"name": "id_usuario", "type": ["null", "string"]}"#,
    );
    assert_ne!(first, comando::ESQUEMA);
    let evolved = Lector::nuevo::<ComandoCrearReserva>().unwrap();
    let data = DatosComando { id_usuario: Some("u".into()), itinerarios: Some("[]".into()) };
    let bytes = evolved.escribir(&ComandoCrearReserva { data: Some(data.clone()) }).unwrap();
    for (schema, value) in
        [(Some(first.as_str()), &b"\x02\x02\x02u"[..]), (Some(comando::ESQUEMA), &bytes), (None, &bytes), (None, b"?")]
    {
        let schema = schema.map(|text| Schema {
            name: "comando".into(),
            schema_data: text.to_owned().into(),
            schema_type: SchemaType::Avro as i32,
            properties: Vec::new(),
        });
        let other = TopicName::parse("sin-esquema").unwrap();
        let topic = if schema.is_some() { topic.clone() } else { other };
        let mut producer = client.producer(ProducerOptions { schema, ..ProducerOptions::new(topic) }).await.unwrap();
        let message = OutgoingMessage { value: Some(value), ..Default::default() };
        producer.send(&message).await.unwrap();
        producer.close().await.unwrap();
    }
    let registros = Registros::<ComandoCrearReserva>::nuevos(client.clone(), &topic).unwrap();
    let mut read_back = Vec::new();
    for message in read(&client, TOPIC, 2).await.iter().chain(&read(&client, "sin-esquema", 2).await) {
        read_back.push(registros.leer(message).await.map(|record| record.data));
    }
    let of_the_first_form = DatosComando { itinerarios: None, ..data.clone() };
    assert_eq!(read_back[..3], [Ok(Some(of_the_first_form)), Ok(Some(data.clone())), Ok(Some(data))]);
    assert!(matches!(&read_back[3], Err(Outcome::Rejected(reason)) if reason.contains("Avro schema")), "{read_back:?}");
}
