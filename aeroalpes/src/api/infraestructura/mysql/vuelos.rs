//! Flights whose row of `itinerarios` is known to be committed: a booking of such a flight need not try to insert it.
//!
//! The table is the truth. If somebody deletes a row of it, the foreign key of the booking says so; then everything is
//! forgotten and the unit of work runs again.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::api::dominio::{Fecha, Leg};

/// Flights that are kept, about 20 MB; when there are more, learning begins anew.
const MAXIMO: usize = 100_000;

/// The key of a row: places in the itinerary, dates, codes. Its order is that of the primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Vuelo {
    /// Odo, segment and leg.
    pub(super) orden: [i32; 3],
    pub(super) fechas: [Fecha; 2],
    /// Origin and destination.
    pub(super) codigos: [String; 2],
}

impl Vuelo {
    /// The flight of a leg at its place.
    pub(super) fn nuevo([_, o, s, l]: [i32; 4], leg: &Leg) -> Vuelo {
        Vuelo {
            orden: [o, s, l],
            fechas: [leg.fecha_salida, leg.fecha_llegada],
            codigos: [leg.origen.codigo.clone(), leg.destino.codigo.clone()],
        }
    }
}

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Vuelos {
    // A std mutex: held for a few look-ups, never across an await.
    conocidos: Mutex<HashSet<Vuelo>>,
}

impl Vuelos {
    /// Returns those that are not known.
    pub(super) fn desconocidos(&self, vuelos: impl IntoIterator<Item = Vuelo>) -> Vec<Vuelo> {
        let conocidos = self.conocidos.lock().unwrap_or_else(PoisonError::into_inner);
        vuelos.into_iter().filter(|vuelo| !conocidos.contains(vuelo)).collect()
    }

    /// Remembers flights, after the commit.
    pub(super) fn aprender(&self, vuelos: Vec<Vuelo>) {
        let mut conocidos = self.conocidos.lock().unwrap_or_else(PoisonError::into_inner);
        if conocidos.len() + vuelos.len() > MAXIMO {
            conocidos.clear();
        }
        conocidos.extend(vuelos);
    }

    /// Forgets everything.
    pub(super) fn olvidar(&self) {
        self.conocidos.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
