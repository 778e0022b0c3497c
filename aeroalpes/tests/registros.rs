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

const PLAZO: Duration = Duration::from_secs(30);

/// Lee tantos mensajes de un tema desde su principio, con una suscripción propia.
async fn leer(cliente: &Client, tema: &TopicName, cuantos: usize) -> Vec<Message> {
    let opciones =
        ConsumerOptions { initial_position: InitialPosition::Earliest, ..ConsumerOptions::new(tema.clone(), "lector") };
    let mut consumidor = cliente.consumer(opciones).await.unwrap();
    let mut mensajes = Vec::new();
    while mensajes.len() < cuantos {
        mensajes.push(tokio::time::timeout(PLAZO, consumidor.receive()).await.expect("un mensaje a tiempo").unwrap());
    }
    consumidor.close().await.unwrap();
    mensajes
}

#[tokio::test(flavor = "multi_thread")]
async fn los_registros_se_leen_con_el_esquema_de_quien_los_escribio() {
    let (carpeta, puerto) = (tempfile::tempdir().unwrap(), free_port());
    let (escuchar, http) = (format!("127.0.0.1:{puerto}"), format!("127.0.0.1:{}", free_port()));
    let datos = carpeta.path().display().to_string();
    let _broker = BitacoraProcess::start(["broker", "--listen", &escuchar, "--http", &http, "--data-dir", &datos]);
    let ajustes = ClientConfig { backoff_max_ms: 200, ..ClientConfig::url(format!("pulsar://{escuchar}")) };
    let cliente = Client::new(ajustes).unwrap();
    let (tema, sin_esquema) = (TopicName::parse("comandos").unwrap(), TopicName::parse("sin-esquema").unwrap());
    let primera = comando::ESQUEMA.replace(
        r#"{"name": "id_usuario", "type": ["null", "string"]},
        {"name": "itinerarios", "type": ["null", "string"], "default": null}"#,
        r#"{"name": "id_usuario", "type": ["null", "string"]}"#,
    );
    assert_ne!(primera, comando::ESQUEMA);
    let evolucionada = Lector::nuevo::<ComandoCrearReserva>().unwrap();
    let datos = DatosComando { id_usuario: Some("u".into()), itinerarios: Some("[]".into()) };
    let bytes = evolucionada.escribir(&ComandoCrearReserva { data: Some(datos.clone()) }).unwrap();
    for (esquema, valor) in [
        (Some(primera.as_str()), &b"\x02\x02\x02u"[..]),
        (Some(comando::ESQUEMA), &bytes),
        (None, &bytes),
        (None, b"?"),
    ] {
        let schema = esquema.map(|texto| Schema {
            name: "comando".into(),
            schema_data: texto.to_owned().into(),
            schema_type: SchemaType::Avro as i32,
            properties: Vec::new(),
        });
        let tema = if schema.is_some() { tema.clone() } else { sin_esquema.clone() };
        let opciones = ProducerOptions { schema, ..ProducerOptions::new(tema) };
        let mut productor = cliente.producer(opciones).await.unwrap();
        productor.send(&OutgoingMessage { value: Some(valor), ..Default::default() }).await.unwrap();
        productor.close().await.unwrap();
    }
    let registros = Registros::<ComandoCrearReserva>::nuevos(cliente.clone(), &tema).unwrap();
    let mut leidos = Vec::new();
    for mensaje in leer(&cliente, &tema, 2).await.iter().chain(&leer(&cliente, &sin_esquema, 2).await) {
        leidos.push(registros.leer(mensaje).await.map(|comando| comando.data));
    }
    let de_la_primera = DatosComando { itinerarios: None, ..datos.clone() };
    assert_eq!(leidos[..3], [Ok(Some(de_la_primera)), Ok(Some(datos.clone())), Ok(Some(datos))]);
    assert!(matches!(&leidos[3], Err(Outcome::Rejected(motivo)) if motivo.contains("esquema Avro")), "{leidos:?}");
}
