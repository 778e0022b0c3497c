//! The embedded broker: segment log, topics, cursors, dispatch, schemas, deduplication, REST.
