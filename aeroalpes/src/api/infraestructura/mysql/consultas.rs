//! Reads for the queries.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Row};
use tokio::time::timeout;

use super::error::falla;
use super::fila::{Fila, itinerarios};
use super::sentencia::marcas;
use super::{MySql, Unidad};
use crate::api::aplicacion::Falla;
use crate::api::aplicacion::consulta::{Filtro, Pagina, desplazamiento};
use crate::api::aplicacion::puerto::Almacen;
use crate::api::dominio::{Aeropuerto, DatosUsuario, Estado, Fecha, Itinerario, Leg, Pasajero, Reserva, Usuario};

/// A database that has not answered a read by then has fallen silent.
const PLAZO: Duration = Duration::from_secs(12);

/// The same for the question whether it is there: longer than a connection is waited for, shorter than those wait who ask.
const PLAZO_COMPROBAR: Duration = Duration::from_millis(2_500);

/// A reservation without its itineraries; dates in the form of [`Fecha`].
pub(super) const CABECERA: &str = "SELECT id, id_cliente, estado, DATE_FORMAT(fecha_creacion, '%Y-%m-%dT%H:%i:%sZ'), \
     DATE_FORMAT(fecha_actualizacion, '%Y-%m-%dT%H:%i:%sZ') FROM reservas";

const LEGS: &str = "SELECT reserva_id, itinerario_orden, odo_orden, segmento_orden, leg_orden, \
     DATE_FORMAT(fecha_salida, '%Y-%m-%dT%H:%i:%sZ'), DATE_FORMAT(fecha_llegada, '%Y-%m-%dT%H:%i:%sZ'), \
     origen_codigo, origen_nombre, destino_codigo, destino_nombre FROM reservas_itinerarios";

const USUARIO: &str = "SELECT id, nombres, apellidos, direccion, telefono, email FROM usuarios_legado";

/// What a reservation has in other tables.
#[derive(Default)]
struct Partes {
    filas: Vec<Fila<Leg>>,
    pasajeros: Vec<(i32, Pasajero)>,
}

impl Almacen for MySql {
    type Unidad = Unidad;

    async fn iniciar(&self) -> Result<Unidad, Falla> {
        Unidad::iniciar(self).await
    }

    async fn reserva(&self, id: &str) -> Result<Option<Reserva>, Falla> {
        self.leer(async {
            let sql = format!("{CABECERA} WHERE id = ?");
            let row = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await.map_err(falla)?;
            let Some(row) = row else { return Ok(None) };
            Ok(self.completar(vec![cabecera(&row)?]).await?.pop())
        })
        .await
    }

    async fn reservas(&self, filtro: &Filtro) -> Result<Pagina<Reserva>, Falla> {
        self.leer(async {
            let estado = filtro.estado.map(Estado::nombre);
            let conditions: Vec<&str> =
                [estado.map(|_| "estado = ?"), filtro.id_cliente.as_ref().map(|_| "id_cliente = ?")]
                    .into_iter()
                    .flatten()
                    .collect();
            let given = [estado, filtro.id_cliente.as_deref()];
            let given = given.iter().flatten();
            let wanted = match conditions.is_empty() {
                true => String::new(),
                false => format!(" WHERE {}", conditions.join(" AND ")),
            };
            let sql = format!("{CABECERA}{wanted} ORDER BY fecha_creacion DESC, id DESC LIMIT ? OFFSET ?");
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for value in given.clone() {
                query = query.bind(*value);
            }
            let offset = desplazamiento(filtro.pagina, filtro.tamano);
            let rows = query.bind(filtro.tamano).bind(offset).fetch_all(&self.pool).await.map_err(falla)?;
            let mut count = sqlx::query(AssertSqlSafe(format!("SELECT COUNT(*) FROM reservas{wanted}")));
            for value in given {
                count = count.bind(*value);
            }
            let total = count.fetch_one(&self.pool).await.and_then(|row| row.try_get(0)).map_err(falla)?;
            let cabeceras = rows.iter().map(cabecera).collect::<Result<_, _>>()?;
            Ok(Pagina { elementos: self.completar(cabeceras).await?, total })
        })
        .await
    }

    async fn usuario(&self, id: i32) -> Result<Option<Usuario>, Falla> {
        self.leer(async {
            let sql = format!("{USUARIO} WHERE id = ?");
            let row = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await.map_err(falla)?;
            row.as_ref().map(usuario).transpose().map_err(falla)
        })
        .await
    }

    async fn usuarios(&self, pagina: u32, tamano: u32) -> Result<Pagina<Usuario>, Falla> {
        self.leer(async {
            let query = sqlx::query(AssertSqlSafe(format!("{USUARIO} ORDER BY id LIMIT ? OFFSET ?")));
            let query = query.bind(tamano).bind(desplazamiento(pagina, tamano));
            let rows = query.fetch_all(&self.pool).await.map_err(falla)?;
            let count = sqlx::query("SELECT COUNT(*) FROM usuarios_legado").fetch_one(&self.pool).await;
            let total = count.and_then(|row| row.try_get(0)).map_err(falla)?;
            let elementos = rows.iter().map(usuario).collect::<Result<_, _>>().map_err(falla)?;
            Ok(Pagina { elementos, total })
        })
        .await
    }

    async fn comprobar(&self) -> Result<(), Falla> {
        self.leer_en(PLAZO_COMPROBAR, async {
            sqlx::query("SELECT id FROM reservas LIMIT 1").fetch_optional(&self.pool).await.map_err(falla)?;
            Ok(())
        })
        .await
    }
}

