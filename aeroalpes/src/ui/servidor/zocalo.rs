//! Websockets: history first, then live, until one side ends.
//!
//! Two forms. [`Forma::Tutorial`] sends nothing but the JSON of events, one a message. [`Forma::Pagina`] sends objects with
//! `tipo`: `estado` (`{"broker","api"}`: true, false, or null while not known), `evento` and `cambio` (with `clave`, by which the
//! page knows what it has already seen), `aviso`, `omitidos` (`cantidad` that the page was too slow for) and `al_dia` at the end of
//! the history. What a browser sends is read and ignored.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::ui::difusion::{Clase, Difusion, Publicacion, Suscripcion};
use crate::ui::estado::Estado;

/// Sockets at once.
const MAX_ZOCALOS: u32 = 256;

/// Longest message that a browser may send; the page sends none.
const MAX_RECIBIDO: usize = 4 * 1024;

/// What may wait inside a socket's own buffer.
const MAX_POR_ENVIAR: usize = 256 * 1024;

/// How long one message may take to leave.
const ENVIO: Duration = Duration::from_secs(10);

/// Interval of pings.
const LATIDO: Duration = Duration::from_secs(20);

/// A browser that is silent for so long is gone.
const SILENCIO: Duration = Duration::from_secs(60);

/// What a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forma {
    /// Events alone.
    Tutorial,
    /// Objects with `tipo`.
    Pagina,
}

/// All sockets.
#[derive(Debug)]
pub struct Zocalos {
    difusion: Arc<Difusion>,
    estado: watch::Receiver<Estado>,
    alto: watch::Receiver<bool>,
    plazas: Arc<Semaphore>,
}

impl Zocalos {
    /// Creates the house of sockets; they end when `alto` becomes true.
    pub fn nuevos(difusion: Arc<Difusion>, estado: watch::Receiver<Estado>, alto: watch::Receiver<bool>) -> Self {
        Self { difusion, estado, alto, plazas: Arc::new(Semaphore::new(MAX_ZOCALOS as usize)) }
    }

    /// Opens a socket for a request that asks for one.
    pub fn abrir(&self, subida: Result<WebSocketUpgrade, WebSocketUpgradeRejection>, forma: Forma) -> Response {
        let subida = match subida {
            Ok(subida) => subida,
            Err(rechazo) => return rechazo.into_response(),
        };
        let Ok(plaza) = Arc::clone(&self.plazas).try_acquire_owned() else {
            return (StatusCode::SERVICE_UNAVAILABLE, "Hay demasiadas páginas abiertas; inténtalo más tarde.")
                .into_response();
        };
        let difusion = Arc::clone(&self.difusion);
        let (estado, alto) = (self.estado.clone(), self.alto.clone());
        subida
            .max_message_size(MAX_RECIBIDO)
            .max_frame_size(MAX_RECIBIDO)
            .max_write_buffer_size(MAX_POR_ENVIAR)
            .on_upgrade(move |socket| Zocalo { socket, forma, estado, alto, _plaza: plaza }.servir(difusion))
    }

    /// Waits until no socket is open.
    pub async fn cerrados(&self) {
        let _ = self.plazas.acquire_many(MAX_ZOCALOS).await;
    }
}

struct Zocalo {
    socket: WebSocket,
    forma: Forma,
    estado: watch::Receiver<Estado>,
    alto: watch::Receiver<bool>,
    _plaza: OwnedSemaphorePermit,
}

/// The socket is of no use any more.
struct Perdido;

impl Zocalo {
    async fn servir(mut self, difusion: Arc<Difusion>) {
        let eventos = difusion.suscribir(Clase::Evento);
        let cambios = (self.forma == Forma::Pagina).then(|| difusion.suscribir(Clase::Cambio));
        // The channel must be able to end with the server.
        drop(difusion);
        if let Ok(despedida) = self.enviar_todo(eventos, cambios).await {
            let _ = self.enviar(Message::Close(Some(despedida))).await;
        }
    }

