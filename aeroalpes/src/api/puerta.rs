//! La puerta: las conexiones, cuántas puede haber y cuánto puede callar una.
//!
//! Sin estos límites, un cliente que abre conexiones y no envía nada, o envía una cabecera byte a byte, retendría para
//! siempre los *sockets* y el final del proceso. Lo que sigue a la cabecera se acota en otra parte: el cuerpo, en
//! tamaño y tiempo (`presentacion::cuerpo`); el trabajo, por el número de peticiones a la vez (`presentacion::filtro`).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Lo que tienen para acabar las peticiones en curso cuando se pide el final.
const PLAZO: Duration = Duration::from_secs(20);

/// Si el sistema no puede aceptar (faltan descriptores), lo que se espera hasta el siguiente intento.
const RESPIRO: Duration = Duration::from_millis(100);

/// Límites de la puerta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puerta {
    /// Conexiones a la vez; las demás esperan en la cola del sistema hasta que se cierre una.
    pub conexiones: usize,
    /// Lo que puede tardar la cabecera de una petición desde el final de la anterior. Debe ser más de lo que los
    /// clientes guardan una conexión ociosa, o la encontrarán cerrada.
    pub cabecera: Duration,
}

impl Default for Puerta {
    /// 4096 conexiones, 100 segundos: los clientes usuales guardan una conexión ociosa hasta 90.
    fn default() -> Self {
        Puerta { conexiones: 4_096, cabecera: Duration::from_secs(100) }
    }
}

/// Sirve hasta que `fin` termina; después no acepta nada, cierra las conexiones ociosas y deja acabar las peticiones
/// en curso.
pub(crate) async fn atender(escucha: TcpListener, router: Router, puerta: Puerta, fin: impl Future<Output = ()>) {
    let mut constructor = http1::Builder::new();
    constructor.timer(TokioTimer::new()).header_read_timeout(puerta.cabecera);
    let lugares = Arc::new(Semaphore::new(puerta.conexiones.min(Semaphore::MAX_PERMITS)));
    let abiertas = GracefulShutdown::new();
    let mut fin = std::pin::pin!(fin);
    loop {
        let aceptada = async {
            // El semáforo nunca se cierra.
            let lugar = Arc::clone(&lugares).acquire_owned().await.ok();
            (lugar, aceptar(&escucha).await)
        };
        let (lugar, socket) = tokio::select! {
            aceptada = aceptada => aceptada,
            () = &mut fin => break,
        };
        let servicio = TowerToHyperService::new(router.clone());
        let conexion = abiertas.watch(constructor.serve_connection(TokioIo::new(socket), servicio));
        tokio::spawn(async move {
            if let Err(error) = conexion.await {
                tracing::debug!(%error, "una conexión se rompió");
            }
            drop(lugar);
        });
    }
    drop(escucha);
    if tokio::time::timeout(PLAZO, abiertas.shutdown()).await.is_err() {
        let segundos = PLAZO.as_secs();
        tracing::warn!("había peticiones en curso {segundos} s después de pedir el final, y se cortan");
    }
}

async fn aceptar(escucha: &TcpListener) -> TcpStream {
    loop {
        match escucha.accept().await {
            Ok((socket, _)) => {
                // Un *socket* que rechaza esta opción sigue siendo un *socket*.
                let _ = socket.set_nodelay(true);
                return socket;
            }
            Err(error) => {
                tracing::warn!(%error, "no se puede aceptar una conexión");
                tokio::time::sleep(RESPIRO).await;
            }
        }
    }
}
