//! El estado de una reserva.

use std::fmt;

use serde::de::value::{Error as NombreErroneo, StrDeserializer};
use serde::{Deserialize, Serialize};

/// Estado de una reserva. Empieza PENDIENTE; PAGADA y CANCELADA son finales. Su nombre es el mismo en la base de datos,
/// en los eventos y en las respuestas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Estado {
    Pendiente,
    Aprobada,
    Pagada,
    /// Abandonada antes de pagarla.
    Cancelada,
}

impl Estado {
    pub(crate) fn de_nombre(nombre: &str) -> Option<Self> {
        Self::deserialize(StrDeserializer::<NombreErroneo>::new(nombre)).ok()
    }

    /// Devuelve si el estado siguiente puede seguir a este.
    pub(crate) fn puede_pasar_a(self, siguiente: Estado) -> bool {
        use Estado::{Aprobada, Cancelada, Pagada, Pendiente};
        matches!((self, siguiente), (Pendiente, Aprobada) | (Aprobada, Pagada) | (Pendiente | Aprobada, Cancelada))
    }
}

impl fmt::Display for Estado {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Estado;

    const TODOS: [Estado; 4] = [Estado::Pendiente, Estado::Aprobada, Estado::Pagada, Estado::Cancelada];

    #[test]
    fn se_admiten_cuatro_de_dieciseis_transiciones() {
        let admitidas: Vec<String> = TODOS
            .iter()
            .flat_map(|de| TODOS.iter().map(move |a| (de, a)))
            .filter(|(de, a)| de.puede_pasar_a(**a))
            .map(|(de, a)| format!("{de} {a}"))
            .collect();
        let esperado = ["PENDIENTE APROBADA", "PENDIENTE CANCELADA", "APROBADA PAGADA", "APROBADA CANCELADA"];
        assert_eq!(admitidas, esperado);
    }

    #[test]
    fn los_nombres_llevan_de_vuelta() {
        for estado in TODOS {
            assert_eq!(Estado::de_nombre(&estado.to_string()), Some(estado));
        }
        assert_eq!(Estado::de_nombre("pendiente"), None);
    }
}
