//! Durable consumption.
