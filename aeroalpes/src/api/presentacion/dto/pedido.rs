//! Reads a booking, out of the body of a request or the text of a command.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::reserva::{ItinerarioDto, ReservaNueva};
use crate::api::aplicacion::comando::Pedido;
use crate::api::dominio::{Aeropuerto, Itinerario, Leg, Odo, Pasajero, Segmento};
use crate::api::presentacion::Problema;
use crate::api::presentacion::lector::Lugar;

/// Most items of a list at each level, and most legs of a reservation.
const LISTA: usize = 20;
const LEGS: usize = 100;
const PASAJEROS: usize = 100;

/// Returns a hash of what a booking asks for. Blanks and the order of members do not count: the same click is the same booking.
pub(crate) fn huella(pedido: &Pedido) -> Result<String, serde_json::Error> {
    let itinerarios = pedido.itinerarios.iter().map(ItinerarioDto::from).collect();
    let text = serde_json::to_vec(&ReservaNueva { id_cliente: pedido.id_cliente.clone(), itinerarios })?;
    Ok(Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads a booking.
pub(crate) fn leer_pedido(cuerpo: &Value) -> Result<Pedido, Problema> {
    let cuerpo = Lugar::nuevo(cuerpo, "").objeto(&["id_cliente", "itinerarios"])?;
    let id_cliente = cuerpo.opcional("id_cliente").map(|lugar| lugar.texto(40)).transpose()?;
    Ok(Pedido { id_cliente, itinerarios: itinerarios(&cuerpo.exigir("itinerarios")?)? })
}

/// Reads a list of itineraries that stands alone.
pub(crate) fn leer_itinerarios(lista: &Value) -> Result<Vec<Itinerario>, Problema> {
    itinerarios(&Lugar::nuevo(lista, "itinerarios"))
}

fn itinerarios(lugar: &Lugar<'_>) -> Result<Vec<Itinerario>, Problema> {
    // An empty list is a matter of the domain's rule, which has its own words for it.
    let itinerarios: Vec<Itinerario> = lugar.lista(0, LISTA)?.iter().map(itinerario).collect::<Result<_, _>>()?;
    let segmentos = itinerarios.iter().flat_map(|itinerario| &itinerario.odos).flat_map(|odo| &odo.segmentos);
    let legs: usize = segmentos.map(|segmento| segmento.legs.len()).sum();
    if legs > LEGS {
        return Err(lugar.problema(format!("La reserva tiene {legs} legs y se admiten {LEGS}")));
    }
    Ok(itinerarios)
}

fn itinerario(lugar: &Lugar<'_>) -> Result<Itinerario, Problema> {
    let objeto = lugar.objeto(&["odos", "pasajeros"])?;
    let odos = objeto.exigir("odos")?.lista(1, LISTA)?.iter().map(odo).collect::<Result<_, _>>()?;
    let pasajeros = match objeto.opcional("pasajeros") {
        Some(lugar) => lugar.lista(0, PASAJEROS)?.iter().map(pasajero).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(Itinerario { odos, pasajeros })
}

fn odo(lugar: &Lugar<'_>) -> Result<Odo, Problema> {
    let segmentos = lugar.objeto(&["segmentos"])?.exigir("segmentos")?.lista(1, LISTA)?;
    Ok(Odo { segmentos: segmentos.iter().map(segmento).collect::<Result<_, _>>()? })
}

fn segmento(lugar: &Lugar<'_>) -> Result<Segmento, Problema> {
    let legs = lugar.objeto(&["legs"])?.exigir("legs")?.lista(1, LISTA)?;
    Ok(Segmento { legs: legs.iter().map(leg).collect::<Result<_, _>>()? })
}

fn leg(lugar: &Lugar<'_>) -> Result<Leg, Problema> {
    let objeto = lugar.objeto(&["fecha_salida", "fecha_llegada", "origen", "destino"])?;
    Ok(Leg {
        fecha_salida: objeto.exigir("fecha_salida")?.fecha()?,
        fecha_llegada: objeto.exigir("fecha_llegada")?.fecha()?,
        origen: aeropuerto(&objeto.exigir("origen")?)?,
        destino: aeropuerto(&objeto.exigir("destino")?)?,
    })
}

fn aeropuerto(lugar: &Lugar<'_>) -> Result<Aeropuerto, Problema> {
    let objeto = lugar.objeto(&["codigo", "nombre"])?;
    let nombre = objeto.opcional("nombre").map(|lugar| lugar.texto(100)).transpose()?;
    Ok(Aeropuerto { codigo: objeto.exigir("codigo")?.texto(10)?, nombre })
}

fn pasajero(lugar: &Lugar<'_>) -> Result<Pasajero, Problema> {
    let tipo = lugar.objeto(&["tipo"])?.exigir("tipo")?;
    let nombre = tipo.texto(20)?;
    Pasajero::de_nombre(&nombre).ok_or_else(|| tipo.problema("El tipo debe ser ADULTO, MENOR o INFANTE"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{huella, leer_pedido};
    use crate::api::presentacion::cuerpo::leer;
    use crate::api::presentacion::dto::ItinerarioDto;

    fn pedido() -> Value {
        json!({"id_cliente": "42", "itinerarios": [{"odos": [{"segmentos": [{"legs": [{
            "fecha_salida": "2022-11-22T13:10:00Z", "fecha_llegada": "2022-11-22T15:10:00Z",
            "origen": {"codigo": "BOG", "nombre": "El Dorado"}, "destino": {"codigo": "JFK", "nombre": null}}]}]}],
            "pasajeros": [{"tipo": "ADULTO"}]}]})
    }

    /// Puts a value in the place of a pointer; a null removes the member.
    fn check(pointer: &str, value: Value, error: &str, campo: &str) {
        let mut body = pedido();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match (body.pointer_mut(parent).unwrap(), value) {
            (Value::Object(members), Value::Null) => {
                members.remove(name);
            }
            (Value::Object(members), value) => {
                members.insert(name.to_owned(), value);
            }
            (list, value) => *list = value,
        }
        let problem = leer_pedido(&body).unwrap_err();
        assert_eq!(problem.motivo(), format!("{campo}: {error}"));
    }

    #[test]
    fn un_pedido_se_lee_y_se_escribe_igual() {
        let read = leer_pedido(&pedido()).unwrap();
        assert_eq!(read.id_cliente.as_deref(), Some("42"));
        let mut expected = pedido();
        expected.pointer_mut("/itinerarios/0/odos/0/segmentos/0/legs/0/destino").unwrap().take();
        let mut written = serde_json::to_value(ItinerarioDto::from(&read.itinerarios[0])).unwrap();
        let destino = written.pointer_mut("/odos/0/segmentos/0/legs/0/destino").unwrap().take();
        assert_eq!((&written, destino), (&expected["itinerarios"][0], json!({"codigo": "JFK"})));
    }

    #[test]
    fn la_huella_es_la_de_lo_pedido() {
        let hash = |text: &str| huella(&leer_pedido(&leer("El cuerpo", text.as_bytes()).unwrap()).unwrap()).unwrap();
        let one = hash(r#"{"id_cliente": "1", "itinerarios": []}"#);
        assert_eq!(one, hash(r#"{"itinerarios":[],"id_cliente":"1"}"#));
        assert_ne!(one, hash(r#"{"itinerarios":[],"id_cliente":"2"}"#));
        assert_eq!(one.len(), 64);
    }

    #[test]
    fn cada_falta_se_cuenta_con_su_lugar() {
        let leg = "/itinerarios/0/odos/0/segmentos/0/legs/0";
        let at = "itinerarios[0].odos[0].segmentos[0].legs[0]";
        let fecha = "La fecha debe existir y tener la forma 2022-11-22T13:10:00Z (UTC)";
        check("/itinerarios", Value::Null, "Falta este campo", "itinerarios");
        check("/itinerarios", json!({}), "Debe ser una lista, no un objeto", "itinerarios");
        check("/itinerarios", json!(vec![1; 21]), "La lista tiene 21 elementos y se admiten 20", "itinerarios");
        check("/itinerario", json!([]), "Este campo no se conoce; se admiten: id_cliente, itinerarios", "itinerario");
        check("/id_cliente", json!(42), "Debe ser un texto, no un número", "id_cliente");
        check("/id_cliente", json!("x".repeat(41)), "El texto tiene más de 40 caracteres", "id_cliente");
        check("/id_cliente", json!(""), "El texto no puede estar vacío", "id_cliente");
        check("/itinerarios/0/odos", json!([]), "La lista no puede estar vacía", "itinerarios[0].odos");
        check("/itinerarios/0/odos", Value::Null, "Falta este campo", "itinerarios[0].odos");
        check(&format!("{leg}/fecha_salida"), json!("ayer"), fecha, &format!("{at}.fecha_salida"));
        check(&format!("{leg}/fecha_llegada"), json!("2022-02-30T00:00:00Z"), fecha, &format!("{at}.fecha_llegada"));
        check(
            &format!("{leg}/fecha_llegada"),
            json!(7),
            "Debe ser un texto con una fecha, no un número",
            &format!("{at}.fecha_llegada"),
        );
        check(&format!("{leg}/origen"), json!("BOG"), "Debe ser un objeto, no un texto", &format!("{at}.origen"));
        check(
            &format!("{leg}/origen/codigo"),
            json!("DEMASIADOLARGO"),
            "El texto tiene más de 10 caracteres",
            &format!("{at}.origen.codigo"),
        );
        check(
            &format!("{leg}/origen/codigo"),
            json!("BOG "),
            "El texto no puede empezar ni terminar con espacios ni tener caracteres de control",
            &format!("{at}.origen.codigo"),
        );
        check(
            &format!("{leg}/clase"),
            json!("A"),
            "Este campo no se conoce; se admiten: fecha_salida, fecha_llegada, origen, destino",
            &format!("{at}.clase"),
        );
        check(
            "/itinerarios/0/pasajeros",
            json!([{"tipo": "PERRO"}]),
            "El tipo debe ser ADULTO, MENOR o INFANTE",
            "itinerarios[0].pasajeros[0].tipo",
        );
        assert_eq!(leer_pedido(&json!([])).unwrap_err().motivo(), "El cuerpo debe ser un objeto, no una lista");
    }

    #[test]
    fn una_reserva_tiene_un_maximo_de_legs() {
        let leg = pedido().pointer("/itinerarios/0/odos/0/segmentos/0/legs/0").unwrap().clone();
        let segment = json!({"legs": vec![leg; 20]});
        let body = |count| json!({"itinerarios": [{"odos": [{"segmentos": vec![segment.clone(); count]}]}]});
        assert!(leer_pedido(&body(5)).is_ok());
        let problem = leer_pedido(&body(6)).unwrap_err();
        assert_eq!(problem.motivo(), "itinerarios: La reserva tiene 120 legs y se admiten 100");
    }

    /// Every beginning of a booking, and every change of one of its bytes, is read or refused; a reader that trips would panic.
    #[test]
    fn los_bytes_rotos_se_leen_o_se_rechazan() {
        let whole = serde_json::to_vec(&pedido()).unwrap();
        let read = |bytes: &[u8]| leer("El cuerpo", bytes).and_then(|body| leer_pedido(&body));
        let (mut good, mut bad) = (0, 0);
        let mut count = |bytes: &[u8]| match read(bytes) {
            Ok(_) => good += 1,
            Err(problem) => bad += i32::from(!problem.motivo().is_empty()),
        };
        for place in 0..whole.len() {
            count(&whole[..place]);
            for byte in [0, b'"', b'{', b']', b'9', b'~', 0xff] {
                let mut changed = whole.clone();
                changed[place] = byte;
                count(&changed);
            }
        }
        assert!(good > 100 && bad > 1000 && good + bad == 8 * i32::try_from(whole.len()).unwrap(), "{good} {bad}");
    }

    #[test]
    fn lo_que_no_es_json_se_cuenta_con_linea_y_columna() {
        let motivo = |text: &str| leer("El cuerpo", text.as_bytes()).unwrap_err().motivo();
        assert_eq!(motivo("{\n  \"a\": }"), "El cuerpo no es JSON válido (línea 2, columna 8)");
        assert_eq!(motivo("{\"a\":"), "El cuerpo no es JSON válido: termina antes de tiempo (línea 1, columna 5)");
        assert_eq!(motivo(""), "El cuerpo no es JSON válido: termina antes de tiempo (línea 1, columna 0)");
        let deep = "[".repeat(100_000);
        assert!(motivo(&deep).starts_with("El cuerpo no es JSON válido"));
    }
}
