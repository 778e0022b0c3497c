//! Cuándo se le pide al proceso que termine.

use std::future::{Future, pending};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Código de salida de un proceso que Ctrl-C cortó, como lo da un intérprete de órdenes.
const CORTADO: i32 = 130;

/// Un final que tarda más que esto lo dice, y se puede cortar.
const PACIENCIA: Duration = Duration::from_secs(1);

/// Espera SIGTERM o Ctrl-C, y escucha desde la llamada, para no perder ninguna mientras el programa arranca. Un
/// sistema que no puede avisar de ninguna de las dos no pide nada. Desde la señal el proceso tiene [`PACIENCIA`] para
/// terminar en orden; después, otro Ctrl-C lo corta.
pub fn pedida() -> impl Future<Output = ()> {
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
