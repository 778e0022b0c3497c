//! From the broker's topics to publications.
//!
//! The namespace's topics are listed each second: that finds the event topic and the change topics whenever they appear
//! (a reader on a topic that does not exist would create it), whether they have partitions or not, and tells whether the broker answers.
//! Each topic has a reader of its own, which repairs lost connections and goes on behind the last message that it gave.

mod cambio;
mod columna;
mod evento;
mod tema;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::contrato::tema::EVENTOS_RESERVA;
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, ClientConfig};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::ui::Opciones;
use crate::ui::difusion::{Clase, Difusion};
use crate::ui::error::Error;
use crate::ui::estado::{self, Estado};

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
        crate::contrato::esquema::limitar_memoria(evento::MAX_BYTES);
        Ok(Self { client, difusion, estado, eventos, prefijo: format!("{}.", opciones.prefijo) })
    }

    /// Reads until it is dropped.
    pub async fn seguir(self) {
        let mut lectores = Lectores::default();
        loop {
            match self.client.topics(&self.eventos.full_namespace()).await {
                Ok(nombres) => {
                    estado::anotar_broker(&self.estado, true);
                    let temas = nombres.iter().filter_map(|nombre| TopicName::parse(nombre).ok());
                    let mut de_interes: Vec<(TopicName, Clase)> =
                        temas.filter_map(|tema| self.clase(&tema).map(|clase| (tema, clase))).collect();
                    // The events come first, however many tables there are.
                    de_interes.sort_by_key(|(_, clase)| *clase != Clase::Evento);
                    lectores.ajustar(&de_interes, |tema, clase| {
                        tema::Lector::nuevo(self.client.clone(), tema, clase, Arc::clone(&self.difusion)).leer()
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "the topics cannot be listed");
                    estado::anotar_broker(&self.estado, false);
                }
            }
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

/// The readers that run; they end with it.
#[derive(Debug, Default)]
struct Lectores {
    tareas: JoinSet<()>,
    abiertos: HashMap<TopicName, AbortHandle>,
}

impl Lectores {
    /// Ends the readers of topics that are gone and opens one where there is none, also where one has ended by itself.
    fn ajustar<F>(&mut self, temas: &[(TopicName, Clase)], leer: impl Fn(TopicName, Clase) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let existentes: HashSet<&TopicName> = temas.iter().map(|(tema, _)| tema).collect();
        self.abiertos.retain(|tema, lector| {
            let existe = existentes.contains(tema);
            if !existe {
                lector.abort();
            }
            existe && !lector.is_finished()
        });
        for (tema, clase) in temas {
            if self.abiertos.len() < MAX_TEMAS && !self.abiertos.contains_key(tema) {
                self.abiertos.insert(tema.clone(), self.tareas.spawn(leer(tema.clone(), *clase)));
            }
        }
        while self.tareas.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn los_temas_se_distinguen_por_su_nombre() {
        let opciones = |prefijo: &str| Opciones {
            nombres: Vec::new(),
            escuchar: String::new(),
            broker: crate::contrato::direccion::Broker { service_url: "pulsar://127.0.0.1:1".into() },
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

    #[tokio::test]
    async fn los_lectores_siguen_a_los_temas_y_tienen_un_limite() {
        let tema = |numero: usize| (TopicName::parse(&format!("t{numero}")).unwrap(), Clase::Cambio);
        let mut lectores = Lectores::default();
        let para_siempre = |_, _| std::future::pending();
        lectores.ajustar(&[tema(1), tema(2)], para_siempre);
        lectores.ajustar(&[tema(2), tema(3)], para_siempre);
        let mut abiertos: Vec<&str> = lectores.abiertos.keys().map(TopicName::local_name).collect();
        abiertos.sort_unstable();
        assert_eq!(abiertos, ["t2", "t3"]);
        let muchos: Vec<_> = (0..2 * MAX_TEMAS).map(tema).collect();
        lectores.ajustar(&muchos, para_siempre);
        assert_eq!(lectores.abiertos.len(), MAX_TEMAS);
        assert!(lectores.abiertos.contains_key(&muchos[0].0));
        // One that has ended is opened again.
        lectores.ajustar(&[], para_siempre);
        lectores.ajustar(&[tema(1)], |_, _| std::future::ready(()));
        let primero = lectores.abiertos[&tema(1).0].id();
        while !lectores.abiertos[&tema(1).0].is_finished() {
            tokio::task::yield_now().await;
        }
        lectores.ajustar(&[tema(1)], para_siempre);
        assert_ne!(lectores.abiertos[&tema(1).0].id(), primero);
    }
}
