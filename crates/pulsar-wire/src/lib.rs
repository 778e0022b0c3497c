//! Pulsar's binary protocol: frames, commands, message metadata, batches, schemas. No I/O.
