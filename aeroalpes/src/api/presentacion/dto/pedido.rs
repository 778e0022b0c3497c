//! Lee un pedido, del cuerpo de una petición o del texto de un comando.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::api::dominio::{Aeropuerto, Itinerario, Leg, Odo, Pasajero, Pedido, Segmento, TipoPasajero};
use crate::api::presentacion::Problema;
use crate::api::presentacion::lector::Lugar;

/// Elementos de una lista en cada nivel, y legs de una reserva, como mucho.
const LISTA: usize = 20;
const LEGS: usize = 100;
const PASAJEROS: usize = 100;

/// Devuelve la huella de lo que pide un pedido. No cuentan los espacios ni el orden de los miembros: el mismo clic es
/// el mismo pedido.
pub(crate) fn huella(pedido: &Pedido) -> Result<String, serde_json::Error> {
    let texto = serde_json::to_vec(pedido)?;
    Ok(Sha256::digest(&texto).iter().map(|byte| format!("{byte:02x}")).collect())
}

// En cada lectura el orden de los campos es el de las comprobaciones: se cuenta la primera falta.

/// Lee un pedido.
pub(crate) fn leer_pedido(cuerpo: &Value) -> Result<Pedido, Problema> {
    let cuerpo = Lugar::nuevo(cuerpo, "");
    cuerpo.objeto(&["id_cliente", "itinerarios"])?;
    Ok(Pedido {
        id_cliente: cuerpo.opcional("id_cliente", |id| id.texto(40))?,
        itinerarios: cuerpo.exigir("itinerarios", itinerarios)?,
    })
}

/// Lee una lista de itinerarios suelta.
pub(crate) fn leer_itinerarios(lista: &Value) -> Result<Vec<Itinerario>, Problema> {
    itinerarios(&Lugar::nuevo(lista, "itinerarios"))
}

fn itinerarios(lugar: &Lugar<'_>) -> Result<Vec<Itinerario>, Problema> {
    // Una lista vacía es cosa de la regla del dominio, que tiene sus propias palabras.
    let itinerarios = lugar.lista(0, LISTA, itinerario)?;
    let segmentos = itinerarios.iter().flat_map(|itinerario| &itinerario.odos).flat_map(|odo| &odo.segmentos);
    let legs: usize = segmentos.map(|segmento| segmento.legs.len()).sum();
    if legs > LEGS {
        return Err(lugar.problema(format!("La reserva tiene {legs} legs y se admiten {LEGS}")));
    }
    Ok(itinerarios)
}

fn itinerario(lugar: &Lugar<'_>) -> Result<Itinerario, Problema> {
    lugar.objeto(&["odos", "pasajeros"])?;
    Ok(Itinerario {
        odos: lugar.exigir("odos", |odos| odos.lista(1, LISTA, odo))?,
        pasajeros: lugar.opcional("pasajeros", |lista| lista.lista(0, PASAJEROS, pasajero))?.unwrap_or_default(),
    })
}

fn odo(lugar: &Lugar<'_>) -> Result<Odo, Problema> {
    lugar.objeto(&["segmentos"])?;
    Ok(Odo { segmentos: lugar.exigir("segmentos", |segmentos| segmentos.lista(1, LISTA, segmento))? })
}

fn segmento(lugar: &Lugar<'_>) -> Result<Segmento, Problema> {
    lugar.objeto(&["legs"])?;
    Ok(Segmento { legs: lugar.exigir("legs", |legs| legs.lista(1, LISTA, leg))? })
}

fn leg(lugar: &Lugar<'_>) -> Result<Leg, Problema> {
    lugar.objeto(&["fecha_salida", "fecha_llegada", "origen", "destino"])?;
    Ok(Leg {
        fecha_salida: lugar.exigir("fecha_salida", Lugar::fecha)?,
        fecha_llegada: lugar.exigir("fecha_llegada", Lugar::fecha)?,
        origen: lugar.exigir("origen", aeropuerto)?,
        destino: lugar.exigir("destino", aeropuerto)?,
    })
}

fn aeropuerto(lugar: &Lugar<'_>) -> Result<Aeropuerto, Problema> {
    lugar.objeto(&["codigo", "nombre"])?;
    Ok(Aeropuerto {
        nombre: lugar.opcional("nombre", |nombre| nombre.texto(100))?,
        codigo: lugar.exigir("codigo", |codigo| codigo.texto(10))?,
    })
}