impl MySql {
    /// Runs a read, which needs the tables and tells whether they are there.
    async fn leer<T>(&self, lectura: impl Future<Output = Result<T, Falla>>) -> Result<T, Falla> {
        self.leer_en(PLAZO, lectura).await
    }

    async fn leer_en<T>(&self, plazo: Duration, lectura: impl Future<Output = Result<T, Falla>>) -> Result<T, Falla> {
        self.exigir_tablas()?;
        match timeout(plazo, lectura).await {
            Ok(leido) => leido.map_err(|falla| self.observar(falla)),
            Err(silencio) => Err(Falla::Ausente(silencio.into())),
        }
    }

    /// Adds the itineraries to reservations, all in two queries.
    async fn completar(&self, cabeceras: Vec<Reserva>) -> Result<Vec<Reserva>, Falla> {
        if cabeceras.is_empty() {
            return Ok(cabeceras);
        }
        let marks = marcas("?", cabeceras.len());
        let order = "ORDER BY reserva_id, itinerario_orden";
        let legs = format!("{LEGS} WHERE reserva_id IN ({marks}) {order}, odo_orden, segmento_orden, leg_orden");
        let pasajeros = format!(
            "SELECT reserva_id, itinerario_orden, tipo FROM reservas_pasajeros WHERE reserva_id IN ({marks}) {order}, pasajero_orden"
        );
        let (mut legs, mut pasajeros) = (sqlx::query(AssertSqlSafe(legs)), sqlx::query(AssertSqlSafe(pasajeros)));
        for reserva in &cabeceras {
            legs = legs.bind(reserva.id().to_owned());
            pasajeros = pasajeros.bind(reserva.id().to_owned());
        }
        let mut found: HashMap<String, Partes> = HashMap::new();
        for row in legs.fetch_all(&self.pool).await.map_err(falla)? {
            let id = row.try_get(0).map_err(falla)?;
            found.entry(id).or_default().filas.push(leg(&row)?);
        }
        for row in pasajeros.fetch_all(&self.pool).await.map_err(falla)? {
            let id = row.try_get(0).map_err(falla)?;
            let nombre: String = row.try_get(2).map_err(falla)?;
            let Some(pasajero) = Pasajero::de_nombre(&nombre) else { return Err(ajeno("tipo", &nombre)) };
            found.entry(id).or_default().pasajeros.push((row.try_get(1).map_err(falla)?, pasajero));
        }
        let completa = |cabecera: Reserva| {
            let partes = found.remove(cabecera.id()).unwrap_or_default();
            con_itinerarios(&cabecera, itinerarios(partes.filas, &partes.pasajeros))
        };
        Ok(cabeceras.into_iter().map(completa).collect())
    }
}

fn con_itinerarios(cabecera: &Reserva, itinerarios: Vec<Itinerario>) -> Reserva {
    let fechas = [cabecera.fecha_creacion(), cabecera.fecha_actualizacion()];
    let id_cliente = cabecera.id_cliente().map(str::to_owned);
    Reserva::guardada(cabecera.id().to_owned(), id_cliente, cabecera.estado(), fechas, itinerarios)
}

/// Reads a row of [`CABECERA`].
pub(super) fn cabecera(row: &MySqlRow) -> Result<Reserva, Falla> {
    let nombre: String = row.try_get(2).map_err(falla)?;
    let Some(estado) = Estado::de_nombre(&nombre) else { return Err(ajeno("estado", &nombre)) };
    let (id, id_cliente) = (row.try_get(0).map_err(falla)?, row.try_get(1).map_err(falla)?);
    Ok(Reserva::guardada(id, id_cliente, estado, [fecha(row, 3)?, fecha(row, 4)?], Vec::new()))
}

fn leg(row: &MySqlRow) -> Result<Fila<Leg>, Falla> {
    let mut orden = [0; 4];
    for (place, column) in orden.iter_mut().zip(1_usize..) {
        *place = row.try_get(column).map_err(falla)?;
    }
    let aeropuerto = |column: usize| -> Result<Aeropuerto, Falla> {
        let codigo = row.try_get(column).map_err(falla)?;
        Ok(Aeropuerto { codigo, nombre: row.try_get(column + 1).map_err(falla)? })
    };
    let leg = Leg {
        fecha_salida: fecha(row, 5)?,
        fecha_llegada: fecha(row, 6)?,
        origen: aeropuerto(7)?,
        destino: aeropuerto(9)?,
    };
    Ok(Fila { orden, leg })
}

fn usuario(row: &MySqlRow) -> Result<Usuario, sqlx::Error> {
    let datos = DatosUsuario {
        nombres: row.try_get(1)?,
        apellidos: row.try_get(2)?,
        direccion: row.try_get(3)?,
        telefono: row.try_get(4)?,
        email: row.try_get(5)?,
    };
    Ok(Usuario { id: row.try_get(0)?, datos })
}

fn fecha(row: &MySqlRow, column: usize) -> Result<Fecha, Falla> {
    let texto: String = row.try_get(column).map_err(falla)?;
    Fecha::leer(&texto).ok_or_else(|| ajeno("fecha", &texto))
}

/// Somebody else wrote what this application does not know.
fn ajeno(que: &str, valor: &str) -> Falla {
    Falla::Interna(format!("a row holds the {que} {valor:?}, which this application does not know").into())
}
