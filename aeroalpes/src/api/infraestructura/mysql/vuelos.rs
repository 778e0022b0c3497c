//! Vuelos cuya fila de `itinerarios` se sabe confirmada: la reserva de uno de ellos no tiene que intentar insertarlo.
//!
//! La verdad es la tabla. Si alguien borra una fila suya, lo dice la clave foránea de la reserva; entonces se olvida
//! todo y la unidad de trabajo se repite.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::api::dominio::{Fecha, Leg};

/// Vuelos que se guardan, unos 20 MB; si hay más, se empieza a aprender de nuevo.
const MAXIMO: usize = 100_000;

/// La clave de una fila: lugares en el itinerario, fechas, códigos. Su orden es el de la clave primaria.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Vuelo {
    /// Odo, segmento y leg.
    pub(super) orden: [i32; 3],
    pub(super) fechas: [Fecha; 2],
    /// Origen y destino.
    pub(super) codigos: [String; 2],
}

impl Vuelo {
    /// El vuelo de un leg en su lugar.
    pub(super) fn nuevo([_, o, s, l]: [i32; 4], leg: &Leg) -> Vuelo {
        Vuelo {
            orden: [o, s, l],
            fechas: [leg.fecha_salida, leg.fecha_llegada],
            codigos: [leg.origen.codigo.clone(), leg.destino.codigo.clone()],
        }
    }
}

/// Lo que se sabe.
#[derive(Debug, Default)]
pub(super) struct Vuelos {
    // Un mutex de std: se toma para unas pocas búsquedas, nunca durante un await.
    conocidos: Mutex<HashSet<Vuelo>>,
}

impl Vuelos {
    /// Devuelve los que no se conocen.
    pub(super) fn desconocidos(&self, vuelos: impl IntoIterator<Item = Vuelo>) -> Vec<Vuelo> {
        let conocidos = self.conocidos.lock().unwrap_or_else(PoisonError::into_inner);
        vuelos.into_iter().filter(|vuelo| !conocidos.contains(vuelo)).collect()
    }

    /// Recuerda vuelos, después de confirmar.
    pub(super) fn aprender(&self, vuelos: Vec<Vuelo>) {
        let mut conocidos = self.conocidos.lock().unwrap_or_else(PoisonError::into_inner);
        if conocidos.len() + vuelos.len() > MAXIMO {
            conocidos.clear();
        }
        conocidos.extend(vuelos);
    }

    /// Lo olvida todo.
    pub(super) fn olvidar(&self) {
        self.conocidos.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
