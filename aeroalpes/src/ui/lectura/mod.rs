//! De los temas del *broker* a publicaciones.
//!
//! Cada segundo se listan los temas del espacio de nombres: así se encuentran el tema de eventos y los de cambios en
//! cuanto aparecen (un lector de un tema que no existe lo crearía), tengan particiones o no, y se sabe si el *broker*
//! contesta. Cada tema tiene su propio lector, que repara las conexiones perdidas y sigue detrás del último mensaje
//! que dio.

mod cambio;
mod columna;
mod evento;
mod tema;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, ClientConfig};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::contrato::avro::limitar_memoria;
use crate::contrato::direccion::Broker;
use crate::contrato::tema::EVENTOS_RESERVA;
use crate::error::Error;
use crate::ui::difusion::{Clase, Difusion};
use crate::ui::estado::{self, Estado};

/// Cada cuánto se listan los temas.
const LISTADO: Duration = Duration::from_secs(1);

/// Temas que se leen a la vez, como mucho; un lector retiene hasta [`tema::COLA_BYTES`].
const MAX_TEMAS: usize = 256;

/// Lee lo que reciben los navegadores.
#[derive(Debug)]
pub(super) struct Lectura {
    cliente: Client,
    difusion: Arc<Difusion>,
    estado: watch::Sender<Estado>,
    /// El tema de eventos sin su partición.
    eventos: TopicName,
    /// Con qué empiezan los nombres locales de los temas de cambios.
    prefijo: String,
}

impl Lectura {
    /// La crea; todavía no se conecta. El prefijo es aquello con lo que empiezan los temas de los cambios, antes del
    /// primer punto.
    pub(super) fn nueva(
        broker: &Broker,
        prefijo: String,
        difusion: Arc<Difusion>,
        estado: watch::Sender<Estado>,
    ) -> Result<Self, Error> {
        // Tiempos cortos: lo que no está se vuelve a intentar, y la página debe saberlo pronto.
        let ajustes = ClientConfig {
            connect_timeout_ms: 3_000,
            operation_timeout_ms: 3_000,
            keepalive_ms: 10_000,
            backoff_max_ms: 1_000,
            ..ClientConfig::url(broker.service_url.clone())
        };
        let cliente = Client::new(ajustes).map_err(Error::Broker)?;
        let permitido = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if prefijo.is_empty() || !prefijo.bytes().all(permitido) {
            let motivo = "no es un prefijo de temas; escriba letras, cifras, '.', '_' y '-'".to_owned();
            return Err(Error::Variable { variable: "AEROALPES_PREFIJO", valor: prefijo, motivo });
        }
        let eventos = TopicName::parse(EVENTOS_RESERVA).map_err(|error| Error::Broker(error.into()))?;
        limitar_memoria(evento::MAX_BYTES);
        Ok(Self { cliente, difusion, estado, eventos, prefijo: prefijo + "." })
    }

    /// Lee hasta que se descarta.
    pub(super) async fn seguir(self) {
        let mut lectores = Lectores::default();
        loop {
            match self.cliente.topics(&self.eventos.full_namespace()).await {
                Ok(nombres) => {
                    estado::anotar_broker(&self.estado, true);
                    let temas = nombres.iter().filter_map(|nombre| TopicName::parse(nombre).ok());
                    let mut de_interes: Vec<(TopicName, Clase)> =
                        temas.filter_map(|tema| self.clase(&tema).map(|clase| (tema, clase))).collect();
                    // Los eventos van primero, haya las tablas que haya.
                    de_interes.sort_by_key(|(_, clase)| *clase != Clase::Evento);
                    lectores.ajustar(&de_interes, |tema, clase| {
                        tema::Lector::nuevo(self.cliente.clone(), tema, clase, Arc::clone(&self.difusion)).leer()
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "no se pueden listar los temas");
                    estado::anotar_broker(&self.estado, false);
                }
            }
            tokio::time::sleep(LISTADO).await;
        }
    }

    /// Devuelve qué tiene un tema; `None` si no interesa.
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

/// Los lectores en marcha; terminan con esto.
#[derive(Debug, Default)]
struct Lectores {
    tareas: JoinSet<()>,
    abiertos: HashMap<TopicName, AbortHandle>,
}

impl Lectores {
    /// Termina los lectores de temas que ya no están y abre los que faltan, también donde uno terminó por sí solo.
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
        let broker = Broker { service_url: "pulsar://127.0.0.1:1".into() };
        let nueva = |prefijo: &str| {
            Lectura::nueva(&broker, prefijo.into(), Arc::default(), watch::channel(Estado::default()).0)
        };
        let lectura = nueva("aeroalpesdb").unwrap();
        let comprobar = |nombre: &str, clase| {
            assert_eq!(lectura.clase(&TopicName::parse(nombre).unwrap()), clase, "{nombre}");
        };
        comprobar("eventos-reserva", Some(Clase::Evento));
        comprobar("eventos-reserva-partition-3", Some(Clase::Evento));
        comprobar("eventos-reserva-muertos", None);
        comprobar("aeroalpesdb.reservas.usuarios_legado", Some(Clase::Cambio));
        comprobar("aeroalpesdb", None);
        comprobar("otra.reservas.usuarios_legado", None);
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
        // El que terminó se abre otra vez.
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
