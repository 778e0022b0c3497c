//! Table descriptions as the checkpoint store keeps them.

use std::sync::Arc;

use bitacora_source::ddl::Catalog;

use crate::error::{EngineError, ErrorKind};

/// Reads the descriptions of a checkpoint; none are an empty catalog.
pub(super) fn parse_catalog(text: Option<&[u8]>) -> Result<Arc<Catalog>, EngineError> {
    let Some(text) = text else { return Ok(Arc::new(Catalog::default())) };
    serde_json::from_slice(text).map(Arc::new).map_err(|error| {
        EngineError::new(ErrorKind::StoredState, "the table descriptions in the checkpoint store cannot be understood")
            .remedy("restore the store from a copy, or remove it to begin with a new snapshot")
            .caused_by(error)
    })
}

/// Writes descriptions for a checkpoint.
pub(super) fn catalog_text(catalog: &Catalog) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(catalog)
        .map_err(|error| EngineError::new(ErrorKind::Fault, "the table descriptions cannot be stored").caused_by(error))
}
