//! When the process is asked to end.

use std::future::{Future, pending};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for SIGTERM or Ctrl-C, and listens from the moment of the call, so that none is missed while the program starts. A
/// system that cannot tell either is taken as one that asks for nothing.
pub fn pedida() -> impl Future<Output = ()> {
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let mut terminate = signal(SignalKind::terminate()).ok();
    async move {
        tokio::select! {
            () = llega(&mut interrupt) => {}
            () = llega(&mut terminate) => {}
        }
    }
}

async fn llega(pedido: &mut Option<Signal>) {
    match pedido {
        Some(pedido) => {
            pedido.recv().await;
        }
        None => pending().await,
    }
}
