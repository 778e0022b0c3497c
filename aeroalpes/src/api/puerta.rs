//! The door: connections, how many there may be, and how long one may keep silent.
//!
//! A client that opens connections and sends nothing, or a header a byte at a time, would otherwise hold sockets for ever, and
//! the end of the process as well. What a request does once its header is there is bounded elsewhere: its body by size and
//! time, its work by the places of the router.

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

/// Requests in flight have this long to finish after the end was asked for.
const PLAZO: Duration = Duration::from_secs(20);

/// When the system cannot accept (no file descriptors), this long is waited before the next try.
const RESPIRO: Duration = Duration::from_millis(100);

/// Bounds of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puerta {
    /// Connections at a time; further ones wait in the system's queue until one closes.
    pub conexiones: usize,
    /// How long the header of a request may take, counted from the end of the one before. It should be longer than clients keep
    /// idle connections, or they meet a closed one.
    pub cabecera: Duration,
}

impl Default for Puerta {
    /// 4,096 connections, 100 seconds: the usual clients keep an idle connection for up to 90.
    fn default() -> Self {
        Puerta { conexiones: 4_096, cabecera: Duration::from_secs(100) }
    }
}

/// Serves until `fin` completes; then nothing new is accepted, idle connections close and requests in flight finish.
pub(crate) async fn atender(listener: TcpListener, router: Router, puerta: Puerta, fin: impl Future<Output = ()>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(puerta.cabecera);
    let lugares = Arc::new(Semaphore::new(puerta.conexiones.min(Semaphore::MAX_PERMITS)));
    let abiertas = GracefulShutdown::new();
    let mut fin = std::pin::pin!(fin);
    loop {
        let aceptada = async {
            // The semaphore is never closed.
            let lugar = Arc::clone(&lugares).acquire_owned().await.ok();
            (lugar, aceptar(&listener).await)
        };
        let (lugar, socket) = tokio::select! {
            aceptada = aceptada => aceptada,
            () = &mut fin => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let conexion = abiertas.watch(builder.serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            if let Err(error) = conexion.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(lugar);
        });
    }
    drop(listener);
    if tokio::time::timeout(PLAZO, abiertas.shutdown()).await.is_err() {
        let seconds = PLAZO.as_secs();
        tracing::warn!("requests were still in flight {seconds} s after the end was asked for, and are cut off");
    }
}

async fn aceptar(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                // A socket that refuses this option is still a socket.
                let _ = socket.set_nodelay(true);
                return socket;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(RESPIRO).await;
            }
        }
    }
}
