//! La ruta de una reserva: itinerarios de odos (de origen a destino), de segmentos, de legs; y quién vuela.
//!
//! Son también los cuerpos de la API: lo que describen se escribe así en JSON y en OpenAPI.

use std::fmt;

use serde::de::value::{Error as NombreErroneo, StrDeserializer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Error, Fecha};

/// Un aeropuerto.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AeropuertoDto)]
pub(crate) struct Aeropuerto {
    /// Código del aeropuerto.
    #[schema(min_length = 1, max_length = 10, example = "BOG")]
    pub codigo: String,
    /// Nombre del aeropuerto, guardado como se dio.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "El Dorado")]
    pub nombre: Option<String>,
}

/// Un vuelo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LegDto, example = json!({
    "fecha_salida": "2022-11-22T13:10:00Z",
    "fecha_llegada": "2022-11-22T19:10:00Z",
    "origen": {"codigo": "BOG", "nombre": "El Dorado"},
    "destino": {"codigo": "JFK", "nombre": "John F. Kennedy"},
}))]
pub(crate) struct Leg {
    /// Salida, en UTC.
    #[schema(value_type = String, format = DateTime, example = "2022-11-22T13:10:00Z")]
    pub fecha_salida: Fecha,
    /// Llegada, en UTC.
    #[schema(value_type = String, format = DateTime, example = "2022-11-22T15:10:00Z")]
    pub fecha_llegada: Fecha,
    /// Dónde empieza.
    pub origen: Aeropuerto,
    /// Dónde acaba; otro aeropuerto.
    pub destino: Aeropuerto,
}

/// Vuelos bajo un mismo número.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SegmentoDto)]
pub(crate) struct Segmento {
    /// Sus vuelos, en orden.
    #[schema(min_items = 1, max_items = 20)]
    pub legs: Vec<Leg>,
}

/// Un trayecto de un origen a un destino.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OdoDto)]
pub(crate) struct Odo {
    /// Sus segmentos, en orden.
    #[schema(min_items = 1, max_items = 20)]
    pub segmentos: Vec<Segmento>,
}

/// Quién vuela.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PasajeroDto)]
pub(crate) struct Pasajero {
    /// `ADULTO`, `MENOR` o `INFANTE`.
    #[schema(value_type = String, example = "ADULTO", pattern = "^(ADULTO|MENOR|INFANTE)$")]
    pub tipo: TipoPasajero,
}

/// El nombre de un tipo es el mismo en las peticiones y en la base de datos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum TipoPasajero {
    Adulto,
    Menor,
    /// Un infante sin asiento.
    Infante,
}

impl TipoPasajero {
    pub(crate) fn de_nombre(nombre: &str) -> Option<Self> {
        Self::deserialize(StrDeserializer::<NombreErroneo>::new(nombre)).ok()
    }
}

impl fmt::Display for TipoPasajero {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Un itinerario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ItinerarioDto)]
pub(crate) struct Itinerario {
    /// Sus trayectos, en orden.
    #[schema(min_items = 1, max_items = 20)]
    pub odos: Vec<Odo>,
    /// Sus pasajeros, con un adulto al menos; no está si no se dieron.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 100)]
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
        let un_adulto = self.pasajeros.iter().any(|pasajero| pasajero.tipo == TipoPasajero::Adulto);
        if !self.pasajeros.is_empty() && !un_adulto {
            return Err(Error::SinAdulto { campo: format!("itinerarios[{orden}].pasajeros") });
        }
        Ok(())
    }
}
