//! A reservation as the API's JSON and as a message of the contract.

use serde::{Deserialize, Serialize};

use crate::sidecar::fecha;
use crate::sidecar::vuelos;

/// A reservation as the API takes and gives it. What is missing is left out, so that the API says what it wants.
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

/// Why a reservation has no other form: a moment that is none, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SinFecha {
    pub(crate) campo: String,
}

impl Reserva {
    /// Takes the itineraries out of a message; id and dates are the API's to give.
    pub(crate) fn pedida(message: &vuelos::Reserva, id_cliente: Option<String>) -> Result<Self, SinFecha> {
        Ok(Self { id_cliente, itinerarios: itinerarios(message)?, ..Self::default() })
    }

    /// Takes everything out of a message.
    pub(crate) fn completa(message: &vuelos::Reserva) -> Result<Self, SinFecha> {
        Ok(Self {
            id: message.id.clone(),
            id_cliente: None,
            fecha_creacion: opcional(message.fecha_creacion.as_ref(), || "fecha_creacion".to_owned())?,
            fecha_actualizacion: opcional(message.fecha_actualizacion.as_ref(), || "fecha_actualizacion".to_owned())?,
            itinerarios: itinerarios(message)?,
        })
    }

    /// Writes it as a message.
    pub(crate) fn mensaje(&self) -> Result<vuelos::Reserva, SinFecha> {
        let mut itinerarios = Vec::new();
        for (place, itinerario) in self.itinerarios.iter().enumerate() {
            let place = format!("itinerarios[{place}]");
            let odos = itinerario.odos.iter().enumerate();
            let odos =
                odos.map(|(index, odo)| odo.mensaje(&format!("{place}.odos[{index}]"))).collect::<Result<_, _>>()?;
            itinerarios.push(vuelos::Itinerario { id: None, odos });
        }
        Ok(vuelos::Reserva {
            id: self.id.clone(),
            fecha_creacion: momento(self.fecha_creacion.as_deref(), || "fecha_creacion".to_owned())?,
            fecha_actualizacion: momento(self.fecha_actualizacion.as_deref(), || "fecha_actualizacion".to_owned())?,
            itinerarios,
        })
    }
}

impl Odo {
    fn mensaje(&self, place: &str) -> Result<vuelos::Odo, SinFecha> {
        let mut segmentos = Vec::new();
        for (segment_index, segmento) in self.segmentos.iter().enumerate() {
            let mut legs = Vec::new();
            for (leg_index, leg) in segmento.legs.iter().enumerate() {
                let place = |field| move || format!("{place}.segmentos[{segment_index}].legs[{leg_index}].{field}");
                legs.push(vuelos::Leg {
                    fecha_salida: momento(leg.fecha_salida.as_deref(), place("fecha_salida"))?,
                    fecha_llegada: momento(leg.fecha_llegada.as_deref(), place("fecha_llegada"))?,
                    destino: leg.destino.as_ref().map(Locacion::mensaje),
                    origen: leg.origen.as_ref().map(Locacion::mensaje),
                });
            }
            segmentos.push(vuelos::Segmento { legs });
        }
        Ok(vuelos::Odo { segmentos })
    }
}

impl Locacion {
    fn mensaje(&self) -> vuelos::Locacion {
        vuelos::Locacion {
            codigo: self.codigo.clone().unwrap_or_default(),
            nombre: self.nombre.clone().unwrap_or_default(),
        }
    }

    /// An empty text of a message cannot be told from none.
    fn de(message: &vuelos::Locacion) -> Self {
        let texto = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self { codigo: texto(&message.codigo), nombre: texto(&message.nombre) }
    }
}

fn itinerarios(message: &vuelos::Reserva) -> Result<Vec<Itinerario>, SinFecha> {
    let mut itinerarios = Vec::new();
    for (i, itinerario) in message.itinerarios.iter().enumerate() {
        let mut odos = Vec::new();
        for (o, odo) in itinerario.odos.iter().enumerate() {
            let mut segmentos = Vec::new();
            for (s, segmento) in odo.segmentos.iter().enumerate() {
                let mut legs = Vec::new();
                for (l, leg) in segmento.legs.iter().enumerate() {
                    let place = |field| move || format!("itinerarios[{i}].odos[{o}].segmentos[{s}].legs[{l}].{field}");
                    legs.push(Leg {
                        fecha_salida: opcional(leg.fecha_salida.as_ref(), place("fecha_salida"))?,
                        fecha_llegada: opcional(leg.fecha_llegada.as_ref(), place("fecha_llegada"))?,
                        origen: leg.origen.as_ref().map(Locacion::de),
                        destino: leg.destino.as_ref().map(Locacion::de),
                    });
                }
                segmentos.push(Segmento { legs });
            }
            odos.push(Odo { segmentos });
        }
        itinerarios.push(Itinerario { odos });
    }
    Ok(itinerarios)
}

fn opcional(moment: Option<&prost_types::Timestamp>, campo: impl Fn() -> String) -> Result<Option<String>, SinFecha> {
    moment.map(|moment| fecha::texto(moment).ok_or_else(|| SinFecha { campo: campo() })).transpose()
}

fn momento(text: Option<&str>, campo: impl Fn() -> String) -> Result<Option<prost_types::Timestamp>, SinFecha> {
    text.map(|text| fecha::de_texto(text).ok_or_else(|| SinFecha { campo: campo() })).transpose()
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
        let message = reserva.mensaje().unwrap();
        let leg = &message.itinerarios[0].odos[0].segmentos[0].legs[0];
        assert_eq!(leg.fecha_salida.as_ref().map(|moment| moment.seconds), Some(1_669_122_600));
        assert_eq!(leg.origen.as_ref().map(|place| place.nombre.as_str()), Some("El Dorado"));
        assert_eq!(leg.destino.as_ref().map(|place| place.codigo.as_str()), Some("JFK"));
        let back = Reserva::completa(&message).unwrap();
        assert_eq!(back, Reserva { id_cliente: None, ..reserva });
        let asked = serde_json::to_value(Reserva::pedida(&message, Some("17".into())).unwrap()).unwrap();
        let expected = serde_json::json!({"id_cliente": "17", "itinerarios": api_json()["itinerarios"]});
        assert_eq!(asked, expected);
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
        let message = vuelos::Reserva { itinerarios, ..vuelos::Reserva::default() };
        assert_eq!(Reserva::pedida(&message, None).unwrap_err().campo, campo);
    }
}
