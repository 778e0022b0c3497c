//! The route of a reservation: itineraries of odos (origin to destination), of segments, of legs; and who flies.

use super::{Error, Fecha};

/// An airport; its name is what the client wrote, and may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aeropuerto {
    /// Code, as `BOG`.
    pub codigo: String,
    /// Name, as `El Dorado`.
    pub nombre: Option<String>,
}

/// One flight between two airports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Departure.
    pub fecha_salida: Fecha,
    /// Arrival.
    pub fecha_llegada: Fecha,
    /// Where it begins.
    pub origen: Aeropuerto,
    /// Where it ends.
    pub destino: Aeropuerto,
}

/// Flights under one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segmento {
    /// Its flights, in order.
    pub legs: Vec<Leg>,
}

/// One way from an origin to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odo {
    /// Its segments, in order.
    pub segmentos: Vec<Segmento>,
}

/// Who flies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pasajero {
    /// An adult.
    Adulto,
    /// A minor.
    Menor,
    /// An infant without a seat.
    Infante,
}

impl Pasajero {
    /// Every kind.
    pub const TODOS: [Self; 3] = [Self::Adulto, Self::Menor, Self::Infante];

    /// Returns the name in requests and in the database.
    pub fn nombre(self) -> &'static str {
        match self {
            Pasajero::Adulto => "ADULTO",
            Pasajero::Menor => "MENOR",
            Pasajero::Infante => "INFANTE",
        }
    }

    /// Returns the kind of that name.
    pub fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS.into_iter().find(|tipo| tipo.nombre() == nombre)
    }
}

/// One itinerary of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Itinerario {
    /// Its ways, in order.
    pub odos: Vec<Odo>,
    /// Its passengers; empty when none were given.
    pub pasajeros: Vec<Pasajero>,
}

impl Itinerario {
    /// Checks the rules of one itinerary; `orden` is its place in the reservation, for errors.
    ///
    /// # Errors
    /// [`Error::RutaIncorrecta`] and [`Error::SinAdulto`].
    pub(super) fn validar(&self, orden: usize) -> Result<(), Error> {
        for (o, odo) in self.odos.iter().enumerate() {
            for (s, segmento) in odo.segmentos.iter().enumerate() {
                for (l, leg) in segmento.legs.iter().enumerate() {
                    if leg.origen.codigo.eq_ignore_ascii_case(&leg.destino.codigo) {
                        let campo = format!("itinerarios[{orden}].odos[{o}].segmentos[{s}].legs[{l}].destino.codigo");
                        return Err(Error::RutaIncorrecta { campo });
                    }
                }
            }
        }
        if !self.pasajeros.is_empty() && !self.pasajeros.contains(&Pasajero::Adulto) {
            return Err(Error::SinAdulto { campo: format!("itinerarios[{orden}].pasajeros") });
        }
        Ok(())
    }
}
