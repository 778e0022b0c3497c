//! Lo que la aplicación necesita de fuera.

use std::future::Future;

use super::Falla;
use super::consulta::{Filtro, Pagina};
use crate::api::dominio::{Contrasena, DatosUsuario, Evento, Reserva, Usuario};

/// Una clave con la que un cliente marca las repeticiones de una petición, y lo que la petición tenía.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaveIdempotencia {
    pub clave: String,
    /// Huella de la petición, en hexadecimal.
    pub huella: String,
}

/// Lo que se encontró al reclamar una clave de idempotencia.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reclamo {
    /// La clave es de esta petición desde ahora.
    Nueva,
    /// La tiene una petición anterior.
    Usada {
        /// Huella de esa petición.
        huella: String,
        /// La reserva que hizo.
        id_reserva: String,
    },
}

/// Si un mensaje tiene efecto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mensaje {
    Nuevo,
    /// Ya se atendió.
    Repetido,
}

/// Todo lo que cambia un comando: [`UnidadDeTrabajo::confirmar`] lo guarda entero, o nada.
///
/// Una unidad que se descarta se deshace.
pub(crate) trait UnidadDeTrabajo: Send {
    /// Guarda una reserva nueva con sus itinerarios.
    fn agregar(&mut self, reserva: &Reserva) -> impl Future<Output = Result<(), Falla>> + Send;

    /// Lee una reserva, sin sus itinerarios, e impide que otros la cambien hasta que la unidad termina.
    fn bloquear(&mut self, id: &str) -> impl Future<Output = Result<Option<Reserva>, Falla>> + Send;

    /// Guarda el estado y la fecha de un cambio.
    fn actualizar(&mut self, reserva: &Reserva) -> impl Future<Output = Result<(), Falla>> + Send;

    /// Añade un evento a la bandeja de salida.
    fn anotar(&mut self, id_entidad: &str, evento: &Evento) -> impl Future<Output = Result<(), Falla>> + Send;

    /// Toma una clave de idempotencia para una reserva, o dice de quién es. Espera a otra unidad simultánea con la
    /// misma clave.
    fn reclamar(
        &mut self,
        clave: &ClaveIdempotencia,
        id_reserva: &str,
    ) -> impl Future<Output = Result<Reclamo, Falla>> + Send;

    /// Anota que un consumidor atiende un mensaje.
    fn recibir(&mut self, consumidor: &str, mensaje: &str) -> impl Future<Output = Result<Mensaje, Falla>> + Send;

    /// Guarda un usuario nuevo con el resumen de su contraseña, y devuelve su clave.
    fn registrar(&mut self, datos: &DatosUsuario, resumen: &str) -> impl Future<Output = Result<i32, Falla>> + Send;

    /// Sustituye lo que es un usuario, y el resumen si se da; falso si no existe.
    fn cambiar(&mut self, usuario: &Usuario, resumen: Option<&str>)
    -> impl Future<Output = Result<bool, Falla>> + Send;

    /// Borra un usuario; falso si no existe.
    fn borrar(&mut self, id: i32) -> impl Future<Output = Result<bool, Falla>> + Send;

    fn confirmar(self) -> impl Future<Output = Result<(), Falla>> + Send;
}

/// La base de datos: unidades de trabajo para comandos, lecturas para consultas.
pub(crate) trait Almacen: Send + Sync {
    type Unidad: UnidadDeTrabajo;

    fn iniciar(&self) -> impl Future<Output = Result<Self::Unidad, Falla>> + Send;

    /// Lee una reserva entera.
    fn reserva(&self, id: &str) -> impl Future<Output = Result<Option<Reserva>, Falla>> + Send;

    /// Lee una página de reservas, la más nueva primero.
    fn reservas(&self, filtro: &Filtro) -> impl Future<Output = Result<Pagina<Reserva>, Falla>> + Send;

    fn usuario(&self, id: i32) -> impl Future<Output = Result<Option<Usuario>, Falla>> + Send;

    /// Lee una página de usuarios por clave creciente.
    fn usuarios(&self, pagina: u32, tamano: u32) -> impl Future<Output = Result<Pagina<Usuario>, Falla>> + Send;

    /// Comprueba que la base de datos contesta y que están sus tablas.
    fn comprobar(&self) -> impl Future<Output = Result<(), Falla>> + Send;
}

/// Resume contraseñas, para guardar el resumen en su lugar.
pub(crate) trait Resumidor: Send + Sync {
    /// Devuelve un resumen con sal que lleva sus propios parámetros.
    fn resumir(&self, contrasena: Contrasena) -> impl Future<Output = Result<String, Falla>> + Send;
}
