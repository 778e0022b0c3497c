//! Cuándo se le pide al proceso que termine.

use std::future::{Future, pending};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Código de salida de un proceso que Ctrl-C cortó, como lo da un intérprete de órdenes.
const CORTADO: i32 = 130;

/// Si el final tarda más que esto, el programa lo dice, y otro Ctrl-C lo corta.
const PACIENCIA: Duration = Duration::from_secs(1);

/// Espera SIGTERM o Ctrl-C. Escucha desde la llamada, para no perder ninguna señal mientras el programa arranca. Si el
/// sistema no admite estas señales, la espera no acaba. Desde la señal el proceso tiene [`PACIENCIA`] para terminar en
/// orden; después, otro Ctrl-C lo corta.
pub(crate) fn pedida() -> impl Future<Output = ()> {
    let mut interrupcion = signal(SignalKind::interrupt()).ok();
    let mut terminacion = signal(SignalKind::terminate()).ok();
    async move {
        tokio::select! {
            () = llega(&mut interrupcion) => {}
            () = llega(&mut terminacion) => {}
        }
        tokio::spawn(cortar());
    }
}

/// Corta el proceso con el siguiente Ctrl-C. El que llega antes de [`PACIENCIA`] no cuenta: quien reenvía señales a
/// un hijo del mismo grupo de la terminal le manda cada una dos veces.
async fn cortar() {
    tokio::time::sleep(PACIENCIA).await;
    let mut interrupcion = signal(SignalKind::interrupt()).ok();
    eprintln!("aeroalpes: primero termina lo que está en curso; Ctrl-C lo corta");
    llega(&mut interrupcion).await;
    std::process::exit(CORTADO);
}

async fn llega(pedido: &mut Option<Signal>) {
    match pedido {
        Some(pedido) => {
            pedido.recv().await;
        }
        None => pending().await,
    }
}
