//! Una reserva como JSON de la API y como mensaje del contrato.

use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sidecar::fecha;
use crate::sidecar::vuelos;

/// Una reserva como la API la toma y la da. Lo que falta no se escribe, para que la API diga lo que quiere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reserva {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id_cliente: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fecha_creacion: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fecha_actualizacion: Option<String>,
    #[serde(default)]
    pub(crate) itinerarios: Vec<Itinerario>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Itinerario {
    odos: Vec<Odo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Odo {
    segmentos: Vec<Segmento>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Segmento {
    legs: Vec<Leg>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Leg {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fecha_salida: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fecha_llegada: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origen: Option<Locacion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destino: Option<Locacion>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Locacion {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    codigo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nombre: Option<String>,
}

/// Por qué una reserva no tiene otra forma: un momento que no lo es, y dónde.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SinFecha {
    pub(crate) campo: String,
}

impl Reserva {
    /// Toma los itinerarios de un mensaje; el id y las fechas los da la API.
    pub(crate) fn pedida(mensaje: &vuelos::Reserva, id_cliente: Option<String>) -> Result<Self, SinFecha> {
        Ok(Self { id_cliente, itinerarios: itinerarios(mensaje)?, ..Self::default() })
    }

    /// Toma todo lo que trae un mensaje.
    pub(crate) fn completa(mensaje: &vuelos::Reserva) -> Result<Self, SinFecha> {
        Ok(Self {
            id: mensaje.id.clone(),
            id_cliente: None,
            fecha_creacion: texto(mensaje.fecha_creacion.as_ref(), "", "fecha_creacion")?,
            fecha_actualizacion: texto(mensaje.fecha_actualizacion.as_ref(), "", "fecha_actualizacion")?,
            itinerarios: itinerarios(mensaje)?,
        })
    }

    /// La escribe como mensaje.
    pub(crate) fn mensaje(&self) -> Result<vuelos::Reserva, SinFecha> {
        let leg = |leg: &Leg, lugar: &str| {
            Ok(vuelos::Leg {
                fecha_salida: momento(leg.fecha_salida.as_deref(), lugar, "fecha_salida")?,
                fecha_llegada: momento(leg.fecha_llegada.as_deref(), lugar, "fecha_llegada")?,
                destino: leg.destino.as_ref().map(Locacion::mensaje),
                origen: leg.origen.as_ref().map(Locacion::mensaje),
            })
        };
        let segmento =
            |segmento: &Segmento, lugar: &str| Ok(vuelos::Segmento { legs: cada(&segmento.legs, lugar, "legs", leg)? });
        let odo =
            |odo: &Odo, lugar: &str| Ok(vuelos::Odo { segmentos: cada(&odo.segmentos, lugar, "segmentos", segmento)? });
        let itinerario = |itinerario: &Itinerario, lugar: &str| {
            Ok(vuelos::Itinerario { id: None, odos: cada(&itinerario.odos, lugar, "odos", odo)? })
        };
        Ok(vuelos::Reserva {
            id: self.id.clone(),
            fecha_creacion: momento(self.fecha_creacion.as_deref(), "", "fecha_creacion")?,
            fecha_actualizacion: momento(self.fecha_actualizacion.as_deref(), "", "fecha_actualizacion")?,
            itinerarios: cada(&self.itinerarios, "", "itinerarios", itinerario)?,
        })
    }
}

impl Locacion {
    fn mensaje(&self) -> vuelos::Locacion {
        vuelos::Locacion {
            codigo: self.codigo.clone().unwrap_or_default(),
            nombre: self.nombre.clone().unwrap_or_default(),
        }
    }

    /// Un texto vacío de un mensaje no se distingue de uno que falta.
    fn de(mensaje: &vuelos::Locacion) -> Self {
        let texto = |texto: &String| Some(texto.clone()).filter(|texto| !texto.is_empty());
        Self { codigo: texto(&mensaje.codigo), nombre: texto(&mensaje.nombre) }
    }
}

fn itinerarios(mensaje: &vuelos::Reserva) -> Result<Vec<Itinerario>, SinFecha> {
    let leg = |leg: &vuelos::Leg, lugar: &str| {
        Ok(Leg {
            fecha_salida: texto(leg.fecha_salida.as_ref(), lugar, "fecha_salida")?,
            fecha_llegada: texto(leg.fecha_llegada.as_ref(), lugar, "fecha_llegada")?,
            origen: leg.origen.as_ref().map(Locacion::de),
            destino: leg.destino.as_ref().map(Locacion::de),
        })
    };
    let segmento =
        |segmento: &vuelos::Segmento, lugar: &str| Ok(Segmento { legs: cada(&segmento.legs, lugar, "legs", leg)? });
    let odo =
        |odo: &vuelos::Odo, lugar: &str| Ok(Odo { segmentos: cada(&odo.segmentos, lugar, "segmentos", segmento)? });
    let itinerario = |itinerario: &vuelos::Itinerario, lugar: &str| {
        Ok(Itinerario { odos: cada(&itinerario.odos, lugar, "odos", odo)? })
    };
    cada(&mensaje.itinerarios, "", "itinerarios", itinerario)
}

/// Pasa cada elemento de una lista con su lugar, como `itinerarios[0].odos[1]`.
fn cada<A, B>(
    lista: &[A],
    lugar: &str,
    campo: &str,
    pasar: impl Fn(&A, &str) -> Result<B, SinFecha>,
) -> Result<Vec<B>, SinFecha> {
    let campo = ruta(lugar, campo);
    lista.iter().enumerate().map(|(indice, uno)| pasar(uno, &format!("{campo}[{indice}]"))).collect()
}

fn texto(momento: Option<&Timestamp>, lugar: &str, campo: &str) -> Result<Option<String>, SinFecha> {
    momento.map(|momento| fecha::texto(momento).ok_or_else(|| SinFecha { campo: ruta(lugar, campo) })).transpose()
}

fn momento(texto: Option<&str>, lugar: &str, campo: &str) -> Result<Option<Timestamp>, SinFecha> {
    texto.map(|texto| fecha::de_texto(texto).ok_or_else(|| SinFecha { campo: ruta(lugar, campo) })).transpose()
}

fn ruta(lugar: &str, campo: &str) -> String {
    if lugar.is_empty() { campo.to_owned() } else { format!("{lugar}.{campo}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api_json() -> serde_json::Value {
        serde_json::json!({
            "id": "93bb", "id_cliente": "17", "estado": "PENDIENTE",
            "fecha_creacion": "2022-11-20T00:00:01Z", "fecha_actualizacion": "2022-11-20T00:00:02Z",
            "itinerarios": [{"odos": [{"segmentos": [{"legs": [{
                "fecha_salida": "2022-11-22T13:10:00Z", "fecha_llegada": "2022-11-22T15:10:00Z",
                "origen": {"codigo": "BOG", "nombre": "El Dorado"}, "destino": {"codigo": "JFK"}}]}]}]}]
        })
    }

    #[test]
    fn el_json_de_la_api_pasa_a_mensaje_y_vuelve() {
        let reserva: Reserva = serde_json::from_value(api_json()).unwrap();
        let mensaje = reserva.mensaje().unwrap();
        let leg = &mensaje.itinerarios[0].odos[0].segmentos[0].legs[0];
        assert_eq!(leg.fecha_salida.as_ref().map(|momento| momento.seconds), Some(1_669_122_600));
        assert_eq!(leg.origen.as_ref().map(|lugar| lugar.nombre.as_str()), Some("El Dorado"));
        assert_eq!(leg.destino.as_ref().map(|lugar| lugar.codigo.as_str()), Some("JFK"));
        let vuelta = Reserva::completa(&mensaje).unwrap();
        assert_eq!(vuelta, Reserva { id_cliente: None, ..reserva });
        let pedido = serde_json::to_value(Reserva::pedida(&mensaje, Some("17".into())).unwrap()).unwrap();
        let esperado = serde_json::json!({"id_cliente": "17", "itinerarios": api_json()["itinerarios"]});
        assert_eq!(pedido, esperado);
    }

    #[test]
    fn un_momento_que_no_existe_se_nombra_por_su_lugar() {
        let mut json = api_json();
        json["itinerarios"][0]["odos"][0]["segmentos"][0]["legs"][0]["fecha_llegada"] = "ayer".into();
        let reserva: Reserva = serde_json::from_value(json).unwrap();
        let campo = "itinerarios[0].odos[0].segmentos[0].legs[0].fecha_llegada";
        assert_eq!(reserva.mensaje().unwrap_err().campo, campo);
        let leg = vuelos::Leg {
            fecha_llegada: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
            ..vuelos::Leg::default()
        };
        let odo = vuelos::Odo { segmentos: vec![vuelos::Segmento { legs: vec![leg] }] };
        let itinerarios = vec![vuelos::Itinerario { id: None, odos: vec![odo] }];
        let mensaje = vuelos::Reserva { itinerarios, ..vuelos::Reserva::default() };
        assert_eq!(Reserva::pedida(&mensaje, None).unwrap_err().campo, campo);
    }
}
