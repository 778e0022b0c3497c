//! A durable Shared subscription on one topic for a handler, with retry, back-off and dead letters.
//!
//! - [`consumir`] runs until it is asked to stop; [`Suscripcion`] says what is consumed and how.
//! - [`Resultado`] is the handler's answer: done, try again, a service is away, never.
//! - [`Politica`] says how often and when it is tried again.
//! - [`Registros`] reads records of the contract with the schema of their writer; [`Esquemas`] are those of a topic, for readers
//!   that have no record of their own.
//!
//! # What is retried how
//! A message that could not be handled is held here, unacknowledged, for a back-off that doubles. Pulsar's negative
//! acknowledgement has no delay of its own, and it is the whole entry, often a batch, that comes again. Therefore a message
//! that is an entry of its own is negatively acknowledged when its time has come, so that any consumer of the
//! subscription may take it; one that shares its entry is handled again from here, because its siblings are done already.
//! The same goes for every message while a service is away: another consumer would miss the same service.
//!
//! # How tries are counted
//! This process counts the tries of what it has seen. For a message that it sees for the first time, the broker's
//! redelivery count stands for the tries of others. The embedded broker forgets these counts when it restarts, as Apache
//! Pulsar does when a topic moves, and this process forgets its own when it ends. A message may therefore be tried more
//! often than the policy says, never be lost. Redeliveries after a lost connection raise the broker's count as well, which is why
//! little is fetched ahead.

mod carta;
mod consumir;
mod error;
mod esquemas;
mod nucleo;
mod politica;
mod registros;
mod resultado;
mod suscripcion;

pub use carta::{ID_ORIGINAL, MOTIVO, TEMA_ORIGINAL};
pub use consumir::consumir;
pub use error::Error;
pub use esquemas::{Esquemas, SinEsquema};
pub use politica::Politica;
pub use registros::Registros;
pub use resultado::Resultado;
pub use suscripcion::Suscripcion;
