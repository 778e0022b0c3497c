//! Eventos: de Avro, según el esquema de quien escribió, a JSON en el orden de sus campos.

use serde_json::Value;

use crate::contrato::avro::Esquema;
use crate::contrato::ilegible::Ilegible;

/// El contenido más largo que se decodifica, y lo más que Avro puede pedir por una longitud que haya en él.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// Decodifica un evento.
pub(super) fn decodificar(esquema: &Esquema, bytes: &[u8]) -> Result<Value, Ilegible> {
    if bytes.len() > MAX_BYTES {
        return Err(Ilegible::nuevo("es demasiado largo"));
    }
    let valor = esquema.decodificar(bytes)?;
    Value::try_from(valor).map_err(|error| Ilegible::con("no se puede escribir como JSON", error))
}

#[cfg(test)]
mod tests {
    use crate::contrato::avro::{Esquema, limitar_memoria};
    use crate::contrato::evento::{DatosReserva, ESQUEMA, EventoReserva};
    use proptest::prelude::*;

    use super::decodificar;

    #[test]
    fn el_json_es_el_del_contrato() {
        let evento = EventoReserva {
            id: Some("8c79".into()),
            time: Some(1_795_501_280_716),
            ingestion: Some(1_795_501_280_710),
            specversion: Some("v1".into()),
            tipo: Some("ReservaCreada".into()),
            datacontenttype: Some("AVRO".into()),
            service_name: Some("aeroalpes".into()),
            data: Some(DatosReserva {
                id_reserva: Some("93bb".into()),
                estado: Some("PENDIENTE".into()),
                fecha_creacion: Some(1_795_501_280_716),
                ..DatosReserva::default()
            }),
        };
        let esquema = Esquema::leer(ESQUEMA.as_bytes()).unwrap();
        let bytes = esquema.escribir(&evento);
        assert_eq!(
            decodificar(&esquema, &bytes).unwrap().to_string(),
            concat!(
                r#"{"id":"8c79","time":1795501280716,"ingestion":1795501280710,"specversion":"v1","#,
                r#""type":"ReservaCreada","#,
                r#""datacontenttype":"AVRO","service_name":"aeroalpes","data":{"id_reserva":"93bb","id_cliente":null,"#,
                r#""estado":"PENDIENTE","fecha_creacion":1795501280716,"fecha_actualizacion":null}}"#
            )
        );
        for erroneo in [&bytes[1..], &bytes[..bytes.len() - 1], &[bytes.as_slice(), b"\0"].concat()] {
            assert!(decodificar(&esquema, erroneo).is_err());
        }
    }

    proptest! {
        /// Esquemas con todo lo que se anida, y bytes cualesquiera.
        #[test]
        fn bytes_cualesquiera_nunca_causan_un_panico(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            limitar_memoria(super::MAX_BYTES);
            let anidado = r#"{"type":"record","name":"A","fields":[{"name":"a","type":{"type":"array","items":["null",
                {"type":"map","values":["double","bytes",{"type":"fixed","name":"F","size":3},
                {"type":"enum","name":"E","symbols":["x"]},
                {"type":"bytes","logicalType":"decimal","precision":4}]}]}}]}"#;
            for texto in [ESQUEMA, anidado] {
                let _ = decodificar(&Esquema::leer(texto.as_bytes()).unwrap(), &bytes);
            }
        }
    }
}
