//! The shell around the core: one loop that carries messages between consumer, handlers and dead letters.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitacora_pulsar::wire::proto::SubType;
use bitacora_pulsar::wire::{MessageId, ServerError, SingleMessageMetadata, TopicName};
use bitacora_pulsar::{ChunkLimits, Client, Consumer, ConsumerOptions, Error as PulsarError, Message};
use bytes::Bytes;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, sleep_until, timeout};

use crate::carta::Cartero;
use crate::error::Error;
use crate::nucleo::{Limites, Llegada, Llegado, Nucleo, Orden, Vencido};
use crate::resultado::Resultado;
use crate::suscripcion::{Suscripcion, topic_name};

/// Waiting time after a broker that could not be reached; the client has tried for its operation timeout before.
const ESPERA_BROKER: Duration = Duration::from_secs(1);

/// For handlers to notice that they are broken off. One that blocks its thread does not, and ends with the process.
const CORTE: Duration = Duration::from_secs(1);

/// Consumes until `parada` completes: every message goes to `manejador`, and what that answers is done.
///
/// A broker that is away, also at the start, is waited for. At the end nothing new is started, running handlers get
/// [`Suscripcion::gracia`] to finish, and what is not done stays unacknowledged.
///
/// # Errors
/// A name that is none, or a refusal of the broker that no retry can change.
pub async fn consumir<M, F>(
    client: &Client,
    suscripcion: Suscripcion,
    parada: impl Future<Output = ()>,
    manejador: M,
) -> Result<(), Error>
where
    M: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = Resultado> + Send + 'static,
{
    let mut parada = pin!(parada);
    let options = options(&suscripcion)?;
    let cartero = Box::new(Cartero::new(client.clone(), topic_name(&suscripcion.tema_muertos)?));
    let consumer = tokio::select! {
        () = &mut parada => return Ok(()),
        opened = abrir(client, options, &suscripcion) => opened?,
    };
    tracing::info!(topic = %suscripcion.tema, subscription = %suscripcion.nombre, "consuming");
    let mut consumo = Consumo {
        nucleo: Nucleo::new(
            suscripcion.politica,
            Limites {
                paralelo: suscripcion.paralelo,
                max_mensajes: suscripcion.max_mensajes,
                max_bytes: suscripcion.max_bytes,
            },
        ),
        suscripcion,
        consumer,
        manejador: Arc::new(manejador),
        mensajes: HashMap::new(),
        tareas: JoinSet::new(),
        encargos: HashMap::new(),
        cartero: Some(cartero),
        cartas: VecDeque::new(),
        client: client.clone(),
    };
    let outcome = Box::pin(consumo.trabajar(parada)).await;
    Box::pin(consumo.acabar()).await;
    outcome
}

fn options(suscripcion: &Suscripcion) -> Result<ConsumerOptions, Error> {
    Ok(ConsumerOptions {
        sub_type: SubType::Shared,
        initial_position: suscripcion.inicio,
        // Little is fetched ahead: other consumers of the subscription shall get their share, and what waits here is
        // counted as a redelivery when the connection is lost.
        chunks: ChunkLimits { max_bytes: suscripcion.max_bytes, ..ChunkLimits::default() },
        receiver_queue: u32::try_from(suscripcion.paralelo.max(1) * 4).unwrap_or(u32::MAX).min(1000),
        ..ConsumerOptions::new(topic_name(&suscripcion.tema)?, suscripcion.nombre.clone())
    })
}

async fn abrir(client: &Client, options: ConsumerOptions, suscripcion: &Suscripcion) -> Result<Consumer, Error> {
    loop {
        match client.consumer(options.clone()).await {
            Ok(consumer) => return Ok(consumer),
            Err(error) if !se_espera(&error) => return Err(suscripcion.refused(error)),
            Err(error) => tracing::warn!(topic = %suscripcion.tema, %error, "not subscribed yet"),
        }
        sleep(ESPERA_BROKER).await;
    }
}

/// Tells whether waiting may help. A topic that does not exist is created by its first producer.
fn se_espera(error: &PulsarError) -> bool {
    error.is_retryable() || error.server_error() == Some(ServerError::TopicNotFound)
}

