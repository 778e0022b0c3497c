//! Cambios: una clave y un sobre de Debezium en JSON, hasta lo que muestra la página.
//!
//! Entra: mensajes KeyValue en la forma SEPARATED, clave y valor en JSON, con el `schema`/`payload` de Kafka Connect
//! alrededor o sin él. Un valor sin sobre (`op`) se toma por la fila misma; un valor nulo, por una lápida. Sale: un
//! objeto con `tema`, `base`, `tabla`, `operacion`, `momento` (ms), `llave` y `columnas` (véase
//! [`columna::lado_a_lado`]).

use serde_json::{Map, Value, json};

use super::columna;
use crate::contrato::ilegible::Ilegible;

/// La clave o el valor más largo que se lee.
const MAX_BYTES: usize = 1024 * 1024;

/// Traduce un mensaje; `publicado_ms` es el momento de uno que no dice el suyo.
pub(super) fn traducir(
    tema: &str,
    clave: Option<&[u8]>,
    valor: Option<&[u8]>,
    publicado_ms: u64,
) -> Result<Value, Ilegible> {
    let llave = clave.map(objeto).transpose()?.unwrap_or_default();
    let mut partes = tema.rsplitn(3, '.');
    let (tabla, base) = (partes.next().unwrap_or_default(), partes.next().unwrap_or_default());
    let lapida = valor.is_none();
    let mut sobre = valor.map(objeto).transpose()?.unwrap_or_default();
    let fila = |valor: Option<Value>| match valor {
        Some(Value::Object(fila)) => Some(fila),
        _ => None,
    };
    let (operacion, momento, columnas) = match sobre.get("op").and_then(Value::as_str).map(operacion) {
        _ if lapida => ("lapida", None, Vec::new()),
        Some(operacion) => {
            let origen = fila(sobre.remove("source")).unwrap_or_default();
            let momento = [&sobre, &origen].iter().find_map(|objeto| objeto.get("ts_ms").and_then(Value::as_u64));
            let (antes, despues) = (fila(sobre.remove("before")), fila(sobre.remove("after")));
            (operacion, momento, columna::lado_a_lado(antes.as_ref(), despues.as_ref()))
        }
        None => ("fila", None, columna::lado_a_lado(None, Some(&sobre))),
    };
    Ok(json!({
        "tema": tema, "base": base, "tabla": tabla, "operacion": operacion, "momento": momento.unwrap_or(publicado_ms),
        "llave": columna::llave(&llave), "columnas": columnas,
    }))
}

fn operacion(op: &str) -> &'static str {
    match op {
        "c" => "alta",
        "u" => "cambio",
        "d" => "baja",
        "r" => "lectura",
        "t" => "vaciado",
        _ => "otra",
    }
}

/// Lee un objeto, sin la envoltura de Kafka Connect si la tiene.
fn objeto(bytes: &[u8]) -> Result<Map<String, Value>, Ilegible> {
    if bytes.len() > MAX_BYTES {
        return Err(Ilegible::nuevo("es demasiado largo"));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(mut objeto)) => {
            if objeto.len() == 2 && objeto.contains_key("schema") && objeto.contains_key("payload") {
                return match objeto.remove("payload") {
                    Some(Value::Object(contenido)) => Ok(contenido),
                    _ => Err(Ilegible::nuevo("su contenido no es un objeto")),
                };
            }
            Ok(objeto)
        }
        Ok(_) => Err(Ilegible::nuevo("no es un objeto JSON")),
        Err(error) => Err(Ilegible::con("no es JSON", error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::traducir;

    const TEMA: &str = "aeroalpesdb.reservas.usuarios_legado";

    fn comprobar(clave: &str, valor: Option<&str>, esperado: Value) {
        let cambio = traducir(TEMA, Some(clave.as_bytes()), valor.map(str::as_bytes), 5).unwrap();
        assert_eq!(cambio, esperado);
    }

    fn cambio(operacion: &str, momento: u64, columnas: Value) -> Value {
        json!({"tema": TEMA, "base": "reservas", "tabla": "usuarios_legado", "operacion": operacion, "momento": momento,
               "llave": {"id": 1}, "columnas": columnas})
    }

    #[test]
    fn un_sobre_da_las_filas_lado_a_lado() {
        let valor =
            r#"{"before":{"id":1,"email":"a"},"after":{"id":1,"email":"b"},"source":{"ts_ms":7},"op":"u","ts_ms":9}"#;
        let columnas = json!([{"nombre": "id", "antes": 1, "despues": 1},
                              {"nombre": "email", "antes": "a", "despues": "b", "cambio": true}]);
        comprobar(r#"{"id":1}"#, Some(valor), cambio("cambio", 9, columnas.clone()));
        let envuelto = format!(r#"{{"schema":{{}},"payload":{valor}}}"#);
        comprobar(r#"{"schema":{},"payload":{"id":1}}"#, Some(&envuelto), cambio("cambio", 9, columnas));
        let alta = r#"{"before":null,"after":{"id":1},"source":{"ts_ms":7},"op":"c","ts_ms":null}"#;
        comprobar(r#"{"id":1}"#, Some(alta), cambio("alta", 7, json!([{"nombre": "id", "despues": 1}])));
    }

    #[test]
    fn lapidas_y_filas_sin_sobre_se_muestran_como_lo_que_son() {
        comprobar(r#"{"id":1}"#, None, cambio("lapida", 5, json!([])));
        comprobar(r#"{"id":1}"#, Some(r#"{"id":1}"#), cambio("fila", 5, json!([{"nombre": "id", "despues": 1}])));
    }

    proptest::proptest! {
        #[test]
        fn bytes_cualesquiera_nunca_causan_un_panico(
            tema in ".{0,30}", clave in "\\PC{0,60}", valor in "[{}\\[\\]\",:a-z0-9]{0,120}"
        ) {
            let _ = traducir(&tema, Some(clave.as_bytes()), Some(valor.as_bytes()), 5);
        }
    }

    #[test]
    fn otros_bytes_se_rechazan() {
        for valor in ["", "[1]", "\u{1}", r#"{"schema":{},"payload":3}"#, &"[".repeat(100_000)] {
            assert!(traducir(TEMA, None, Some(valor.as_bytes()), 5).is_err(), "{valor:.20}");
        }
    }
}
