//! La bandeja de salida `eventos_reserva`, la de entrada del tema de comandos, y sus nombres.

use bitacora_outbox::{Column, ColumnType, Content, Error, Event, Inbox, Layout, Outbox, Payload, Value, Variant};

use crate::api::dominio::Evento;

/// La bandeja de salida, como la describe el contrato.
pub(super) const EVENTOS: &str = "eventos_reserva";
/// Mensajes atendidos.
pub(super) const RECIBIDOS: &str = "mensajes_recibidos";

/// Las dos tablas; tienen textos preparados y ninguna conexión.
#[derive(Debug)]
pub(super) struct Bandejas {
    pub(super) salida: Outbox,
    pub(super) entrada: Inbox,
}

impl Bandejas {
    pub(super) fn nuevas() -> Result<Bandejas, Error> {
        let constante = |texto: &str| Content::Constant(Value::from(texto));
        let disposicion = Layout::builder(EVENTOS)
            .column(Column::new("id", Content::Id, ColumnType::Varchar(40)))
            .column(Column::new("id_entidad", Content::AggregateId, ColumnType::Varchar(40)))
            .column(Column::new("fecha_evento", Content::Timestamp, ColumnType::DateTime(0)))
            .column(Column::new("version", constante("v1"), ColumnType::Varchar(10)))
            .column(Column::new("tipo_evento", Content::Type, ColumnType::Varchar(100)))
            .column(Column::new("formato_contenido", constante("JSON"), ColumnType::Varchar(10)))
            .column(Column::new("nombre_servicio", constante("aeroalpes"), ColumnType::Varchar(40)))
            .column(Column::new("contenido", Content::Payload, ColumnType::Text))
            .build()?;
        Ok(Bandejas { salida: Outbox::new(disposicion, Variant::Plain), entrada: Inbox::new(RECIBIDOS)? })
    }
}

/// La fila de un evento del dominio.
pub(super) fn fila(id_entidad: &str, evento: &Evento) -> Result<Event, Error> {
    let tipo = evento.tipo.nombre();
    let texto = serde_json::to_string(&evento.datos)
        .map_err(|source| Error::Payload { event_type: tipo.to_owned(), source })?;
    Ok(Event::new("reserva", id_entidad, tipo, Payload::Text(texto)).with_timestamp(evento.fecha.reloj()))
}
