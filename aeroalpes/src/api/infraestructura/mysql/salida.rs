//! The outbox table `eventos_reserva`, the inbox of the command topic, and their names.

use bitacora_outbox::{Column, ColumnType, Content, Error, Event, Inbox, Layout, Outbox, Payload, Value, Variant};

use crate::api::dominio::Evento;

/// The outbox, as the contract describes it.
pub(super) const EVENTOS: &str = "eventos_reserva";
/// Messages that were handled.
pub(super) const RECIBIDOS: &str = "mensajes_recibidos";

/// Both tables; they hold prepared texts and no connection.
#[derive(Debug)]
pub(super) struct Bandejas {
    pub(super) salida: Outbox,
    pub(super) entrada: Inbox,
}

impl Bandejas {
    pub(super) fn nuevas() -> Result<Bandejas, Error> {
        let constant = |text: &str| Content::Constant(Value::from(text));
        let layout = Layout::builder(EVENTOS)
            .column(Column::new("id", Content::Id, ColumnType::Varchar(40)))
            .column(Column::new("id_entidad", Content::AggregateId, ColumnType::Varchar(40)))
            .column(Column::new("fecha_evento", Content::Timestamp, ColumnType::DateTime(0)))
            .column(Column::new("version", constant("v1"), ColumnType::Varchar(10)))
            .column(Column::new("tipo_evento", Content::Type, ColumnType::Varchar(100)))
            .column(Column::new("formato_contenido", constant("JSON"), ColumnType::Varchar(10)))
            .column(Column::new("nombre_servicio", constant("aeroalpes"), ColumnType::Varchar(40)))
            .column(Column::new("contenido", Content::Payload, ColumnType::Text))
            .build()?;
        Ok(Bandejas { salida: Outbox::new(layout, Variant::Plain), entrada: Inbox::new(RECIBIDOS)? })
    }
}

/// The row of an event of the domain.
pub(super) fn fila(id_entidad: &str, evento: &Evento) -> Result<Event, Error> {
    let tipo = evento.tipo.nombre();
    let texto = serde_json::to_string(&evento.datos)
        .map_err(|source| Error::Payload { event_type: tipo.to_owned(), source })?;
    Ok(Event::new("reserva", id_entidad, tipo, Payload::Text(texto)).with_timestamp(evento.fecha.reloj()))
}
