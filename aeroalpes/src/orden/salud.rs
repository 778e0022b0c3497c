//! `aeroalpes salud`.

use std::time::Duration;

use aeroalpes::causas::con_causas;
use aeroalpes::sidecar::cliente::{self, Destino};
use clap::Args;

use crate::fallo::Fallo;

/// Argumentos de `aeroalpes salud`.
#[derive(Debug, Args)]
pub(crate) struct Salud {
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

/// Acaba bien si la dirección contesta 200 o lo que `--si` pide, o si su servicio de salud de gRPC dice que sirve.
pub(super) async fn ejecutar(argumentos: Salud) -> Result<(), Fallo> {
    let Salud { url, si, espera_ms } = argumentos;
    let espera = Duration::from_millis(espera_ms);
    if let Some(direccion) = url.strip_prefix("grpc://") {
        cliente::salud(&Destino { direccion: direccion.to_owned(), espera }).await?;
        return Ok(());
    }
    let fallo = |error: reqwest::Error| Fallo::nuevo(con_causas(&error));
    let cliente = reqwest::Client::builder().timeout(espera).no_proxy().build().map_err(fallo)?;
    let respuesta = cliente.get(&url).send().await.map_err(fallo)?;
    let estado = respuesta.status();
    if let Some((campo, texto)) = si {
        let json: serde_json::Value = respuesta.json().await.map_err(fallo)?;
        let hallado = json.get(&campo).and_then(serde_json::Value::as_str);
        if hallado == Some(&texto) {
            return Ok(());
        }
        return Err(Fallo::nuevo(format!("{url} contestó {estado}, y {campo} es {}", hallado.unwrap_or("nada"))));
    }
    if estado != reqwest::StatusCode::OK {
        return Err(Fallo::nuevo(format!("{url} contestó {estado}")));
    }
    Ok(())
}
