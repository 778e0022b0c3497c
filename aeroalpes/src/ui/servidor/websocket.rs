//! Websockets: primero la historia, después lo que llega, hasta que un lado termina.
//!
//! Dos formas. [`Forma::Tutorial`] solo envía el JSON de los eventos, uno por mensaje. [`Forma::Pagina`] envía
//! objetos con `tipo`: `estado` (`{"broker","api"}`: true, false, o null si no se sabe), `evento` y `cambio` (con
//! `clave`, por la que la página sabe qué ha visto ya), `aviso`, `omitidos` (la `cantidad` que la página se perdió
//! por lenta) y `al_dia` al final de la historia. Lo que envía un navegador se lee y no se atiende.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::ui::difusion::{Clase, Difusion, Publicacion, Suscripcion};
use crate::ui::estado::Estado;

/// Websockets a la vez.
const MAX_WEBSOCKETS: u32 = 256;

/// El mensaje más largo que puede enviar un navegador; la página no envía ninguno.
const MAX_RECIBIDO: usize = 4 * 1024;

/// Lo que puede esperar en la memoria del propio websocket.
const MAX_POR_ENVIAR: usize = 256 * 1024;

/// Lo que puede tardar en salir un mensaje.
const ENVIO: Duration = Duration::from_secs(10);

/// Intervalo de los pings.
const LATIDO: Duration = Duration::from_secs(20);

/// Un navegador que calla tanto tiempo se ha ido.
const SILENCIO: Duration = Duration::from_secs(60);

/// Lo que habla un websocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forma {
    Tutorial,
    /// Objetos con `tipo`.
    Pagina,
}

#[derive(Debug)]
pub(super) struct Websockets {
    difusion: Arc<Difusion>,
    estado: watch::Receiver<Estado>,
    alto: CancellationToken,
    plazas: Arc<Semaphore>,
}

impl Websockets {
    /// Crea el conjunto de los websockets; terminan cuando se pide el `alto`.
    pub(super) fn nuevos(difusion: Arc<Difusion>, estado: watch::Receiver<Estado>, alto: CancellationToken) -> Self {
        Self { difusion, estado, alto, plazas: Arc::new(Semaphore::new(MAX_WEBSOCKETS as usize)) }
    }

    /// Abre un websocket para una petición que lo pide.
    pub(super) fn abrir(&self, subida: Result<WebSocketUpgrade, WebSocketUpgradeRejection>, forma: Forma) -> Response {
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
            .on_upgrade(move |socket| Websocket { socket, forma, estado, alto, _plaza: plaza }.servir(difusion))
    }

    /// Espera hasta que no haya ninguno abierto.
    pub(super) async fn cerrados(&self) {
        let _ = self.plazas.acquire_many(MAX_WEBSOCKETS).await;
    }
}

struct Websocket {
    socket: WebSocket,
    forma: Forma,
    estado: watch::Receiver<Estado>,
    alto: CancellationToken,
    _plaza: OwnedSemaphorePermit,
}

/// El websocket ya no sirve.
struct Perdido;

impl Websocket {
    async fn servir(mut self, difusion: Arc<Difusion>) {
        let eventos = difusion.suscribir(Clase::Evento);
        let cambios = (self.forma == Forma::Pagina).then(|| difusion.suscribir(Clase::Cambio));
        // El canal debe poder terminar con el servidor.
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
        let mut alto = std::pin::pin!(self.alto.clone().cancelled_owned());
        loop {
            tokio::select! {
                () = &mut alto => return Ok(el_servidor_se_detiene()),
                siguiente = siguiente(&mut eventos, &mut cambios) => match siguiente {
                    Ok(publicacion) => self.enviar_publicacion(&publicacion).await?,
                    Err(RecvError::Closed) => return Ok(el_servidor_se_detiene()),
                    Err(RecvError::Lagged(_)) if self.forma == Forma::Tutorial => {
                        let reason = Utf8Bytes::from_static("demasiado lento: conéctate de nuevo");
                        return Ok(CloseFrame { code: close_code::AGAIN, reason });
                    }
                    Err(RecvError::Lagged(cantidad)) => {
                        let omitidos = format!(r#"{{"tipo":"omitidos","cantidad":{cantidad}}}"#);
                        self.enviar_a_la_pagina(omitidos.into()).await?;
                    }
                },
                cambio = self.estado.changed() => match cambio {
                    Ok(()) => self.enviar_estado().await?,
                    // Quien cuenta el estado termina con el servidor, y puede que antes de que aquí se vea el alto.
                    Err(_) => return Ok(el_servidor_se_detiene()),
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
        let estado = self.estado.borrow_and_update().mensaje();
        self.enviar_a_la_pagina(estado.into()).await
    }

    async fn enviar_a_la_pagina(&mut self, texto: Utf8Bytes) -> Result<(), Perdido> {
        if self.forma == Forma::Pagina { self.enviar(Message::Text(texto)).await } else { Ok(()) }
    }

    async fn enviar(&mut self, mensaje: Message) -> Result<(), Perdido> {
        match timeout(ENVIO, self.socket.send(mensaje)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Perdido),
        }
    }
}

/// Espera la siguiente publicación de una u otra clase.
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

fn el_servidor_se_detiene() -> CloseFrame {
    CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("el servidor se detiene") }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::State;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const PETICION: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

    async fn abrir(
        State(websockets): State<Arc<Websockets>>,
        subida: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    ) -> Response {
        websockets.abrir(subida, Forma::Pagina)
    }

    /// El canal del estado puede acabarse antes de que el websocket vea el alto; entonces moría sin su trama de cierre.
    #[tokio::test]
    async fn un_websocket_se_despide_aunque_el_estado_acabe_antes_que_el_alto() {
        let difusion = Arc::new(Difusion::default());
        let (estado, estado_visto) = watch::channel(Estado::default());
        let sin_alto = CancellationToken::new();
        let websockets = Arc::new(Websockets::nuevos(Arc::clone(&difusion), estado_visto, sin_alto));
        let rutas = Router::new().route("/ws", get(abrir)).with_state(websockets);
        let escucha = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut navegador = TcpStream::connect(escucha.local_addr().unwrap()).await.unwrap();
        let sirve = tokio::spawn(async move { axum::serve(escucha, rutas).await });
        drop(estado);
        navegador.write_all(PETICION.as_bytes()).await.unwrap();
        let mut recibido = Vec::new();
        navegador.read_to_end(&mut recibido).await.unwrap();
        sirve.abort();
        // Una trama entera de cierre: 0x88, su longitud, el código 1001 y el motivo.
        let motivo = "el servidor se detiene";
        let cierre = [&[0x88, 2 + u8::try_from(motivo.len()).unwrap(), 0x03, 0xe9], motivo.as_bytes()].concat();
        assert!(recibido.ends_with(&cierre), "{}", String::from_utf8_lossy(&recibido));
        drop(difusion);
    }
}
