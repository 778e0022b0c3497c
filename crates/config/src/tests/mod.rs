#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod columns;
mod outbox;
mod own_toml;
mod pulsar_io;
mod table;

use bitacora_change::{Connector, DebeziumForm, ValueFormat};
use bitacora_source::{PublicKeyRetrieval, Tls, TlsMode};

use super::*;

fn none() -> Environment {
    Environment::default()
}

/// Returns the problems of a text, one line each.
fn problems<T: std::fmt::Debug>(result: Result<T, ConfigError>) -> String {
    result.expect_err("the configuration must be refused").to_string()
}
