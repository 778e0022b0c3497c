//! Client of a Pulsar broker: producer with explicit sequence ids, consumer, reader, admin.
