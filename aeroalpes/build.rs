//! Hace código de `proto/vuelos.proto` y de los archivos de la página.

use std::error::Error;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto\ncargo::rerun-if-changed=pagina");
    let salida = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(salida.join("pagina.rs"), format!("&[{}]", pagina(&fs::canonicalize("pagina")?)?))?;
    contrato(&salida)
}

/// Hace los mensajes, el servidor y el cliente del sidecar, y su descripción para la reflexión. No hace falta protoc.
/// Los mensajes son también JSON de la API (`src/sidecar/json.rs`).
fn contrato(salida: &Path) -> Result<(), Box<dyn Error>> {
    let mut contrato = protox::Compiler::new(["proto"])?;
    contrato.include_imports(true).open_file("vuelos.proto")?;
    fs::write(salida.join("vuelos.bin"), contrato.encode_file_descriptor_set())?;
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

/// Escribe los archivos de una carpeta de la página como elementos de una lista: ruta, etiqueta y texto.
fn pagina(carpeta: &Path) -> Result<String, Box<dyn Error>> {
    let mut lista = String::new();
    for entrada in fs::read_dir(carpeta)? {
        let archivo = entrada?.path();
        if archivo.is_dir() {
            lista += &pagina(&archivo)?;
            continue;
        }
        let mut resumidor = DefaultHasher::new();
        fs::read(&archivo)?.hash(&mut resumidor);
        let ruta = archivo.strip_prefix(fs::canonicalize("pagina")?)?.display().to_string().replace("index.html", "");
        let etiqueta = format!("\"{:016x}\"", resumidor.finish());
        write!(lista, "Archivo {{ ruta: \"/{ruta}\", etiqueta: {etiqueta:?}, texto: include_str!({archivo:?}) }},")?;
    }
    Ok(lista)
}
