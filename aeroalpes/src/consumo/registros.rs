//! Lectura de un mensaje con el esquema de quien lo escribió.

use std::marker::PhantomData;

use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, Message, Outcome};

use super::esquemas::Esquemas;
use crate::contrato::Error;
use crate::contrato::avro::{Lector, Registro};

/// Lee registros `T` de un tema.
#[derive(Debug)]
pub struct Registros<T> {
    lector: Lector,
    esquemas: Esquemas,
    registro: PhantomData<fn() -> T>,
}

impl<T: Registro> Registros<T> {
    /// Crea un lector para un tema; todavía no pregunta nada.
    ///
    /// # Errors
    /// El esquema del contrato no lo es.
    pub fn nuevos(cliente: Client, tema: &TopicName) -> Result<Self, Error> {
        let esquemas = Esquemas::nuevos(cliente, tema);
        Ok(Self { lector: Lector::nuevo::<T>()?, esquemas, registro: PhantomData })
    }

    /// Lee un mensaje. Si no nombra un esquema, se toma por escrito con el del contrato.
    ///
    /// # Errors
    /// La respuesta del manejador: [`Outcome::Rejected`] si los bytes no son un registro así o su esquema no lleva al
    /// nuestro, [`Outcome::Unavailable`] si no se puede preguntar al registro del tema.
    pub async fn leer(&self, mensaje: &Message) -> Result<T, Outcome> {
        let Some(bytes) = mensaje.value() else {
            return Err(Outcome::Rejected(format!("el {} no tiene contenido", T::NOMBRE)));
        };
        let leido = match mensaje.schema_version().filter(|version| !version.is_empty()) {
            Some(version) => self.lector.leer_escrito_con(self.esquemas.version(Some(version)).await?.as_ref(), bytes),
            None => self.lector.leer(bytes),
        };
        leido.map_err(|error| Outcome::Rejected(error.to_string()))
    }
}
