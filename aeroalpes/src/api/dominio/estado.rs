//! The state of a reservation.

use std::fmt;

use super::Error;

/// State of a reservation. It begins as PENDIENTE; PAGADA and CANCELADA are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Estado {
    /// Made, and not yet approved.
    Pendiente,
    /// Approved, and not yet paid.
    Aprobada,
    /// Paid.
    Pagada,
    /// Given up before it was paid.
    Cancelada,
}

impl Estado {
    /// Every state.
    pub const TODOS: [Self; 4] = [Self::Pendiente, Self::Aprobada, Self::Pagada, Self::Cancelada];

    /// Returns the name in the database, in events and in answers.
    pub fn nombre(self) -> &'static str {
        match self {
            Estado::Pendiente => "PENDIENTE",
            Estado::Aprobada => "APROBADA",
            Estado::Pagada => "PAGADA",
            Estado::Cancelada => "CANCELADA",
        }
    }

    /// Returns the state of that name.
    pub fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS.into_iter().find(|estado| estado.nombre() == nombre)
    }

    /// Returns the next state, if it may follow this one.
    ///
    /// # Errors
    /// [`Error::Transicion`].
    pub fn pasar_a(self, siguiente: Estado) -> Result<Estado, Error> {
        use Estado::{Aprobada, Cancelada, Pagada, Pendiente};
        match (self, siguiente) {
            (Pendiente, Aprobada) | (Aprobada, Pagada) | (Pendiente | Aprobada, Cancelada) => Ok(siguiente),
            (de, a) => Err(Error::Transicion { de, a }),
        }
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
        let allowed: Vec<String> = Estado::TODOS
            .iter()
            .flat_map(|de| Estado::TODOS.iter().map(move |a| (de, a)))
            .filter_map(|(de, a)| de.pasar_a(*a).ok().map(|a| format!("{de} {a}")))
            .collect();
        let expected = ["PENDIENTE APROBADA", "PENDIENTE CANCELADA", "APROBADA PAGADA", "APROBADA CANCELADA"];
        assert_eq!(allowed, expected);
        let refused = Estado::Pagada.pasar_a(Estado::Cancelada).unwrap_err();
        assert_eq!(refused.to_string(), "La reserva está PAGADA y no puede pasar a CANCELADA");
    }

    #[test]
    fn los_nombres_llevan_de_vuelta() {
        for estado in Estado::TODOS {
            assert_eq!(Estado::de_nombre(estado.nombre()), Some(estado));
        }
        assert_eq!(Estado::de_nombre("pendiente"), None);
    }
}
