//! El programa: argumentos, registro, final. Cada orden es una parte, que tiene sus propios argumentos.

mod api;
mod parada;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::error::con_causas;
use crate::{notificaciones, sidecar, ui};

/// AeroAlpes: la aplicación de referencia de Bitácora
#[derive(Debug, Parser)]
#[command(name = "aeroalpes", version)]
struct Argumentos {
    #[command(subcommand)]
    orden: Orden,
}

#[derive(Debug, Subcommand)]
enum Orden {
    /// Envía un correo por cada evento de una reserva
    Notificaciones(notificaciones::Argumentos),
    /// Sirve la API HTTP: reservas y usuarios
    Api(api::Api),
    /// Pregunta a una parte en marcha si está bien; para las comprobaciones de contenedores, que no tienen otro
    /// programa
    Salud(Salud),
    /// Sirve la página y su websocket: cada evento de las reservas y cada cambio de las tablas
    Ui(ui::Argumentos),
    /// Ofrece la API por gRPC
    Sidecar(sidecar::Argumentos),
    /// Llama a un sidecar: hace la reserva de un archivo JSON, o lee una
    SidecarCliente(sidecar::cliente::Argumentos),
}

/// Argumentos de `aeroalpes salud`.
#[derive(Debug, Args)]
struct Salud {
    /// Dirección que contesta 200 si todo está bien, como http://127.0.0.1:5000/health, o grpc://127.0.0.1:50051
    url: String,
    /// Basta que el JSON de la respuesta tenga este campo con este texto, conteste lo que conteste
    #[arg(long, value_name = "CAMPO=TEXTO", value_parser = par)]
    si: Option<(String, String)>,
    /// Cuánto se espera la respuesta, en milisegundos
    #[arg(long, default_value_t = 3000)]
    espera_ms: u64,
}

fn par(texto: &str) -> Result<(String, String), String> {
    let (campo, valor) = texto.split_once('=').ok_or("escriba CAMPO=TEXTO, como base_de_datos=up")?;
    Ok((campo.to_owned(), valor.to_owned()))
}

/// Por qué el programa termina con un código que no es cero: una frase que ya dice su causa.
type Fallo = Box<dyn std::error::Error>;

/// Ejecuta la orden de la línea de argumentos hasta que acaba o se le pide que termine.
pub fn principal() -> ExitCode {
    bitacora_data_folder::end_at_panic(|falta| {
        eprintln!(
            "aeroalpes: una falta de este programa lo terminó ({falta}); arránquelo de nuevo e informe de esta línea \
             si vuelve a ocurrir"
        );
    });
    let argumentos = Argumentos::parse();
    registrar();
    let resultado = ejecutar(argumentos.orden);
    match resultado {
        Ok(()) => ExitCode::SUCCESS,
        Err(fallo) => {
            eprintln!("aeroalpes: {fallo}");
            ExitCode::FAILURE
        }
    }
}

fn ejecutar(orden: Orden) -> Result<(), Fallo> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no se puede iniciar el motor de tareas: {error}"))?;
    let resultado = runtime.block_on(async {
        match orden {
            Orden::Notificaciones(argumentos) => {
                Box::pin(notificaciones::ejecutar(&argumentos, parada::pedida())).await?;
            }
            Orden::Api(argumentos) => api::ejecutar(argumentos).await?,
            Orden::Salud(argumentos) => salud(argumentos).await?,
            Orden::Ui(argumentos) => ui::servir(argumentos, parada::pedida()).await?,
            Orden::Sidecar(argumentos) => Box::pin(sidecar::servir(argumentos, parada::pedida())).await?,
            Orden::SidecarCliente(argumentos) => println!("{}", sidecar::cliente::ejecutar(argumentos).await?),
        }
        Ok(())
    });
    // Un hilo que todavía espera a otro servidor no debe retener el final.
    runtime.shutdown_timeout(Duration::from_secs(2));
    resultado
}

/// Acaba bien si la dirección contesta 200 o lo que `--si` pide, o si su servicio de salud de gRPC dice que sirve.
async fn salud(Salud { url, si, espera_ms }: Salud) -> Result<(), Fallo> {
    let espera = Duration::from_millis(espera_ms);
    if let Some(direccion) = url.strip_prefix("grpc://") {
        return Ok(sidecar::cliente::salud(direccion, espera).await?);
    }
    let fallo = |error: reqwest::Error| con_causas(&error);
    let cliente = reqwest::Client::builder().timeout(espera).no_proxy().build().map_err(fallo)?;
    let respuesta = cliente.get(&url).send().await.map_err(fallo)?;
    let estado = respuesta.status();
    if let Some((campo, texto)) = si {
        let json: serde_json::Value = respuesta.json().await.map_err(fallo)?;
        return match json.get(&campo).and_then(serde_json::Value::as_str) {
            Some(hallado) if hallado == texto => Ok(()),
            hallado => Err(format!("{url} contestó {estado}, y {campo} es {}", hallado.unwrap_or("nada")).into()),
        };
    }
    if estado == reqwest::StatusCode::OK { Ok(()) } else { Err(format!("{url} contestó {estado}").into()) }
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
