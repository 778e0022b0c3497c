//! Los valores de las columnas como los puede mostrar una página: las contraseñas nunca, los textos largos en parte.

use serde_json::{Map, Value, json};

/// Caracteres de un valor que se muestran.
const MAX_CARACTERES: usize = 400;

/// Columnas de una fila que se muestran.
const MAX_COLUMNAS: usize = 150;

/// Lo que hay en lugar de una contraseña. No dice si la hay.
const OCULTO: &str = "••••••••";

/// Pone el antes y el después lado a lado: objetos con `nombre`, `antes`, `despues` (los que haya) y, si están los
/// dos y difieren, `cambio` true. Las columnas van en el orden de la tabla.
pub(super) fn lado_a_lado(antes: Option<&Map<String, Value>>, despues: Option<&Map<String, Value>>) -> Vec<Value> {
    let mut nombres: Vec<&String> = despues.or(antes).into_iter().flat_map(Map::keys).collect();
    nombres.truncate(MAX_COLUMNAS);
    nombres
        .into_iter()
        .map(|nombre| {
            let mut columna = Map::new();
            columna.insert("nombre".into(), Value::from(en_parte(nombre)));
            let [antes, despues] = [antes, despues].map(|fila| fila.and_then(|fila| fila.get(nombre)));
            for (lado, valor) in [("antes", antes), ("despues", despues)] {
                if let Some(valor) = valor {
                    columna.insert(lado.into(), presentable(nombre, valor));
                }
            }
            if antes.is_some() && despues.is_some() && antes != despues {
                columna.insert("cambio".into(), json!(true));
            }
            Value::Object(columna)
        })
        .collect()
}

/// Devuelve las columnas de una clave con sus valores como se pueden mostrar.
pub(super) fn llave(llave: &Map<String, Value>) -> Map<String, Value> {
    let columnas = llave.iter().take(MAX_COLUMNAS);
    columnas.map(|(nombre, valor)| (en_parte(nombre), presentable(nombre, valor))).collect()
}

fn presentable(nombre: &str, valor: &Value) -> Value {
    if es_secreta(nombre) {
        return json!(OCULTO);
    }
    match valor {
        Value::Null | Value::Bool(_) | Value::Number(_) => valor.clone(),
        Value::String(texto) => en_parte(texto).into(),
        Value::Array(_) | Value::Object(_) => en_parte(&valor.to_string()).into(),
    }
}

fn es_secreta(nombre: &str) -> bool {
    let nombre = nombre.to_lowercase();
    ["password", "contrasena", "contraseña"].iter().any(|secreto| nombre.contains(secreto))
}

fn en_parte(texto: &str) -> String {
    match texto.char_indices().nth(MAX_CARACTERES) {
        Some((corte, _)) => format!("{}…", texto.get(..corte).unwrap_or_default()),
        None => texto.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{OCULTO, lado_a_lado, llave};

    fn comprobar(antes: Value, despues: Value, esperado: Value) {
        assert_eq!(json!(lado_a_lado(antes.as_object(), despues.as_object())), esperado);
    }

    #[test]
    fn lo_que_cambio_se_marca() {
        comprobar(
            json!({"id": 1, "email": "a", "nota": null}),
            json!({"id": 1, "email": "b", "nota": null}),
            json!([{"nombre": "id", "antes": 1, "despues": 1},
                   {"nombre": "email", "antes": "a", "despues": "b", "cambio": true},
                   {"nombre": "nota", "antes": null, "despues": null}]),
        );
        comprobar(Value::Null, json!({"id": 1}), json!([{"nombre": "id", "despues": 1}]));
        comprobar(json!({"id": 1}), Value::Null, json!([{"nombre": "id", "antes": 1}]));
    }

    #[test]
    fn las_contrasenas_nunca_se_muestran() {
        comprobar(
            json!({"password": "uno", "PassWord_2": null}),
            json!({"password": "dos", "PassWord_2": {"a": "tres"}}),
            json!([{"nombre": "password", "antes": OCULTO, "despues": OCULTO, "cambio": true},
                   {"nombre": "PassWord_2", "antes": OCULTO, "despues": OCULTO, "cambio": true}]),
        );
        assert_eq!(json!(llave(json!({"password": "uno"}).as_object().unwrap())), json!({"password": OCULTO}));
    }

    #[test]
    fn los_valores_largos_se_cortan_entre_caracteres() {
        comprobar(json!({"t": "ñ".repeat(401)}), Value::Null, json!([{"nombre": "t", "antes": "ñ".repeat(400) + "…"}]));
        comprobar(json!({"t": [1, {"a": 2}]}), Value::Null, json!([{"nombre": "t", "antes": r#"[1,{"a":2}]"#}]));
    }
}
