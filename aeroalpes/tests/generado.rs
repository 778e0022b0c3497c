//! The committed code is what the contract gives. `UPDATE_PROTO=1 cargo test -p aeroalpes --test generado` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;

use prost::Message;

#[test]
fn the_generated_code_is_current() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let files = protox::compile(["vuelos.proto"], [package.join("proto")]).unwrap();
    // Reflection needs no comments, and a change of one is no change of the contract.
    let mut described = files.clone();
    described.file.iter_mut().for_each(|file| file.source_code_info = None);
    fs::write(folder.path().join("vuelos.bin"), described.encode_to_vec()).unwrap();
    tonic_prost_build::configure().out_dir(folder.path()).compile_fds(files).unwrap();
    for name in ["vuelos.rs", "vuelos.bin"] {
        let (fresh, committed) = (folder.path().join(name), package.join("src/sidecar/generado").join(name));
        if std::env::var_os("UPDATE_PROTO").is_some() {
            fs::copy(&fresh, &committed).unwrap();
        }
        let is_current = fs::read(&fresh).unwrap() == fs::read(&committed).unwrap_or_default();
        assert!(is_current, "{} is not current; run the test with UPDATE_PROTO=1", committed.display());
    }
}
