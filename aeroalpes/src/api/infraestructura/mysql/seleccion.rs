//! Las columnas que se leen de cada tabla, y su paso de fila a dominio. Los momentos llegan en la forma de [`Fecha`].

use super::fila::Fila;
use crate::api::dominio::{Aeropuerto, DatosUsuario, Estado, Fecha, Leg, Pasajero, Reserva, Usuario};
use crate::api::infraestructura::Falla;

type Opcional = Option<String>;

/// Una reserva sin sus itinerarios.
pub(super) const CABECERA: &str = "SELECT id, id_cliente, estado, DATE_FORMAT(fecha_creacion, '%Y-%m-%dT%H:%i:%sZ'), \
     DATE_FORMAT(fecha_actualizacion, '%Y-%m-%dT%H:%i:%sZ') FROM reservas";
pub(super) type FilaCabecera = (String, Opcional, String, String, String);

/// Los legs de una reserva, con sus lugares.
pub(super) const LEGS: &str = "SELECT reserva_id, itinerario_orden, odo_orden, segmento_orden, leg_orden, \
     DATE_FORMAT(fecha_salida, '%Y-%m-%dT%H:%i:%sZ'), DATE_FORMAT(fecha_llegada, '%Y-%m-%dT%H:%i:%sZ'), \
     origen_codigo, origen_nombre, destino_codigo, destino_nombre FROM reservas_itinerarios";
pub(super) type FilaLeg = (String, i32, i32, i32, i32, String, String, String, Opcional, String, Opcional);

/// Los pasajeros de una reserva, con el lugar de su itinerario.
pub(super) const PASAJEROS: &str = "SELECT reserva_id, itinerario_orden, tipo FROM reservas_pasajeros";
pub(super) type FilaPasajero = (String, i32, String);

/// Un usuario sin su contraseña.
pub(super) const USUARIO: &str = "SELECT id, nombres, apellidos, direccion, telefono, email FROM usuarios_legado";
pub(super) type FilaUsuario = (i32, Opcional, Opcional, Opcional, Opcional, Opcional);

/// Lee una fila de [`CABECERA`].
pub(super) fn cabecera((id, id_cliente, estado, creacion, actualizacion): FilaCabecera) -> Result<Reserva, Falla> {
    let estado = conocido("el estado", &estado, Estado::de_nombre)?;
    Ok(Reserva::guardada(id, id_cliente, estado, [fecha(&creacion)?, fecha(&actualizacion)?], Vec::new()))
}

/// Lee una fila de [`LEGS`]; devuelve también el id de su reserva.
pub(super) fn leg(fila: FilaLeg) -> Result<(String, Fila<Leg>), Falla> {
    let (id, i, o, s, l, salida, llegada, origen, nombre_origen, destino, nombre_destino) = fila;
    let leg = Leg {
        fecha_salida: fecha(&salida)?,
        fecha_llegada: fecha(&llegada)?,
        origen: Aeropuerto { codigo: origen, nombre: nombre_origen },
        destino: Aeropuerto { codigo: destino, nombre: nombre_destino },
    };
    Ok((id, Fila { orden: [i, o, s, l], leg }))
}

/// Lee el tipo de una fila de [`PASAJEROS`].
pub(super) fn pasajero(tipo: &str) -> Result<Pasajero, Falla> {
    conocido("el tipo", tipo, Pasajero::de_nombre)
}

/// Lee una fila de [`USUARIO`].
pub(super) fn usuario((id, nombres, apellidos, direccion, telefono, email): FilaUsuario) -> Usuario {
    Usuario { id, datos: DatosUsuario { nombres, apellidos, direccion, telefono, email } }
}

fn fecha(texto: &str) -> Result<Fecha, Falla> {
    conocido("la fecha", texto, Fecha::leer)
}

/// Lee un texto; si no lo conoce esta aplicación, la fila la escribió otra.
fn conocido<T>(que: &str, texto: &str, leer: impl FnOnce(&str) -> Option<T>) -> Result<T, Falla> {
    let ajeno = || format!("una fila tiene {que} {texto:?}, que esta aplicación no conoce");
    leer(texto).ok_or_else(|| Falla::Interna(ajeno().into()))
}
