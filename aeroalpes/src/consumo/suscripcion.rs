//! Cómo se consume un tema de AeroAlpes.

use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{DeadLetterProperties, WorkerOptions};

use crate::consumo::error::Error;

/// Crea las opciones de una suscripción, cuyas cartas muertas llevan las propiedades `motivo`, `tema_original` e `id_original`.
///
/// # Errors
/// El nombre de un tema no lo es.
pub fn suscripcion(tema: &str, nombre: &str, tema_muertos: &str) -> Result<WorkerOptions, Error> {
    let dead_letter_properties = DeadLetterProperties {
        reason: "motivo".into(),
        original_topic: "tema_original".into(),
        original_id: "id_original".into(),
    };
    let opciones = WorkerOptions::new(nombre_de_tema(tema)?, nombre, nombre_de_tema(tema_muertos)?);
    Ok(WorkerOptions { dead_letter_properties, ..opciones })
}

pub(crate) fn nombre_de_tema(texto: &str) -> Result<TopicName, Error> {
    TopicName::parse(texto).map_err(|source| Error::Topic { topic: texto.to_owned(), source })
}
