//! Lo que AeroAlpes añade al consumo de `bitacora_pulsar`: sus nombres y sus registros Avro.

mod esquemas;

use std::marker::PhantomData;

use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, DeadLetterProperties, Message, Outcome, WorkerOptions};

use crate::contrato::avro::{Esquema, Registro};
use crate::error::Error;

pub(crate) use esquemas::{Esquemas, SinEsquema};

/// Crea las opciones de una suscripción, cuyas cartas muertas llevan las propiedades `motivo`, `tema_original` e
/// `id_original`.
pub(crate) fn suscripcion(tema: &str, nombre: &str, tema_muertos: &str) -> Result<WorkerOptions, Error> {
    let leido = |tema: &str| TopicName::parse(tema).map_err(|source| Error::Tema { tema: tema.to_owned(), source });
    let dead_letter_properties = DeadLetterProperties {
        reason: "motivo".into(),
        original_topic: "tema_original".into(),
        original_id: "id_original".into(),
    };
    Ok(WorkerOptions { dead_letter_properties, ..WorkerOptions::new(leido(tema)?, nombre, leido(tema_muertos)?) })
}

/// Lee registros `T` de un tema, cada uno con el esquema de quien lo escribió.
#[derive(Debug)]
pub(crate) struct Registros<T> {
    propio: Esquema,
    esquemas: Esquemas,
    registro: PhantomData<fn() -> T>,
}

impl<T: Registro> Registros<T> {
    /// Crea un lector para un tema; todavía no pregunta nada.
    pub(crate) fn nuevos(cliente: Client, tema: &TopicName) -> Result<Self, Error> {
        let esquemas = Esquemas::nuevos(cliente, tema);
        Ok(Self { propio: Esquema::propio::<T>()?, esquemas, registro: PhantomData })
    }

    /// Lee un mensaje. Si no nombra un esquema, se toma por escrito con el del contrato. Un error es la respuesta del
    /// manejador: [`Outcome::Rejected`] si los bytes no son un registro así o su esquema no lleva al nuestro,
    /// [`Outcome::Unavailable`] si no se puede preguntar al registro del tema.
    pub(crate) async fn leer(&self, mensaje: &Message) -> Result<T, Outcome> {
        let Some(bytes) = mensaje.value() else {
            return Err(Outcome::Rejected(format!("el {} no tiene contenido", T::NOMBRE)));
        };
        let leido = match mensaje.schema_version().filter(|version| !version.is_empty()) {
            Some(version) => self.esquemas.version(Some(version)).await?.registro(bytes, &self.propio),
            None => self.propio.registro(bytes, &self.propio),
        };
        leido.map_err(|ilegible| Outcome::Rejected(format!("no es un {}: {ilegible}", T::NOMBRE)))
    }
}

/// Con un `bitacora broker` de verdad.
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bitacora_pulsar::wire::OutgoingMessage;
    use bitacora_pulsar::wire::proto::{InitialPosition, Schema, SchemaType};
    use bitacora_pulsar::{ClientConfig, ConsumerOptions, ProducerOptions};
    use bitacora_testkit::{BitacoraProcess, free_port};

    use super::*;
    use crate::contrato::comando::{self, ComandoCrearReserva, DatosComando};

    const PLAZO: Duration = Duration::from_secs(30);

    /// Lee tantos mensajes de un tema desde su principio, con una suscripción propia.
    async fn leer(cliente: &Client, tema: &TopicName, cuantos: usize) -> Vec<Message> {
        let opciones = ConsumerOptions {
            initial_position: InitialPosition::Earliest,
            ..ConsumerOptions::new(tema.clone(), "lector")
        };
        let mut consumidor = cliente.consumer(opciones).await.unwrap();
        let mut mensajes = Vec::new();
        while mensajes.len() < cuantos {
            mensajes
                .push(tokio::time::timeout(PLAZO, consumidor.receive()).await.expect("un mensaje a tiempo").unwrap());
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
        let agregado = r#"{"name": "itinerarios", "type": ["null", "string"], "default": null}"#;
        let (antes, despues) = comando::ESQUEMA.split_once(agregado).unwrap();
        let primera = format!("{}{despues}", antes.trim_end().trim_end_matches(','));
        assert_ne!(primera, comando::ESQUEMA);
        let evolucionada = Esquema::propio::<ComandoCrearReserva>().unwrap();
        let datos = DatosComando { id_usuario: Some("u".into()), itinerarios: Some("[]".into()) };
        let bytes = evolucionada.escribir(&ComandoCrearReserva { data: Some(datos.clone()) });
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
}
