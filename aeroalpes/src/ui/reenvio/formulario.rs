//! El formulario de la página, y la reserva de la API que le corresponde: un itinerario con un vuelo.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Pasajeros de un tipo, como mucho.
const MAX_PASAJEROS: u8 = 9;

/// Lo que envía la página.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Formulario {
    id_cliente: String,
    origen: Lugar,
    destino: Lugar,
    /// `2022-11-22T13:10:00Z`; la comprueba la API.
    salida: String,
    llegada: String,
    pasajeros: Pasajeros,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Lugar {
    codigo: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nombre: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pasajeros {
    adultos: u8,
    menores: u8,
    infantes: u8,
}

/// Un campo que está mal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fallo {
    pub campo: &'static str,
    /// Frase para la página.
    pub mensaje: String,
}

impl Formulario {
    /// Devuelve el cuerpo de `POST /vuelos/reserva`. Aquí solo se juzga lo que la API no puede juzgar.
    pub(super) fn reserva(&self) -> Result<Value, Fallo> {
        let Pasajeros { adultos, menores, infantes } = self.pasajeros;
        let fallo = |mensaje: String| Err(Fallo { campo: "pasajeros", mensaje });
        let mut pasajeros = Vec::new();
        for (cuantos, tipo) in [(adultos, "ADULTO"), (menores, "MENOR"), (infantes, "INFANTE")] {
            if cuantos > MAX_PASAJEROS {
                return fallo(format!("Viajan como mucho {MAX_PASAJEROS} pasajeros de cada tipo."));
            }
            pasajeros.extend((0..cuantos).map(|_| json!({"tipo": tipo})));
        }
        if pasajeros.is_empty() {
            // Una lista vacía no diría nada de los pasajeros, y no se preguntaría por la regla de los adultos.
            return fallo("Al menos un adulto debe ser parte del itinerario".into());
        }
        let leg = json!({
            "fecha_salida": self.salida, "fecha_llegada": self.llegada,
            "origen": self.origen, "destino": self.destino,
        });
        Ok(json!({
            "id_cliente": self.id_cliente,
            "itinerarios": [{"odos": [{"segmentos": [{"legs": [leg]}]}], "pasajeros": pasajeros}],
        }))
    }
}

/// Devuelve el campo del formulario para un lugar del cuerpo de la API; `None` si ninguno le corresponde.
pub(super) fn campo(lugar: &str) -> Option<&'static str> {
    const CAMPOS: [(&str, &str); 5] = [
        ("origen", "origen"),
        ("destino", "destino"),
        ("fecha_salida", "salida"),
        ("fecha_llegada", "llegada"),
        ("pasajeros", "pasajeros"),
    ];
    let nombres: Vec<&str> = lugar.split(['.', '[', ']']).collect();
    let exacto = CAMPOS.iter().find(|(parte, _)| nombres.contains(parte)).map(|(_, campo)| *campo);
    // Un vuelo entero está mal por su ruta.
    exacto.or_else(|| nombres.contains(&"legs").then_some("destino"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Formulario, campo};

    fn formulario(adultos: u8, infantes: u8) -> Formulario {
        serde_json::from_value(json!({
            "id_cliente": "c1", "origen": {"codigo": "BOG", "nombre": "Bogotá"}, "destino": {"codigo": "JFK"},
            "salida": "2022-11-22T13:10:00Z", "llegada": "2022-11-22T19:10:00Z",
            "pasajeros": {"adultos": adultos, "menores": 0, "infantes": infantes},
        }))
        .unwrap()
    }

    #[test]
    fn un_formulario_es_un_vuelo() {
        let leg = json!({"fecha_salida": "2022-11-22T13:10:00Z", "fecha_llegada": "2022-11-22T19:10:00Z",
                         "origen": {"codigo": "BOG", "nombre": "Bogotá"}, "destino": {"codigo": "JFK"}});
        let itinerario = json!({"odos": [{"segmentos": [{"legs": [leg]}]}],
                                "pasajeros": [{"tipo": "ADULTO"}, {"tipo": "ADULTO"}, {"tipo": "INFANTE"}]});
        let reserva = formulario(2, 1).reserva().unwrap();
        assert_eq!(reserva, json!({"id_cliente": "c1", "itinerarios": [itinerario]}));
        assert_eq!(formulario(0, 0).reserva().unwrap_err().campo, "pasajeros");
        assert_eq!(formulario(10, 0).reserva().unwrap_err().campo, "pasajeros");
        assert!(formulario(0, 1).reserva().is_ok(), "lo juzga la API");
        assert!(serde_json::from_value::<Formulario>(json!({"id_cliente": "c1", "otro": Value::Null})).is_err());
    }

    #[test]
    fn los_lugares_del_cuerpo_son_campos_del_formulario() {
        let leg = "itinerarios[0].odos[0].segmentos[0].legs[0]";
        let comprobar = |lugar: &str, esperado| assert_eq!(campo(lugar), esperado, "{lugar}");
        comprobar(&format!("{leg}.origen.codigo"), Some("origen"));
        comprobar(&format!("{leg}.fecha_salida"), Some("salida"));
        comprobar(leg, Some("destino"));
        comprobar("itinerarios[0].pasajeros[1].tipo", Some("pasajeros"));
        comprobar("itinerarios", None);
        comprobar("id_cliente", None);
    }
}
