//! Las columnas que se leen de cada tabla, y su paso de fila a dominio.

use sqlx::Row;
use sqlx::mysql::MySqlRow;

use super::error::falla;
use super::fila::Fila;
use crate::api::aplicacion::Falla;
use crate::api::dominio::{Aeropuerto, DatosUsuario, Estado, Fecha, Leg, Reserva, Usuario};

/// Una reserva sin sus itinerarios; las fechas, en la forma de [`Fecha`].
pub(super) const CABECERA: &str = "SELECT id, id_cliente, estado, DATE_FORMAT(fecha_creacion, '%Y-%m-%dT%H:%i:%sZ'), \
     DATE_FORMAT(fecha_actualizacion, '%Y-%m-%dT%H:%i:%sZ') FROM reservas";

/// Los legs de una reserva con sus lugares.
pub(super) const LEGS: &str = "SELECT reserva_id, itinerario_orden, odo_orden, segmento_orden, leg_orden, \
     DATE_FORMAT(fecha_salida, '%Y-%m-%dT%H:%i:%sZ'), DATE_FORMAT(fecha_llegada, '%Y-%m-%dT%H:%i:%sZ'), \
     origen_codigo, origen_nombre, destino_codigo, destino_nombre FROM reservas_itinerarios";

/// Un usuario sin su contraseña.
pub(super) const USUARIO: &str = "SELECT id, nombres, apellidos, direccion, telefono, email FROM usuarios_legado";

/// Lee una fila de [`CABECERA`].
pub(super) fn cabecera(fila: &MySqlRow) -> Result<Reserva, Falla> {
    let nombre: String = fila.try_get(2).map_err(falla)?;
    let Some(estado) = Estado::de_nombre(&nombre) else { return Err(ajeno("el estado", &nombre)) };
    let (id, id_cliente) = (fila.try_get(0).map_err(falla)?, fila.try_get(1).map_err(falla)?);
    Ok(Reserva::guardada(id, id_cliente, estado, [fecha(fila, 3)?, fecha(fila, 4)?], Vec::new()))
}

/// Lee una fila de [`LEGS`], que empieza por el id de la reserva.
pub(super) fn leg(fila: &MySqlRow) -> Result<Fila<Leg>, Falla> {
    let mut orden = [0; 4];
    for (lugar, columna) in orden.iter_mut().zip(1_usize..) {
        *lugar = fila.try_get(columna).map_err(falla)?;
    }
    let aeropuerto = |columna: usize| -> Result<Aeropuerto, Falla> {
        let codigo = fila.try_get(columna).map_err(falla)?;
        Ok(Aeropuerto { codigo, nombre: fila.try_get(columna + 1).map_err(falla)? })
    };
    let leg = Leg {
        fecha_salida: fecha(fila, 5)?,
        fecha_llegada: fecha(fila, 6)?,
        origen: aeropuerto(7)?,
        destino: aeropuerto(9)?,
    };
    Ok(Fila { orden, leg })
}

/// Lee una fila de [`USUARIO`].
pub(super) fn usuario(fila: &MySqlRow) -> Result<Usuario, sqlx::Error> {
    let datos = DatosUsuario {
        nombres: fila.try_get(1)?,
        apellidos: fila.try_get(2)?,
        direccion: fila.try_get(3)?,
        telefono: fila.try_get(4)?,
        email: fila.try_get(5)?,
    };
    Ok(Usuario { id: fila.try_get(0)?, datos })
}

fn fecha(fila: &MySqlRow, columna: usize) -> Result<Fecha, Falla> {
    let texto: String = fila.try_get(columna).map_err(falla)?;
    Fecha::leer(&texto).ok_or_else(|| ajeno("la fecha", &texto))
}

/// Crea la falla de una fila que escribió otro, con un valor que esta aplicación no conoce.
pub(super) fn ajeno(que: &str, valor: &str) -> Falla {
    Falla::Interna(format!("una fila tiene {que} {valor:?}, que esta aplicación no conoce").into())
}
