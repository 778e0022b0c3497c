//! Bounds on what announced lengths can make the decoder allocate.

/// Limits against announced lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most bytes of one event, plain or inflated. Default 1 GiB, the servers' own limit of a packet.
    pub event_bytes: usize,
    /// Most plain bytes of one compressed transaction; they pass through as a stream. Default 1 TiB.
    pub payload_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 1 << 30, payload_bytes: 1 << 40 }
    }
}
