//! What events leave behind for later ones: the format of the log, the table maps, and buffers that are used again.

use crate::{event::FormatDescription, table::TableMap};
use flate2::Decompress;
use std::{collections::HashMap, sync::Arc};

/// What events leave behind for later ones; also used by the events inside a payload.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) format: FormatDescription,
    pub(super) tables: HashMap<u64, (Arc<TableMap>, Box<[u8]>)>,
    pub(super) inflater: Decompress,
    pub(super) inflated: Vec<u8>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: FormatDescription::default(),
            tables: HashMap::new(),
            inflater: Decompress::new(true),
            inflated: Vec::new(),
        }
    }
}
