//! Buffers that encoding needs besides its output; kept in the message buffer, so that they are allocated once.

use bitacora_binlog::value::ColumnInflater;

use crate::landmark::Landmarks;
use crate::source_block::SourceCache;

/// Most bytes that a compressed column may hold: the server's own limit of a packet.
const INFLATED_BYTES_MAX: usize = 1 << 30;

/// Buffers for a row's intermediate bytes.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The text of a JSON document before it is escaped.
    pub text: Vec<u8>,
    /// A key with its schema before it becomes Base64.
    pub key: Vec<u8>,
    /// Where the constant parts of the buffer's values begin.
    pub landmarks: Landmarks,
    /// The source block of the current event.
    pub source: SourceCache,
    /// Created for the first compressed column: it holds tens of kilobytes that most tables never need.
    inflater: Option<ColumnInflater>,
}

impl Scratch {
    /// Returns the inflater of compressed columns.
    pub(crate) fn inflater(&mut self) -> &mut ColumnInflater {
        self.inflater.get_or_insert_with(|| ColumnInflater::new(INFLATED_BYTES_MAX))
    }
}
