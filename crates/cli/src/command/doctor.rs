//! `bitacora doctor`.

use bitacora_config::{Environment, SourceConfig, load_pulsar_io, load_toml};
use bitacora_engine::examine;

use crate::arguments::Doctor;
use crate::failure::Failure;

/// Prints the findings of every source; fails if one of them prevents capture.
pub(crate) async fn run(arguments: Doctor) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let config = match &arguments.source_config_file {
        Some(file) => load_pulsar_io(file, &environment)?,
        None => load_toml(&arguments.config, &environment)?,
    };
    let data_dir = arguments.data_dir.as_ref().unwrap_or(&config.data_dir);
    let mut failing = Vec::new();
    for source in &config.sources {
        if !print(source, data_dir).await? {
            failing.push(source.name.as_str());
        }
    }
    if failing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("capture is not possible for {}; see the findings above", failing.join(", "))))
}

async fn print(source: &SourceConfig, data_dir: &std::path::Path) -> Result<bool, Failure> {
    println!("source {}", source.name);
    let report = examine(source, data_dir).await?;
    for finding in &report.findings {
        println!("  {finding}");
    }
    Ok(report.is_ready())
}
