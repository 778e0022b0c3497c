//! The embedded broker: segment log, topics, cursors, dispatch, schemas, deduplication, REST.

pub mod schema;
pub mod subscription;
pub mod topic;
