//! From the broker's topics to publications.
//!
//! The namespace's topics are listed each second: that finds the event topic and the change topics whenever they appear
//! (a reader on a topic that does not exist would create it), whether they have partitions or not, and tells whether the broker answers.
//! Each topic has a reader of its own, which repairs lost connections and goes on behind the last message that it gave.

mod cambio;
mod columna;
mod esquema;
mod evento;
mod tema;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aeroalpes_contrato::tema::EVENTOS_RESERVA;
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, ClientConfig};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::Opciones;
use crate::difusion::{Clase, Difusion};
use crate::error::Error;
use crate::estado::{self, Estado};

/// How often the topics are listed.
const LISTADO: Duration = Duration::from_secs(1);

/// Most topics that are read at once; a reader holds up to [`tema::COLA_BYTES`].
const MAX_TEMAS: usize = 256;

/// Reads what browsers get.
#[derive(Debug)]
pub struct Lectura {
    client: Client,
    difusion: Arc<Difusion>,
    estado: watch::Sender<Estado>,
    /// The event topic without its partition.
    eventos: TopicName,
    /// What the local names of change topics begin with.
    prefijo: String,
}

impl Lectura {
    /// Creates it; nothing is connected yet.
    ///
    /// # Errors
    /// The broker's address or the prefix is none.
    pub fn nueva(opciones: &Opciones, difusion: Arc<Difusion>, estado: watch::Sender<Estado>) -> Result<Self, Error> {
        // Short times: whatever is away is tried again, and the page shall know soon.
        let config = ClientConfig {
            connect_timeout_ms: 3_000,
            operation_timeout_ms: 3_000,
            keepalive_ms: 10_000,
            backoff_max_ms: 1_000,
            ..ClientConfig::url(opciones.broker.service_url.clone())
        };
        let client = Client::new(config).map_err(Error::Broker)?;
        let permitido = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if opciones.prefijo.is_empty() || !opciones.prefijo.bytes().all(permitido) {
            return Err(Error::Prefijo { prefijo: opciones.prefijo.clone() });
        }
        let eventos = TopicName::parse(EVENTOS_RESERVA).map_err(|error| Error::Broker(error.into()))?;
        esquema::limitar_memoria();
        Ok(Self { client, difusion, estado, eventos, prefijo: format!("{}.", opciones.prefijo) })
    }

    /// Reads until it is dropped.
    pub async fn seguir(self) {
        let mut lectores = JoinSet::new();
        let mut abiertos: HashMap<TopicName, AbortHandle> = HashMap::new();
        loop {
            match self.client.topics(&self.eventos.full_namespace()).await {
                Ok(nombres) => {
                    estado::anotar_broker(&self.estado, true);
                    let nombres = nombres.iter().filter_map(|nombre| TopicName::parse(nombre).ok());
                    let existentes: HashMap<TopicName, Clase> =
                        nombres.filter_map(|tema| Some((self.clase(&tema)?, tema))).map(|(c, t)| (t, c)).collect();
                    abiertos.retain(|tema, lector| {
                        let existe = existentes.contains_key(tema);
                        if !existe {
                            lector.abort();
                        }
                        existe && !lector.is_finished()
                    });
                    for (tema, clase) in existentes {
                        if abiertos.len() < MAX_TEMAS && !abiertos.contains_key(&tema) {
                            let lector = tema::Lector::nuevo(
                                self.client.clone(),
                                tema.clone(),
                                clase,
                                Arc::clone(&self.difusion),
                            );
                            abiertos.insert(tema, lectores.spawn(lector.leer()));
                        }
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the topics cannot be listed");
                    estado::anotar_broker(&self.estado, false);
                }
            }
            while lectores.try_join_next().is_some() {}
            tokio::time::sleep(LISTADO).await;
        }
    }

    /// Tells what a topic holds, `None` when it is of no interest.
    fn clase(&self, tema: &TopicName) -> Option<Clase> {
        if tema.without_partition() == self.eventos {
            Some(Clase::Evento)
        } else if tema.local_name().starts_with(&self.prefijo) {
            Some(Clase::Cambio)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_told_apart_by_their_names() {
        let opciones = |prefijo: &str| Opciones {
            escuchar: String::new(),
            broker: aeroalpes_contrato::direccion::Broker {
                service_url: "pulsar://127.0.0.1:1".into(),
                admin_url: String::new(),
            },
            api: String::new(),
            prefijo: prefijo.into(),
        };
        let nueva = |prefijo| {
            Lectura::nueva(&opciones(prefijo), Arc::new(Difusion::nueva()), watch::channel(Estado::default()).0)
        };
        let lectura = nueva("aeroalpesdb").unwrap();
        let check = |nombre: &str, clase| {
            assert_eq!(lectura.clase(&TopicName::parse(nombre).unwrap()), clase, "{nombre}");
        };
        check("eventos-reserva", Some(Clase::Evento));
        check("eventos-reserva-partition-3", Some(Clase::Evento));
        check("eventos-reserva-muertos", None);
        check("aeroalpesdb.reservas.usuarios_legado", Some(Clase::Cambio));
        check("aeroalpesdb", None);
        check("otra.reservas.usuarios_legado", None);
        assert!(nueva("a/b").unwrap_err().to_string().contains("AEROALPES_PREFIJO"));
    }
}
