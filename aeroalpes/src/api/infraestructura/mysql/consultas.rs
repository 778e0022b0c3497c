//! Lecturas para las consultas.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row};
use tokio::time::timeout;

use super::error::falla;
use super::fila::{Fila, itinerarios};
use super::seleccion::{CABECERA, LEGS, USUARIO, ajeno, cabecera, leg, usuario};
use super::sentencia::marcas;
use super::{MySql, Unidad};
use crate::api::aplicacion::Falla;
use crate::api::aplicacion::consulta::{Filtro, Pagina, desplazamiento};
use crate::api::aplicacion::puerto::Almacen;
use crate::api::dominio::{Estado, Itinerario, Leg, Pasajero, Reserva, Usuario};

/// Una base de datos que no contesta una lectura en este plazo ha enmudecido.
const PLAZO: Duration = Duration::from_secs(12);

/// Plazo de la pregunta de si está: más de lo que se espera una conexión, menos de lo que esperan quienes preguntan.
const PLAZO_COMPROBAR: Duration = Duration::from_millis(2_500);

/// Lo que una reserva tiene en otras tablas.
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
            let fila = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await.map_err(falla)?;
            let Some(fila) = fila else { return Ok(None) };
            Ok(self.completar(vec![cabecera(&fila)?]).await?.pop())
        })
        .await
    }

    async fn reservas(&self, filtro: &Filtro) -> Result<Pagina<Reserva>, Falla> {
        self.leer(async {
            let estado = filtro.estado.map(Estado::nombre);
            let condiciones: Vec<&str> =
                [estado.map(|_| "estado = ?"), filtro.id_cliente.as_ref().map(|_| "id_cliente = ?")]
                    .into_iter()
                    .flatten()
                    .collect();
            let dados = [estado, filtro.id_cliente.as_deref()];
            let dados = dados.iter().flatten();
            let busqueda = match condiciones.is_empty() {
                true => String::new(),
                false => format!(" WHERE {}", condiciones.join(" AND ")),
            };
            let sql = format!("{CABECERA}{busqueda} ORDER BY fecha_creacion DESC, id DESC LIMIT ? OFFSET ?");
            let mut consulta = sqlx::query(AssertSqlSafe(sql));
            for valor in dados.clone() {
                consulta = consulta.bind(*valor);
            }
            let desplazado = desplazamiento(filtro.pagina, filtro.tamano);
            let filas = consulta.bind(filtro.tamano).bind(desplazado).fetch_all(&self.pool).await.map_err(falla)?;
            let mut cuenta = sqlx::query(AssertSqlSafe(format!("SELECT COUNT(*) FROM reservas{busqueda}")));
            for valor in dados {
                cuenta = cuenta.bind(*valor);
            }
            let total = cuenta.fetch_one(&self.pool).await.and_then(|fila| fila.try_get(0)).map_err(falla)?;
            let cabeceras = filas.iter().map(cabecera).collect::<Result<_, _>>()?;
            Ok(Pagina { elementos: self.completar(cabeceras).await?, total })
        })
        .await
    }

    async fn usuario(&self, id: i32) -> Result<Option<Usuario>, Falla> {
        self.leer(async {
            let sql = format!("{USUARIO} WHERE id = ?");
            let fila = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await.map_err(falla)?;
            fila.as_ref().map(usuario).transpose().map_err(falla)
        })
        .await
    }

    async fn usuarios(&self, pagina: u32, tamano: u32) -> Result<Pagina<Usuario>, Falla> {
        self.leer(async {
            let consulta = sqlx::query(AssertSqlSafe(format!("{USUARIO} ORDER BY id LIMIT ? OFFSET ?")));
            let consulta = consulta.bind(tamano).bind(desplazamiento(pagina, tamano));
            let filas = consulta.fetch_all(&self.pool).await.map_err(falla)?;
            let cuenta = sqlx::query("SELECT COUNT(*) FROM usuarios_legado").fetch_one(&self.pool).await;
            let total = cuenta.and_then(|fila| fila.try_get(0)).map_err(falla)?;
            let elementos = filas.iter().map(usuario).collect::<Result<_, _>>().map_err(falla)?;
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
    /// Hace una lectura, que necesita las tablas y dice si están.
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

    /// Añade los itinerarios a las reservas, todos en dos consultas.
    async fn completar(&self, cabeceras: Vec<Reserva>) -> Result<Vec<Reserva>, Falla> {
        if cabeceras.is_empty() {
            return Ok(cabeceras);
        }
        let signos = marcas("?", cabeceras.len());
        let orden = "ORDER BY reserva_id, itinerario_orden";
        let legs = format!("{LEGS} WHERE reserva_id IN ({signos}) {orden}, odo_orden, segmento_orden, leg_orden");
        let pasajeros = format!(
            "SELECT reserva_id, itinerario_orden, tipo FROM reservas_pasajeros WHERE reserva_id IN ({signos}) {orden}, pasajero_orden"
        );
        let (mut legs, mut pasajeros) = (sqlx::query(AssertSqlSafe(legs)), sqlx::query(AssertSqlSafe(pasajeros)));
        for reserva in &cabeceras {
            legs = legs.bind(reserva.id().to_owned());
            pasajeros = pasajeros.bind(reserva.id().to_owned());
        }
        let mut hallado: HashMap<String, Partes> = HashMap::new();
        for fila in legs.fetch_all(&self.pool).await.map_err(falla)? {
            let id = fila.try_get(0).map_err(falla)?;
            hallado.entry(id).or_default().filas.push(leg(&fila)?);
        }
        for fila in pasajeros.fetch_all(&self.pool).await.map_err(falla)? {
            let id = fila.try_get(0).map_err(falla)?;
            let nombre: String = fila.try_get(2).map_err(falla)?;
            let Some(pasajero) = Pasajero::de_nombre(&nombre) else { return Err(ajeno("el tipo", &nombre)) };
            hallado.entry(id).or_default().pasajeros.push((fila.try_get(1).map_err(falla)?, pasajero));
        }
        let completa = |cabecera: Reserva| {
            let partes = hallado.remove(cabecera.id()).unwrap_or_default();
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
