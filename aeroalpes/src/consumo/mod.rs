//! Lo que AeroAlpes añade al consumo de `bitacora_pulsar`: sus nombres y sus registros Avro.
//!
//! - [`suscripcion`] nombra las propiedades de una carta muerta como lo hace el contrato.
//! - [`Registros`] lee registros del contrato con el esquema de quien los escribió; [`Esquemas`] son los de un tema,
//!   para lectores que no tienen registro propio.

mod esquemas;
mod registros;

use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{DeadLetterProperties, WorkerOptions};

use crate::contrato::Error;

pub use esquemas::{Esquemas, SinEsquema};
pub use registros::Registros;

/// Crea las opciones de una suscripción, cuyas cartas muertas llevan las propiedades `motivo`, `tema_original` e
/// `id_original`.
///
/// # Errors
/// El nombre de un tema no lo es.
pub fn suscripcion(tema: &str, nombre: &str, tema_muertos: &str) -> Result<WorkerOptions, Error> {
    let leido = |tema: &str| TopicName::parse(tema).map_err(|source| Error::Tema { tema: tema.to_owned(), source });
    let dead_letter_properties = DeadLetterProperties {
        reason: "motivo".into(),
        original_topic: "tema_original".into(),
        original_id: "id_original".into(),
    };
    Ok(WorkerOptions { dead_letter_properties, ..WorkerOptions::new(leido(tema)?, nombre, leido(tema_muertos)?) })
}