    async fn enviar_todo(
        &mut self,
        mut eventos: Suscripcion,
        mut cambios: Option<Suscripcion>,
    ) -> Result<CloseFrame, Perdido> {
        self.enviar_estado().await?;
        for suscripcion in std::iter::once(&mut eventos).chain(cambios.as_mut()) {
            for publicacion in std::mem::take(&mut suscripcion.historia) {
                self.enviar_publicacion(&publicacion).await?;
            }
        }
        self.enviar_a_la_pagina(r#"{"tipo":"al_dia"}"#.into()).await?;
        let mut latido = interval(LATIDO);
        latido.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut oido = Instant::now();
        let mut visto = self.alto.clone();
        let mut alto = std::pin::pin!(async move { drop(visto.wait_for(|alto| *alto).await) });
        loop {
            tokio::select! {
                () = &mut alto => return Ok(despedida(close_code::AWAY, "el servidor se detiene")),
                siguiente = siguiente(&mut eventos, &mut cambios) => match siguiente {
                    Ok(publicacion) => self.enviar_publicacion(&publicacion).await?,
                    Err(RecvError::Closed) => return Ok(despedida(close_code::AWAY, "el servidor se detiene")),
                    Err(RecvError::Lagged(_)) if self.forma == Forma::Tutorial => {
                        return Ok(despedida(close_code::AGAIN, "demasiado lento: conéctate de nuevo"));
                    }
                    Err(RecvError::Lagged(cantidad)) => {
                        self.enviar_a_la_pagina(format!(r#"{{"tipo":"omitidos","cantidad":{cantidad}}}"#).into()).await?;
                    }
                },
                cambio = self.estado.changed() => match cambio {
                    Ok(()) => self.enviar_estado().await?,
                    // Quien cuenta el estado termina con el servidor, y puede terminar antes de que aquí se vea el alto.
                    Err(_) => return Ok(despedida(close_code::AWAY, "el servidor se detiene")),
                },
                recibido = self.socket.recv() => match recibido {
                    Some(Ok(Message::Close(_))) | Some(Err(_)) | None => return Err(Perdido),
                    Some(Ok(_)) => oido = Instant::now(),
                },
                _ = latido.tick() => {
                    if oido.elapsed() > SILENCIO {
                        return Err(Perdido);
                    }
                    self.enviar(Message::Ping(Vec::new().into())).await?;
                }
            }
        }
    }

    async fn enviar_publicacion(&mut self, publicacion: &Publicacion) -> Result<(), Perdido> {
        match (self.forma, &publicacion.para_tutorial) {
            (Forma::Pagina, _) => self.enviar(Message::Text(publicacion.para_pagina.clone())).await,
            (Forma::Tutorial, Some(evento)) => self.enviar(Message::Text(evento.clone())).await,
            (Forma::Tutorial, None) => Ok(()),
        }
    }

    async fn enviar_estado(&mut self) -> Result<(), Perdido> {
        let estado = *self.estado.borrow_and_update();
        self.enviar_a_la_pagina(estado.mensaje().into()).await
    }

    async fn enviar_a_la_pagina(&mut self, texto: Utf8Bytes) -> Result<(), Perdido> {
        match self.forma {
            Forma::Pagina => self.enviar(Message::Text(texto)).await,
            Forma::Tutorial => Ok(()),
        }
    }

    async fn enviar(&mut self, message: Message) -> Result<(), Perdido> {
        match timeout(ENVIO, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Perdido),
        }
    }
}

/// Waits for the next publication of either class.
async fn siguiente(
    eventos: &mut Suscripcion,
    cambios: &mut Option<Suscripcion>,
) -> Result<Arc<Publicacion>, RecvError> {
    let de_cambios = async {
        match cambios {
            Some(cambios) => cambios.siguientes.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        evento = eventos.siguientes.recv() => evento,
        cambio = de_cambios => cambio,
    }
}

fn despedida(code: u16, motivo: &'static str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from_static(motivo) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::extract::State;
    use axum::extract::ws::WebSocketUpgrade;
    use axum::extract::ws::rejection::WebSocketUpgradeRejection;
    use axum::response::Response;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;

    use super::{Forma, Zocalos};
    use crate::ui::difusion::Difusion;
    use crate::ui::estado::Estado;

    const PETICION: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

    async fn abrir(
        State(zocalos): State<Arc<Zocalos>>,
        subida: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    ) -> Response {
        zocalos.abrir(subida, Forma::Pagina)
    }

    /// El canal del estado puede acabarse antes de que el zócalo vea el alto; entonces el zócalo moría sin su trama de cierre.
    #[tokio::test]
    async fn un_zocalo_se_despide_aunque_el_estado_acabe_antes_que_el_alto() {
        let difusion = Arc::new(Difusion::nueva());
        let (estado, estado_visto) = watch::channel(Estado::default());
        let (_alto, alto_visto) = watch::channel(false);
        let zocalos = Arc::new(Zocalos::nuevos(Arc::clone(&difusion), estado_visto, alto_visto));
        let rutas = Router::new().route("/ws", get(abrir)).with_state(zocalos);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut navegador = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let sirve = tokio::spawn(async move { axum::serve(listener, rutas).await });
        drop(estado);
        navegador.write_all(PETICION.as_bytes()).await.unwrap();
        let mut recibido = Vec::new();
        navegador.read_to_end(&mut recibido).await.unwrap();
        sirve.abort();
        // Una trama entera de cierre: 0x88, su longitud, el código 1001 y el motivo.
        let motivo = "el servidor se detiene";
        let cierre = [&[0x88, 2 + motivo.len() as u8, 0x03, 0xe9], motivo.as_bytes()].concat();
        assert!(recibido.ends_with(&cierre), "{}", String::from_utf8_lossy(&recibido));
        drop(difusion);
    }
}