/// What a task has done.
enum Terminado {
    Manejado(Resultado),
    /// The letter is durable, or not; the postman comes back for the next.
    Carta(Box<Cartero>, Result<(), PulsarError>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encargo {
    Manejar,
    Enterrar,
}

enum Evento {
    Parada,
    Tarea(Result<(Id, Terminado), JoinError>),
    Plazo,
    Mensaje(Box<Result<Message, PulsarError>>),
}

struct Consumo<M> {
    nucleo: Nucleo,
    suscripcion: Suscripcion,
    consumer: Consumer,
    manejador: Arc<M>,
    /// Messages that the core knows as under way.
    mensajes: HashMap<MessageId, Message>,
    tareas: JoinSet<Terminado>,
    /// What each task is at work on.
    encargos: HashMap<Id, (MessageId, Encargo)>,
    /// None while a letter is on its way.
    cartero: Option<Box<Cartero>>,
    /// Letters that wait for it; at most as many as messages are handled at the same time.
    cartas: VecDeque<(MessageId, String)>,
    client: Client,
}

impl<M, F> Consumo<M>
where
    M: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = Resultado> + Send + 'static,
{
    async fn trabajar(&mut self, mut parada: std::pin::Pin<&mut impl Future<Output = ()>>) -> Result<(), Error> {
        loop {
            while let Some(vencido) = self.nucleo.vence(Instant::now()) {
                match vencido {
                    Vencido::Manejar(id) => self.manejar(id),
                    Vencido::Devolver(id) => {
                        self.mensajes.remove(&id);
                        self.consumer
                            .negative_acknowledge(id)
                            .await
                            .map_err(|error| self.suscripcion.refused(error))?;
                    }
                }
            }
            let (plazo, cabe) = (self.nucleo.plazo(), self.nucleo.cabe());
            let evento = tokio::select! {
                biased;
                () = &mut parada => Evento::Parada,
                Some(done) = self.tareas.join_next_with_id() => Evento::Tarea(done),
                () = esperar(plazo) => Evento::Plazo,
                received = self.consumer.receive(), if cabe => Evento::Mensaje(Box::new(received)),
            };
            match evento {
                Evento::Parada => return Ok(()),
                Evento::Plazo => {}
                Evento::Tarea(done) => self.tarea(done).await?,
                Evento::Mensaje(received) => match *received {
                    Ok(message) => self.mensaje(message).await?,
                    Err(error) => self.no_recibido(error).await?,
                },
            }
        }
    }

    async fn mensaje(&mut self, message: Message) -> Result<(), Error> {
        let id = message.id;
        let llegado = Llegado {
            id,
            en_entrada: message.entry.num_messages_in_batch.and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
            bytes: message.payload.len(),
            entregas_previas: message.redelivery_count,
        };
        match self.nucleo.llega(llegado) {
            Llegada::Ignorar => Ok(()),
            Llegada::Confirmar => self.confirmar(id).await,
            Llegada::Manejar => {
                self.mensajes.insert(id, message);
                self.manejar(id);
                Ok(())
            }
        }
    }

    /// A message that cannot be read is a dead letter, and others go on; a refusal ends it.
    async fn no_recibido(&mut self, error: PulsarError) -> Result<(), Error> {
        match error {
            PulsarError::Unreadable { id, reason, entry, redelivery_count } => {
                let message = ilegible(self.consumer.topic(), id, *entry, redelivery_count);
                let llegado =
                    Llegado { id, en_entrada: 1, bytes: message.payload.len(), entregas_previas: redelivery_count };
                match self.nucleo.llega(llegado) {
                    Llegada::Ignorar => Ok(()),
                    Llegada::Confirmar => self.confirmar(id).await,
                    Llegada::Manejar => {
                        self.mensajes.insert(id, message);
                        self.manejado(id, Resultado::Rechazado(format!("it cannot be read: {reason}"))).await
                    }
                }
            }
            error if se_espera(&error) => {
                tracing::warn!(topic = %self.suscripcion.tema, %error, "the broker is away");
                sleep(ESPERA_BROKER).await;
                Ok(())
            }
            error => Err(self.suscripcion.refused(error)),
        }
    }

    fn manejar(&mut self, id: MessageId) {
        if let Some(message) = self.mensajes.get(&id) {
            let handling = (self.manejador)(message.clone());
            let task = self.tareas.spawn(async move { Terminado::Manejado(handling.await) });
            self.encargos.insert(task.id(), (id, Encargo::Manejar));
        }
    }

    async fn tarea(&mut self, done: Result<(Id, Terminado), JoinError>) -> Result<(), Error> {
        let task = done.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        let Some((id, encargo)) = self.encargos.remove(&task) else { return Ok(()) };
        match done {
            Ok((_, Terminado::Manejado(resultado))) => self.manejado(id, resultado).await,
            Ok((_, Terminado::Carta(cartero, sent))) => {
                self.cartero = Some(cartero);
                let orden = match sent {
                    Ok(()) => self.nucleo.enterrado(id),
                    Err(error) => self.no_enterrado(id, &error),
                };
                self.ordenar(id, orden).await
            }
            Err(error) if encargo == Encargo::Manejar => {
                self.manejado(id, Resultado::Reintentar(format!("its handler broke off: {error}"))).await
            }
            Err(error) => {
                let topic = topic_name(&self.suscripcion.tema_muertos)?;
                self.cartero = Some(Box::new(Cartero::new(self.client.clone(), topic)));
                let orden = self.no_enterrado(id, &error);
                self.ordenar(id, orden).await
            }
        }
    }

    fn no_enterrado(&mut self, id: MessageId, error: &dyn std::fmt::Display) -> Orden {
        let topic = &self.suscripcion.tema_muertos;
        tracing::error!(topic, message = %id, %error, "a dead letter cannot be stored yet");
        self.nucleo.no_enterrado(id, Instant::now())
    }

    async fn manejado(&mut self, id: MessageId, resultado: Resultado) -> Result<(), Error> {
        match &resultado {
            Resultado::Hecho => {}
            Resultado::Rechazado(reason) => tracing::warn!(message = %id, reason, "a message can never be handled"),
            Resultado::Reintentar(reason) | Resultado::Indisponible(reason) => {
                tracing::warn!(message = %id, reason, "a message could not be handled");
            }
        }
        let orden = self.nucleo.termina(id, resultado, Instant::now());
        self.ordenar(id, orden).await
    }

    async fn ordenar(&mut self, id: MessageId, orden: Orden) -> Result<(), Error> {
        match orden {
            Orden::Confirmar => {
                self.mensajes.remove(&id);
                self.confirmar(id).await?;
            }
            Orden::Retener => {}
            Orden::Enterrar(motivo) => self.cartas.push_back((id, motivo)),
        }
        self.repartir();
        Ok(())
    }

    /// Sends the next letter when the postman is here.
    fn repartir(&mut self) {
        while self.cartero.is_some() {
            let Some((id, motivo)) = self.cartas.pop_front() else { return };
            let Some(message) = self.mensajes.get(&id).cloned() else { continue };
            let Some(mut cartero) = self.cartero.take() else { return };
            let task = self.tareas.spawn(async move {
                let sent = cartero.enviar(&message, &motivo).await;
                Terminado::Carta(cartero, sent)
            });
            self.encargos.insert(task.id(), (id, Encargo::Enterrar));
        }
    }

    async fn confirmar(&mut self, id: MessageId) -> Result<(), Error> {
        self.consumer.acknowledge(id).await.map_err(|error| self.suscripcion.refused(error))
    }

    /// Lets running handlers finish, then leaves everything else to the next consumer.
    async fn acabar(mut self) {
        let gracia = self.suscripcion.gracia;
        let finishing = async {
            while let Some(done) = self.tareas.join_next_with_id().await {
                if self.tarea(done).await.is_err() {
                    return;
                }
            }
        };
        if timeout(gracia, finishing).await.is_err() {
            tracing::warn!(count = self.tareas.len(), "handlers are broken off; their messages come again");
        }
        let _ = timeout(CORTE, self.tareas.shutdown()).await;
        let closing = async {
            if let Some(cartero) = self.cartero.take() {
                cartero.cerrar().await;
            }
            self.consumer.close().await
        };
        // A broker that does not answer sees the connection end instead.
        let _ = timeout(gracia, closing).await;
    }
}

/// What a dead letter holds of an entry that cannot be read: its bytes as the broker delivered them.
fn ilegible(topic: &TopicName, id: MessageId, entry: Bytes, redelivery_count: u32) -> Message {
    Message {
        topic: Arc::new(topic.clone()),
        id,
        metadata: SingleMessageMetadata {
            payload_size: i32::try_from(entry.len()).unwrap_or(i32::MAX),
            ..SingleMessageMetadata::default()
        },
        payload: entry,
        entry: Arc::default(),
        redelivery_count,
        first_chunk_id: None,
    }
}

async fn esperar(plazo: Option<Instant>) {
    match plazo {
        Some(plazo) => sleep_until(plazo.into()).await,
        None => std::future::pending().await,
    }
}
