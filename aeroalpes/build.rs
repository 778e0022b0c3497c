//! Hace de `proto/vuelos.proto` los mensajes, el servidor y el cliente del sidecar, y su descripción para la
//! reflexión. No hace falta protoc. Los mensajes son también JSON de la API (`src/sidecar/json.rs`).

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut contrato = protox::Compiler::new(["proto"])?;
    contrato.include_imports(true).open_file("vuelos.proto")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("vuelos.bin"), contrato.encode_file_descriptor_set())?;
    let si_esta = r#"default, skip_serializing_if = "Option::is_none""#;
    let texto =
        r#"default, skip_serializing_if = "String::is_empty", deserialize_with = "crate::sidecar::json::texto""#;
    let fecha = format!(r#"{si_esta}, with = "crate::sidecar::json::fecha""#);
    let mut codigo =
        tonic_prost_build::configure().type_attribute(".vuelos", "#[derive(serde::Serialize, serde::Deserialize)]");
    for (campo, reglas) in [
        ("Reserva.id", si_esta),
        ("Reserva.fecha_creacion", &fecha),
        ("Reserva.fecha_actualizacion", &fecha),
        ("Reserva.itinerarios", "default"),
        ("Itinerario.id", "skip"),
        ("Leg.fecha_salida", &fecha),
        ("Leg.fecha_llegada", &fecha),
        ("Leg.origen", si_esta),
        ("Leg.destino", si_esta),
        ("Locacion.codigo", texto),
        ("Locacion.nombre", texto),
    ] {
        codigo = codigo.field_attribute(format!(".vuelos.{campo}"), format!("#[serde({reglas})]"));
    }
    codigo.compile_fds(contrato.file_descriptor_set())?;
    Ok(())
}
