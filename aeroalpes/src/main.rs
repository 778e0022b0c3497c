//! El programa `aeroalpes`: cada orden es una parte de la aplicación.

mod fallo;
mod orden;
mod parada;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use fallo::Fallo;

/// AeroAlpes: la aplicación de referencia de Bitácora
#[derive(Debug, Parser)]
#[command(name = "aeroalpes", version)]
struct Argumentos {
    #[command(subcommand)]
    orden: orden::Orden,
}

fn main() -> ExitCode {
    bitacora_data_folder::end_at_panic(|falta| {
        eprintln!(
            "aeroalpes: una falta de este programa lo terminó ({falta}); arránquelo de nuevo e informe de esta línea \
             si vuelve a ocurrir"
        );
    });
    let argumentos = Argumentos::parse();
    registrar();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Fallo::nuevo(format!("no se puede iniciar el motor de tareas: {error}")).informar(),
    };
    let resultado = runtime.block_on(orden::ejecutar(argumentos.orden));
    // Un hilo que todavía espera a otro servidor no debe retener el final.
    runtime.shutdown_timeout(Duration::from_secs(2));
    match resultado {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.informar(),
    }
}

/// El registro va a la salida de error; `RUST_LOG` elige qué. Por defecto, advertencias e informaciones propias.
fn registrar() {
    let filtro = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new("warn,aeroalpes=info,bitacora_pulsar::subscription_worker=info")
    });
    tracing_subscriber::fmt()
        .with_env_filter(filtro)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
