//! What stands in the columns, of the standard layout and of another one.

use std::time::{Duration, UNIX_EPOCH};

use bitacora_outbox::{
    Column, ColumnType, Content, DomainEvent, Error, Event, EventId, Layout, Outbox, Payload, Variant,
};
use serde::Serialize;

use crate::{Either, Server};

#[derive(Serialize)]
struct ReservaCreada {
    id_reserva: String,
    id_cliente: Option<String>,
    estado: &'static str,
    fecha_creacion: i64,
}

impl DomainEvent for ReservaCreada {
    const AGGREGATE_TYPE: &'static str = "reserva";
    const TYPE: &'static str = "ReservaCreada";

    fn aggregate_id(&self) -> String {
        self.id_reserva.clone()
    }
}

fn reserva() -> ReservaCreada {
    ReservaCreada {
        id_reserva: "93bb".into(),
        id_cliente: None,
        estado: "PENDIENTE",
        fecha_creacion: 1_795_501_280_716,
    }
}

fn eventos_reserva() -> Layout {
    Layout::builder("eventos_reserva")
        .column(Column::new("id", Content::Id, ColumnType::Varchar(40)))
        .column(Column::new("id_entidad", Content::AggregateId, ColumnType::Varchar(40)))
        .column(Column::new("fecha_evento", Content::Timestamp, ColumnType::DateTime(0)))
        .column(Column::new("version", Content::Field, ColumnType::Varchar(10)))
        .column(Column::new("tipo_evento", Content::Type, ColumnType::Varchar(100)))
        .column(Column::new("formato_contenido", Content::Constant("JSON".into()), ColumnType::Varchar(10)))
        .column(Column::new("nombre_servicio", Content::Constant("aeroalpes".into()), ColumnType::Varchar(40)))
        .column(Column::new("contenido", Content::Payload, ColumnType::Text))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_custom_layout_fills_its_eight_columns() {
    for server in Server::both() {
        // The table as the application's own migration makes it: nothing of this crate in it.
        server.client(
            "CREATE TABLE app.eventos_reserva (id varchar(40) primary key, id_entidad varchar(40) not null, \
             fecha_evento datetime not null, version varchar(10) not null, tipo_evento varchar(100) not null, \
             formato_contenido varchar(10) not null, nombre_servicio varchar(40) not null, contenido text not null)",
        );
        let outbox = Outbox::new(eventos_reserva(), Variant::Plain);
        for mut session in Either::both(&server).await {
            outbox.migrate(&mut session).await.unwrap();
            let moment = UNIX_EPOCH + Duration::from_millis(1_795_501_280_716);
            let event = Event::of(&reserva()).unwrap().with_field("version", "v1").with_timestamp(moment);
            let id = outbox.add(&mut session, &event).await.unwrap();
            let row = server.column(&format!("SELECT * FROM eventos_reserva WHERE id = '{id}'"));
            let expected = format!(
                "{id}\t93bb\t2026-11-24 06:21:20\tv1\tReservaCreada\tJSON\taeroalpes\t{}",
                r#"{"id_reserva":"93bb","id_cliente":null,"estado":"PENDIENTE","fecha_creacion":1795501280716}"#
            );
            assert_eq!(row, [expected], "{} {}", server.name, session.name());
            let without = Event::of(&reserva()).unwrap();
            let error = outbox.add(&mut session, &without).await.unwrap_err();
            assert!(error.to_string().contains("column version of table eventos_reserva"), "{error}");
        }
        assert_eq!(server.count("eventos_reserva"), 2);
        // The CREATE TABLE that the layout writes makes a table of the same columns.
        server.client(&format!("USE app; {}", outbox.create_table().replace("eventos_reserva", "propia")));
        let columns = "SELECT CONCAT(column_name, ' ', column_type, ' ', is_nullable) FROM information_schema.columns \
                       WHERE table_schema = 'app' AND table_name = ";
        let order = "ORDER BY ordinal_position";
        let own = server.column(&format!("{columns} 'propia' {order}"));
        assert_eq!(own, server.column(&format!("{columns} 'eventos_reserva' {order}")));
        assert_eq!(own.len(), 8);
    }
}

#[tokio::test]
async fn the_standard_layout_takes_texts_headers_times_and_bytes() {
    for server in Server::both() {
        let layout = Layout::standard("outbox").with_headers().with_timestamp().build().unwrap();
        let outbox = Outbox::new(layout, Variant::Plain);
        let binary = Layout::standard("binary_outbox").in_database("app").payload_type(ColumnType::LongBlob);
        let binary = Outbox::new(binary.build().unwrap(), Variant::Plain);
        for mut session in Either::both(&server).await {
            let place = format!("{} {}", server.name, session.name());
            outbox.migrate(&mut session).await.unwrap();
            let moment = UNIX_EPOCH + Duration::from_micros(1_709_251_199_123_456);
            let event = Event::json("pedido", "ñ💥'\\`", "Creado", &serde_json::json!({"a": "€'\\\"💥"}))
                .unwrap()
                .with_header("traza", "\"1\"")
                .with_timestamp(moment);
            let id = outbox.add(&mut session, &event).await.unwrap();
            let row = server.column(&format!(
                "SELECT HEX(aggregateid), type, HEX(JSON_UNQUOTE(JSON_EXTRACT(payload, '$.a'))), \
                 JSON_UNQUOTE(JSON_EXTRACT(headers, '$.traza')), timestamp FROM outbox WHERE id = '{id}'"
            ));
            let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
            let expected =
                format!("{}\tCreado\t{}\t\"1\"\t2024-02-29 23:59:59.123456", hex("ñ💥'\\`"), hex("€'\\\"💥"));
            assert_eq!(row, [expected], "{place}");

            // An empty payload and no headers are NULL.
            let id = outbox.add(&mut session, &Event::new("pedido", "1", "Borrado", Payload::Empty)).await.unwrap();
            let row = server.column(&format!("SELECT payload, headers FROM outbox WHERE id = '{id}'"));
            assert_eq!(row, ["NULL\tNULL"], "{place}");

            // A repeated id and a text that is no JSON are the server's to refuse.
            let error = outbox.add(&mut session, &event).await.unwrap_err();
            assert!(matches!(error, Error::Database { code: Some(1062), .. }), "{place}: {error}");
            let broken = Event::new("pedido", "1", "Creado", Payload::Text("{".into()));
            let error = outbox.add(&mut session, &broken).await.unwrap_err();
            assert!(matches!(error, Error::Database { code: Some(3140 | 4025), .. }), "{place}: {error:?}");

            binary.migrate(&mut session).await.unwrap();
            let event = Event::new("pedido", "1", "Creado", Payload::Bytes(vec![0, 255, b'\'', 128]));
            let id: EventId = binary.add(&mut session, &event).await.unwrap();
            let row = server.column(&format!("SELECT HEX(payload) FROM binary_outbox WHERE id = '{id}'"));
            assert_eq!(row, ["00FF2780"], "{place}");
        }
    }
}
