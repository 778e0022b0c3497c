//! Configuration, pipeline, checkpoint and sinks: from a server's log to a broker, exactly once.
