//! The `aeroalpes` command: one part of the application each.

mod fallo;
mod orden;
mod parada;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use fallo::Fallo;

/// AeroAlpes: the reference application of Bitácora.
#[derive(Debug, Parser)]
#[command(name = "aeroalpes", version)]
struct Argumentos {
    #[command(subcommand)]
    orden: orden::Orden,
}

fn main() -> ExitCode {
    bitacora_store::end_at_panic(|fault| {
        eprintln!(
            "aeroalpes: a fault of this program ended it ({fault}); start it again, and report this line if it comes back"
        );
    });
    let argumentos = Argumentos::parse();
    start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Fallo::nuevo(format!("the runtime cannot be started: {error}")).informar(),
    };
    let outcome = runtime.block_on(orden::ejecutar(argumentos.orden));
    // Threads that still wait for a peer must not hold back the end.
    runtime.shutdown_timeout(Duration::from_secs(2));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.informar(),
    }
}

/// Logs go to standard error; `RUST_LOG` chooses, warnings and our own information by default.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new("warn,aeroalpes=info,bitacora_pulsar::subscription_worker=info")
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
