//! What the application needs of the outside.

use std::future::Future;

use super::Falla;
use super::consulta::{Filtro, Pagina};
use crate::api::dominio::{Contrasena, DatosUsuario, Evento, Reserva, Usuario};

/// A key by which a client marks repetitions of one request, and what the request held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaveIdempotencia {
    /// The client's text.
    pub clave: String,
    /// Hash of the request, in hexadecimal.
    pub huella: String,
}

/// What claiming an idempotency key has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reclamo {
    /// The key is this request's, from now on.
    Nueva,
    /// An earlier request has it.
    Usada {
        /// Hash of that request.
        huella: String,
        /// The reservation that it made.
        id_reserva: String,
    },
}

/// Whether a message takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mensaje {
    /// It is new.
    Nuevo,
    /// It was handled before.
    Repetido,
}

/// Everything that one command changes: all of it is stored by [`UnidadDeTrabajo::confirmar`], or nothing.
///
/// A unit that is dropped is rolled back.
pub trait UnidadDeTrabajo: Send {
    /// Stores a new reservation with its itineraries.
    fn agregar(&mut self, reserva: &Reserva) -> impl Future<Output = Result<(), Falla>> + Send;

    /// Reads a reservation, without its itineraries, and keeps others from changing it until the unit ends.
    fn bloquear(&mut self, id: &str) -> impl Future<Output = Result<Option<Reserva>, Falla>> + Send;

    /// Stores the state and the date of a change.
    fn actualizar(&mut self, reserva: &Reserva) -> impl Future<Output = Result<(), Falla>> + Send;

    /// Adds an event to the outbox.
    fn anotar(&mut self, id_entidad: &str, evento: &Evento) -> impl Future<Output = Result<(), Falla>> + Send;

    /// Takes an idempotency key for a reservation, or tells whose it is. Waits for a concurrent unit with the same key.
    fn reclamar(
        &mut self,
        clave: &ClaveIdempotencia,
        id_reserva: &str,
    ) -> impl Future<Output = Result<Reclamo, Falla>> + Send;

    /// Records that a consumer handles a message.
    fn recibir(&mut self, consumidor: &str, mensaje: &str) -> impl Future<Output = Result<Mensaje, Falla>> + Send;

    /// Stores a new user with the hash of the password, and returns its key.
    fn registrar(&mut self, datos: &DatosUsuario, resumen: &str) -> impl Future<Output = Result<i32, Falla>> + Send;

    /// Replaces what a user is, and the hash where one is given; false when there is no such user.
    fn cambiar(&mut self, usuario: &Usuario, resumen: Option<&str>)
    -> impl Future<Output = Result<bool, Falla>> + Send;

    /// Deletes a user; false when there is none.
    fn borrar(&mut self, id: i32) -> impl Future<Output = Result<bool, Falla>> + Send;

    /// Commits.
    fn confirmar(self) -> impl Future<Output = Result<(), Falla>> + Send;
}

/// The database: units of work for commands, reads for queries.
pub trait Almacen: Send + Sync {
    /// Its unit of work.
    type Unidad: UnidadDeTrabajo;

    /// Begins a unit of work.
    fn iniciar(&self) -> impl Future<Output = Result<Self::Unidad, Falla>> + Send;

    /// Reads a whole reservation.
    fn reserva(&self, id: &str) -> impl Future<Output = Result<Option<Reserva>, Falla>> + Send;

    /// Reads a page of reservations, the newest first.
    fn reservas(&self, filtro: &Filtro) -> impl Future<Output = Result<Pagina<Reserva>, Falla>> + Send;

    /// Reads a user.
    fn usuario(&self, id: i32) -> impl Future<Output = Result<Option<Usuario>, Falla>> + Send;

    /// Reads a page of users by rising key.
    fn usuarios(&self, pagina: u32, tamano: u32) -> impl Future<Output = Result<Pagina<Usuario>, Falla>> + Send;

    /// Tells whether the database answers and its tables are there.
    fn comprobar(&self) -> impl Future<Output = Result<(), Falla>> + Send;
}

/// Turns passwords into what may be stored.
pub trait Resumidor: Send + Sync {
    /// Returns a salted hash that holds its own parameters.
    fn resumir(&self, contrasena: Contrasena) -> impl Future<Output = Result<String, Falla>> + Send;
}
