//! El código guardado es el que da el contrato. `UPDATE_PROTO=1 cargo test -p aeroalpes --test generado` lo escribe
//! de nuevo.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;

use prost::Message;

#[test]
fn el_codigo_generado_esta_al_dia() {
    let paquete = Path::new(env!("CARGO_MANIFEST_DIR"));
    let carpeta = tempfile::tempdir().unwrap();
    let archivos = protox::compile(["vuelos.proto"], [paquete.join("proto")]).unwrap();
    // La reflexión no necesita comentarios, y cambiar uno no cambia el contrato.
    let mut descritos = archivos.clone();
    descritos.file.iter_mut().for_each(|archivo| archivo.source_code_info = None);
    fs::write(carpeta.path().join("vuelos.bin"), descritos.encode_to_vec()).unwrap();
    tonic_prost_build::configure().out_dir(carpeta.path()).compile_fds(archivos).unwrap();
    for nombre in ["vuelos.rs", "vuelos.bin"] {
        let (reciente, guardado) = (carpeta.path().join(nombre), paquete.join("src/sidecar/generado").join(nombre));
        if std::env::var_os("UPDATE_PROTO").is_some() {
            fs::copy(&reciente, &guardado).unwrap();
        }
        let al_dia = fs::read(&reciente).unwrap() == fs::read(&guardado).unwrap_or_default();
        assert!(al_dia, "{} no está al día; ejecute la prueba con UPDATE_PROTO=1", guardado.display());
    }
}
