//! El evento de una reserva.

use serde::{Deserialize, Serialize};

use super::avro::Registro;

/// Esquema Avro del tema: el que registra el productor del tutorial (cada campo, una unión con null primero) y, al
/// final de los datos, la fecha que llevan los eventos posteriores. Así un lector de la primera forma lee todos los
/// eventos.
pub(crate) const ESQUEMA: &str = include_str!("evento.avsc");

/// Nombres de los eventos en `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::enum_variant_names, reason = "se llaman como en el contrato")]
pub(crate) enum TipoEvento {
    ReservaCreada,
    ReservaAprobada,
    ReservaPagada,
    ReservaCancelada,
}

impl TipoEvento {
    pub(crate) const TODOS: [Self; 4] =
        [Self::ReservaCreada, Self::ReservaAprobada, Self::ReservaPagada, Self::ReservaCancelada];

    /// Devuelve el nombre en `type` y en la columna `tipo_evento` de la bandeja de salida.
    pub(crate) fn nombre(self) -> &'static str {
        match self {
            Self::ReservaCreada => "ReservaCreada",
            Self::ReservaAprobada => "ReservaAprobada",
            Self::ReservaPagada => "ReservaPagada",
            Self::ReservaCancelada => "ReservaCancelada",
        }
    }

    /// Devuelve el tipo de ese nombre.
    pub(crate) fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS.into_iter().find(|tipo| tipo.nombre() == nombre)
    }
}

/// Sobre de un evento en [`super::tema::EVENTOS_RESERVA`]. Cualquier campo puede faltar, como admite el esquema.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct EventoReserva {
    /// Id del evento, el de su fila en la bandeja de salida.
    pub(crate) id: Option<String>,
    /// Cuándo ocurrió, en milisegundos desde 1970.
    pub(crate) time: Option<i64>,
    /// Cuándo se publicó, en milisegundos desde 1970.
    pub(crate) ingestion: Option<i64>,
    /// Versión del sobre: `v1`.
    pub(crate) specversion: Option<String>,
    /// Nombre de un [`TipoEvento`].
    #[serde(rename = "type")]
    pub(crate) tipo: Option<String>,
    /// Forma de los datos: `AVRO`.
    pub(crate) datacontenttype: Option<String>,
    /// El servicio que lo cuenta: `aeroalpes`.
    pub(crate) service_name: Option<String>,
    /// La reserva.
    pub(crate) data: Option<DatosReserva>,
}

impl Registro for EventoReserva {
    const NOMBRE: &'static str = "evento de una reserva";
    const ESQUEMA: &'static str = ESQUEMA;
}

/// La reserva en un evento; también es el JSON de la columna `contenido` de la bandeja de salida.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DatosReserva {
    /// Id de la reserva.
    pub(crate) id_reserva: Option<String>,
    /// Id de su cliente, si lo tiene.
    pub(crate) id_cliente: Option<String>,
    /// `PENDIENTE`, `APROBADA`, `PAGADA` o `CANCELADA`.
    pub(crate) estado: Option<String>,
    /// Cuándo se hizo la reserva, en milisegundos desde 1970.
    pub(crate) fecha_creacion: Option<i64>,
    /// Cuándo cambió, en milisegundos desde 1970; no está en el evento de su creación.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fecha_actualizacion: Option<i64>,
}
