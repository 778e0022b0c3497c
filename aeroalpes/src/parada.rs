//! When the process is asked to end.

use std::future::{Future, pending};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code of a process that did not end in good order because of Ctrl-C, as a shell gives it.
const CORTADO: i32 = 130;

/// Time after which an end that is not there yet says so, and can be cut short.
const PACIENCIA: Duration = Duration::from_secs(1);

/// Waits for SIGTERM or Ctrl-C, and listens from the moment of the call, so that none is missed while the program starts. A
/// system that cannot tell either is taken as one that asks for nothing. From then on the process has [`PACIENCIA`] to end in good
/// order; after that a further Ctrl-C ends it at once.
pub fn pedida() -> impl Future<Output = ()> {
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let mut terminate = signal(SignalKind::terminate()).ok();
    async move {
        tokio::select! {
            () = llega(&mut interrupt) => {}
            () = llega(&mut terminate) => {}
        }
        tokio::spawn(cortar());
    }
}

/// Ends the process at the next Ctrl-C. One that comes within [`PACIENCIA`] does not count: who forwards signals to a child in the
/// terminal's own group sends each of them twice.
async fn cortar() {
    tokio::time::sleep(PACIENCIA).await;
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    eprintln!("aeroalpes: what is under way is brought to its end first; Ctrl-C ends at once");
    llega(&mut interrupt).await;
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
