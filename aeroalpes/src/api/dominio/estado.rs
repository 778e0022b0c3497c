//! El estado de una reserva.

use std::fmt;

use super::Error;

/// Estado de una reserva. Empieza PENDIENTE; PAGADA y CANCELADA son finales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Estado {
    /// Hecha, y sin aprobar.
    Pendiente,
    /// Aprobada, y sin pagar.
    Aprobada,
    /// Pagada.
    Pagada,
    /// Abandonada antes de pagarla.
    Cancelada,
}

impl Estado {
    /// Todos los estados.
    pub const TODOS: [Self; 4] = [Self::Pendiente, Self::Aprobada, Self::Pagada, Self::Cancelada];

    /// Devuelve el nombre en la base de datos, en los eventos y en las respuestas.
    pub fn nombre(self) -> &'static str {
        match self {
            Estado::Pendiente => "PENDIENTE",
            Estado::Aprobada => "APROBADA",
            Estado::Pagada => "PAGADA",
            Estado::Cancelada => "CANCELADA",
        }
    }

    /// Devuelve el estado de ese nombre.
    pub fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS.into_iter().find(|estado| estado.nombre() == nombre)
    }

    /// Devuelve el estado siguiente, si puede seguir a este.
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
        let admitidas: Vec<String> = Estado::TODOS
            .iter()
            .flat_map(|de| Estado::TODOS.iter().map(move |a| (de, a)))
            .filter_map(|(de, a)| de.pasar_a(*a).ok().map(|a| format!("{de} {a}")))
            .collect();
        let esperado = ["PENDIENTE APROBADA", "PENDIENTE CANCELADA", "APROBADA PAGADA", "APROBADA CANCELADA"];
        assert_eq!(admitidas, esperado);
        let rechazo = Estado::Pagada.pasar_a(Estado::Cancelada).unwrap_err();
        assert_eq!(rechazo.to_string(), "La reserva está PAGADA y no puede pasar a CANCELADA");
    }

    #[test]
    fn los_nombres_llevan_de_vuelta() {
        for estado in Estado::TODOS {
            assert_eq!(Estado::de_nombre(estado.nombre()), Some(estado));
        }
        assert_eq!(Estado::de_nombre("pendiente"), None);
    }
}
