//! Los mensajes del contrato como JSON de la API. `build.rs` dice qué campos pasan y cómo; aquí están las reglas que
//! nombra, y lo que un pedido tiene además.
//!
//! Lo que falta en un mensaje no se escribe, para que la API diga lo que quiere. Los errores llevan la ruta de su
//! lugar, como `itinerarios[0].odos[1]`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_path_to_error::Error;

use crate::sidecar::vuelos;

/// El cuerpo de `POST /vuelos/reserva`; el id y las fechas los da la API.
#[derive(Serialize)]
struct Pedido<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id_cliente: Option<&'a str>,
    itinerarios: &'a [vuelos::Itinerario],
}

/// Escribe el pedido de un mensaje; el error, que un momento no existe.
pub(crate) fn pedido(mensaje: &vuelos::Reserva, id_cliente: Option<&str>) -> Result<Value, Error<serde_json::Error>> {
    let pedido = Pedido { id_cliente, itinerarios: &mensaje.itinerarios };
    serde_path_to_error::serialize(&pedido, serde_json::value::Serializer)
}

/// Lee un texto; null es el texto vacío, que un mensaje no distingue de uno que falta.
pub(crate) fn texto<'de, D: Deserializer<'de>>(origen: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(origen)?.unwrap_or_default())
}

/// Momentos: los segundos y nanosegundos de protobuf, y el texto de la API `2022-11-22T13:10:00Z`. La API conoce
/// segundos enteros.
pub(crate) mod fecha {
    use jiff::Timestamp;
    use prost_types::Timestamp as Proto;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde la llama con la referencia del campo")]
    pub(crate) fn serialize<S: Serializer>(momento: &Option<Proto>, destino: S) -> Result<S::Ok, S::Error> {
        let texto = |momento| texto(momento).ok_or_else(|| S::Error::custom("la fecha no existe"));
        momento.as_ref().map(texto).transpose()?.serialize(destino)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(origen: D) -> Result<Option<Proto>, D::Error> {
        let momento = |texto: String| {
            de_texto(&texto).ok_or_else(|| D::Error::custom("no es una fecha como 2022-11-22T13:10:00Z"))
        };
        Option::<String>::deserialize(origen)?.map(momento).transpose()
    }

    /// Escribe un momento como la API, sin la fracción de segundo. `None` si no es un momento de los años 1 a 9999.
    pub(super) fn texto(momento: &Proto) -> Option<String> {
        const ANO_1: i64 = -62_135_596_800;
        let en_rango = (0..1_000_000_000).contains(&momento.nanos) && momento.seconds >= ANO_1;
        let instante = en_rango.then(|| Timestamp::from_second(momento.seconds).ok()).flatten()?;
        Some(instante.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// Lee un momento con zona horaria.
    pub(super) fn de_texto(texto: &str) -> Option<Proto> {
        let instante: Timestamp = texto.parse().ok()?;
        // Protobuf cuenta los nanosegundos hacia delante desde el segundo de abajo, también antes de 1970.
        let nanos = instante.as_nanosecond().rem_euclid(1_000_000_000);
        let segundos = instante.as_nanosecond().div_euclid(1_000_000_000);
        Some(Proto { seconds: i64::try_from(segundos).ok()?, nanos: i32::try_from(nanos).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;
    use serde_json::json;

    use super::fecha::{de_texto, texto};
    use super::*;

    fn api_json() -> Value {
        json!({
            "id": "93bb", "id_cliente": "17", "estado": "PENDIENTE",
            "fecha_creacion": "2022-11-20T00:00:01Z", "fecha_actualizacion": "2022-11-20T00:00:02Z",
            "itinerarios": [{"odos": [{"segmentos": [{"legs": [{
                "fecha_salida": "2022-11-22T13:10:00Z", "fecha_llegada": "2022-11-22T15:10:00Z",
                "origen": {"codigo": "BOG", "nombre": "El Dorado"}, "destino": {"codigo": "JFK"}}]}]}]}]
        })
    }

    #[test]
    fn el_json_de_la_api_pasa_a_mensaje_y_vuelve() {
        let mensaje = vuelos::Reserva::deserialize(&api_json()).unwrap();
        let leg = &mensaje.itinerarios[0].odos[0].segmentos[0].legs[0];
        assert_eq!(leg.fecha_salida.as_ref().map(|momento| momento.seconds), Some(1_669_122_600));
        assert_eq!(leg.origen.as_ref().map(|lugar| lugar.nombre.as_str()), Some("El Dorado"));
        assert_eq!(leg.destino.as_ref().map(|lugar| lugar.codigo.as_str()), Some("JFK"));
        let mut vuelta = api_json();
        vuelta.as_object_mut().unwrap().retain(|campo, _| !["id_cliente", "estado"].contains(&campo.as_str()));
        assert_eq!(json!(mensaje), vuelta);
        let esperado = json!({"id_cliente": "17", "itinerarios": api_json()["itinerarios"]});
        assert_eq!(pedido(&mensaje, Some("17")).unwrap(), esperado);
    }

    #[test]
    fn un_momento_que_no_existe_se_nombra_por_su_lugar() {
        let mut json = api_json();
        json["itinerarios"][0]["odos"][0]["segmentos"][0]["legs"][0]["fecha_llegada"] = "ayer".into();
        let campo = "itinerarios[0].odos[0].segmentos[0].legs[0].fecha_llegada";
        let error = serde_path_to_error::deserialize::<_, vuelos::Reserva>(&json).unwrap_err();
        assert_eq!(error.path().to_string(), campo);
        let mut mensaje = vuelos::Reserva::deserialize(&api_json()).unwrap();
        let leg = &mut mensaje.itinerarios[0].odos[0].segmentos[0].legs[0];
        leg.fecha_llegada = Some(Timestamp { seconds: i64::MAX, nanos: 0 });
        assert_eq!(pedido(&mensaje, None).unwrap_err().path().to_string(), campo);
    }

    #[test]
    fn los_momentos_van_y_vuelven() {
        for (segundos, escrito) in [
            (1_669_122_600, "2022-11-22T13:10:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
        ] {
            let momento = Timestamp { seconds: segundos, nanos: 0 };
            assert_eq!(texto(&momento).as_deref(), Some(escrito));
            assert_eq!(de_texto(escrito), Some(momento));
        }
        assert_eq!(de_texto("2022-11-22T08:10:00-05:00"), de_texto("2022-11-22T13:10:00Z"));
        assert_eq!(de_texto("1969-12-31T23:59:59.5Z"), Some(Timestamp { seconds: -1, nanos: 500_000_000 }));
    }

    #[test]
    fn lo_que_no_es_un_momento_no_se_lee() {
        for (segundos, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000), (-62_135_596_801, 0)] {
            assert_eq!(texto(&Timestamp { seconds: segundos, nanos }), None, "{segundos} {nanos}");
        }
        assert_eq!(de_texto("2022-11-22T13:10:00"), None);
        assert_eq!(de_texto("ayer"), None);
    }
}
