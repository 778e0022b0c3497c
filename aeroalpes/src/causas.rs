//! Errores de bibliotecas que dejan su causa a `source`, en una frase. Así son los de reqwest, los de tonic y los del
//! cliente de Pulsar; los errores de nuestras partes ya dicen su causa.

use std::error::Error;
use std::iter::successors;

/// Devuelve la frase de un error y, detrás, la de cada una de sus causas.
pub fn con_causas(error: &(dyn Error + 'static)) -> String {
    let frases: Vec<String> = successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    frases.join(": ")
}
