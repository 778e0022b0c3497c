//! La ruta de una reserva: itinerarios de odos (de origen a destino), de segmentos, de legs; y quién vuela.

use super::{Error, Fecha};

/// Un aeropuerto; su nombre es el que escribió el cliente, y puede faltar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aeropuerto {
    /// Código, como `BOG`.
    pub codigo: String,
    /// Nombre, como `El Dorado`.
    pub nombre: Option<String>,
}

/// Un vuelo entre dos aeropuertos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leg {
    pub fecha_salida: Fecha,
    pub fecha_llegada: Fecha,
    /// Dónde empieza.
    pub origen: Aeropuerto,
    /// Dónde acaba.
    pub destino: Aeropuerto,
}

/// Vuelos bajo un mismo número.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segmento {
    /// Sus vuelos, en orden.
    pub legs: Vec<Leg>,
}

/// Un trayecto de un origen a un destino.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Odo {
    /// Sus segmentos, en orden.
    pub segmentos: Vec<Segmento>,
}

/// Quién vuela.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pasajero {
    Adulto,
    Menor,
    /// Un infante sin asiento.
    Infante,
}

impl Pasajero {
    pub(crate) const TODOS: [Self; 3] = [Self::Adulto, Self::Menor, Self::Infante];

    /// Devuelve el nombre en las peticiones y en la base de datos.
    pub(crate) fn nombre(self) -> &'static str {
        match self {
            Pasajero::Adulto => "ADULTO",
            Pasajero::Menor => "MENOR",
            Pasajero::Infante => "INFANTE",
        }
    }

    pub(crate) fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS.into_iter().find(|tipo| tipo.nombre() == nombre)
    }
}

/// Un itinerario de una reserva.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Itinerario {
    /// Sus trayectos, en orden.
    pub odos: Vec<Odo>,
    /// Sus pasajeros; vacío si no se dieron.
    pub pasajeros: Vec<Pasajero>,
}

impl Itinerario {
    /// Comprueba las reglas de un itinerario; `orden` es su lugar en la reserva, para los errores.
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
