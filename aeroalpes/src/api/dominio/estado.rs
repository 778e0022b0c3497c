//! El estado de una reserva.

use std::fmt;

/// Estado de una reserva. Empieza PENDIENTE; PAGADA y CANCELADA son finales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Estado {
    Pendiente,
    Aprobada,
    Pagada,
    /// Abandonada antes de pagarla.
    Cancelada,
}

impl Estado {
    pub(crate) const TODOS: [Self; 4] = [Self::Pendiente, Self::Aprobada, Self::Pagada, Self::Cancelada];

    /// Devuelve el nombre en la base de datos, en los eventos y en las respuestas.
    pub(crate) fn nombre(self) -> &'static str {
        match self {
            Estado::Pendiente => "PENDIENTE",
            Estado::Aprobada => "APROBADA",
            Estado::Pagada => "PAGADA",
            Estado::Cancelada => "CANCELADA",
        }
    }

    pub(crate) fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS.into_iter().find(|estado| estado.nombre() == nombre)
    }

    /// Devuelve si el estado siguiente puede seguir a este.
    pub(crate) fn puede_pasar_a(self, siguiente: Estado) -> bool {
        use Estado::{Aprobada, Cancelada, Pagada, Pendiente};
        matches!((self, siguiente), (Pendiente, Aprobada) | (Aprobada, Pagada) | (Pendiente | Aprobada, Cancelada))
    }
}

impl fmt::Display for Estado {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.nombre())
    }
}

#[cfg(test)]
mod tests {
    use super::Estado;

    #[test]
    fn se_admiten_cuatro_de_dieciseis_transiciones() {
        let admitidas: Vec<String> = Estado::TODOS
            .iter()
            .flat_map(|de| Estado::TODOS.iter().map(move |a| (de, a)))
            .filter(|(de, a)| de.puede_pasar_a(**a))
            .map(|(de, a)| format!("{de} {a}"))
            .collect();
        let esperado = ["PENDIENTE APROBADA", "PENDIENTE CANCELADA", "APROBADA PAGADA", "APROBADA CANCELADA"];
        assert_eq!(admitidas, esperado);
    }

    #[test]
    fn los_nombres_llevan_de_vuelta() {
        for estado in Estado::TODOS {
            assert_eq!(Estado::de_nombre(estado.nombre()), Some(estado));
        }
        assert_eq!(Estado::de_nombre("pendiente"), None);
    }
}
