//! From raw binlog events to messages at the sink.
pub mod logical_offset;
pub mod watermark;