fn pasajero(lugar: &Lugar<'_>) -> Result<Pasajero, Problema> {
    lugar.objeto(&["tipo"])?;
    lugar.exigir("tipo", |tipo| {
        let leido = TipoPasajero::de_nombre(&tipo.texto(20)?);
        let tipo = leido.ok_or_else(|| tipo.problema("El tipo debe ser ADULTO, MENOR o INFANTE"))?;
        Ok(Pasajero { tipo })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{huella, leer_pedido};
    use crate::api::presentacion::cuerpo::leer;

    fn pedido() -> Value {
        json!({"id_cliente": "42", "itinerarios": [{"odos": [{"segmentos": [{"legs": [{
            "fecha_salida": "2022-11-22T13:10:00Z", "fecha_llegada": "2022-11-22T15:10:00Z",
            "origen": {"codigo": "BOG", "nombre": "El Dorado"}, "destino": {"codigo": "JFK", "nombre": null}}]}]}],
            "pasajeros": [{"tipo": "ADULTO"}]}]})
    }

    /// Pone un valor en el lugar de un puntero; un null quita el miembro.
    fn comprobar(puntero: &str, valor: Value, error: &str, campo: &str) {
        let mut cuerpo = pedido();
        let (padre, nombre) = puntero.rsplit_once('/').unwrap();
        match (cuerpo.pointer_mut(padre).unwrap(), valor) {
            (Value::Object(miembros), Value::Null) => {
                miembros.remove(nombre);
            }
            (Value::Object(miembros), valor) => {
                miembros.insert(nombre.to_owned(), valor);
            }
            (list, valor) => *list = valor,
        }
        let problema = leer_pedido(&cuerpo).unwrap_err();
        assert_eq!(problema.motivo(), format!("{campo}: {error}"));
    }

    #[test]
    fn un_pedido_se_lee_y_se_escribe_igual() {
        let leido = leer_pedido(&pedido()).unwrap();
        assert_eq!(leido.id_cliente.as_deref(), Some("42"));
        let mut esperado = pedido();
        esperado.pointer_mut("/itinerarios/0/odos/0/segmentos/0/legs/0/destino").unwrap().take();
        let mut escrito = serde_json::to_value(&leido.itinerarios[0]).unwrap();
        let destino = escrito.pointer_mut("/odos/0/segmentos/0/legs/0/destino").unwrap().take();
        assert_eq!((&escrito, destino), (&esperado["itinerarios"][0], json!({"codigo": "JFK"})));
    }

    #[test]
    fn la_huella_es_la_de_lo_pedido() {
        let resumido =
            |texto: &str| huella(&leer_pedido(&leer("El cuerpo", texto.as_bytes()).unwrap()).unwrap()).unwrap();
        let uno = resumido(r#"{"id_cliente": "1", "itinerarios": []}"#);
        assert_eq!(uno, resumido(r#"{"itinerarios":[],"id_cliente":"1"}"#));
        assert_ne!(uno, resumido(r#"{"itinerarios":[],"id_cliente":"2"}"#));
        assert_eq!(uno.len(), 64);
    }

    #[test]
    fn cada_falta_se_cuenta_con_su_lugar() {
        comprobar("/itinerarios", Value::Null, "Falta este campo", "itinerarios");
        comprobar("/itinerarios", json!({}), "Debe ser una lista, no un objeto", "itinerarios");
        comprobar("/itinerarios", json!(vec![1; 21]), "La lista tiene 21 elementos y se admiten 20", "itinerarios");
        let conocidos = "Este campo no se conoce; se admiten: id_cliente, itinerarios";
        comprobar("/itinerario", json!([]), conocidos, "itinerario");
        comprobar("/id_cliente", json!(42), "Debe ser un texto, no un número", "id_cliente");
        comprobar("/id_cliente", json!("x".repeat(41)), "El texto tiene más de 40 caracteres", "id_cliente");
        comprobar("/id_cliente", json!(""), "El texto no puede estar vacío", "id_cliente");
        comprobar("/itinerarios/0/odos", json!([]), "La lista no puede estar vacía", "itinerarios[0].odos");
        comprobar("/itinerarios/0/odos", Value::Null, "Falta este campo", "itinerarios[0].odos");
        let pasajeros = json!([{"tipo": "PERRO"}]);
        let tipos = "El tipo debe ser ADULTO, MENOR o INFANTE";
        comprobar("/itinerarios/0/pasajeros", pasajeros, tipos, "itinerarios[0].pasajeros[0].tipo");
        let en_leg = |campo: &str, valor: Value, error: &str| {
            let puntero = format!("/itinerarios/0/odos/0/segmentos/0/legs/0/{}", campo.replace('.', "/"));
            comprobar(&puntero, valor, error, &format!("itinerarios[0].odos[0].segmentos[0].legs[0].{campo}"));
        };
        let fecha = "La fecha debe existir y tener la forma 2022-11-22T13:10:00Z (UTC)";
        en_leg("fecha_salida", json!("ayer"), fecha);
        en_leg("fecha_llegada", json!("2022-02-30T00:00:00Z"), fecha);
        en_leg("fecha_llegada", json!(7), "Debe ser un texto con una fecha, no un número");
        en_leg("origen", json!("BOG"), "Debe ser un objeto, no un texto");
        en_leg("origen.codigo", json!("DEMASIADOLARGO"), "El texto tiene más de 10 caracteres");
        let espacios = "El texto no puede empezar ni terminar con espacios ni tener caracteres de control";
        en_leg("origen.codigo", json!("BOG "), espacios);
        let conocidos = "Este campo no se conoce; se admiten: fecha_salida, fecha_llegada, origen, destino";
        en_leg("clase", json!("A"), conocidos);
        assert_eq!(leer_pedido(&json!([])).unwrap_err().motivo(), "El cuerpo debe ser un objeto, no una lista");
    }

    #[test]
    fn una_reserva_tiene_un_maximo_de_legs() {
        let leg = pedido().pointer("/itinerarios/0/odos/0/segmentos/0/legs/0").unwrap().clone();
        let segmento = json!({"legs": vec![leg; 20]});
        let cuerpo = |cuenta| json!({"itinerarios": [{"odos": [{"segmentos": vec![segmento.clone(); cuenta]}]}]});
        assert!(leer_pedido(&cuerpo(5)).is_ok());
        let problema = leer_pedido(&cuerpo(6)).unwrap_err();
        assert_eq!(problema.motivo(), "itinerarios: La reserva tiene 120 legs y se admiten 100");
    }

    /// Todo principio de un pedido, y todo cambio de uno de sus bytes, se lee o se rechaza; un lector que tropieza
    /// entraría en pánico.
    #[test]
    fn los_bytes_rotos_se_leen_o_se_rechazan() {
        let entero = serde_json::to_vec(&pedido()).unwrap();
        let leido = |bytes: &[u8]| leer("El cuerpo", bytes).and_then(|cuerpo| leer_pedido(&cuerpo));
        let (mut buenos, mut malos) = (0, 0);
        let mut cuenta = |bytes: &[u8]| match leido(bytes) {
            Ok(_) => buenos += 1,
            Err(problema) => malos += i32::from(!problema.motivo().is_empty()),
        };
        for lugar in 0..entero.len() {
            cuenta(&entero[..lugar]);
            for byte in [0, b'"', b'{', b']', b'9', b'~', 0xff] {
                let mut cambiado = entero.clone();
                cambiado[lugar] = byte;
                cuenta(&cambiado);
            }
        }
        assert!(
            buenos > 100 && malos > 1000 && buenos + malos == 8 * i32::try_from(entero.len()).unwrap(),
            "{buenos} {malos}"
        );
    }

    #[test]
    fn lo_que_no_es_json_se_cuenta_con_linea_y_columna() {
        let motivo = |texto: &str| leer("El cuerpo", texto.as_bytes()).unwrap_err().motivo();
        assert_eq!(motivo("{\n  \"a\": }"), "El cuerpo no es JSON válido (línea 2, columna 8)");
        assert_eq!(motivo("{\"a\":"), "El cuerpo no es JSON válido: termina antes de tiempo (línea 1, columna 5)");
        assert_eq!(motivo(""), "El cuerpo no es JSON válido: termina antes de tiempo (línea 1, columna 0)");
        let hondo = "[".repeat(100_000);
        assert!(motivo(&hondo).starts_with("El cuerpo no es JSON válido"));
    }
}
