//! Hace de `proto/vuelos.proto` los mensajes, el servidor y el cliente del sidecar, y su descripción para la
//! reflexión. No hace falta protoc.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut contrato = protox::Compiler::new(["proto"])?;
    contrato.include_imports(true).open_file("vuelos.proto")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("vuelos.bin"), contrato.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(contrato.file_descriptor_set())?;
    Ok(())
}
