//! Lecturas para las consultas: las columnas que se leen de cada tabla, y su paso de fila a dominio. Los momentos
//! llegan en la forma de [`Fecha`].

use std::collections::HashMap;
use std::time::Duration;

use sqlx::{MySql as Motor, QueryBuilder};
use tokio::time::timeout;

use super::MySql;
use super::error::falla;
use super::fila::{Fila, itinerarios};
use crate::api::dominio::{Aeropuerto, Estado, Fecha, Leg, Pasajero, Reserva, TipoPasajero, Usuario};
use crate::api::infraestructura::Falla;

type Opcional = Option<String>;

/// Una reserva sin sus itinerarios.
pub(super) const CABECERA: &str = "SELECT id, id_cliente, estado, DATE_FORMAT(fecha_creacion, '%Y-%m-%dT%H:%i:%sZ'), \
     DATE_FORMAT(fecha_actualizacion, '%Y-%m-%dT%H:%i:%sZ') FROM reservas";
pub(super) type FilaCabecera = (String, Opcional, String, String, String);

/// Los legs de una reserva, con sus lugares.
const LEGS: &str = "SELECT reserva_id, itinerario_orden, odo_orden, segmento_orden, leg_orden, \
     DATE_FORMAT(fecha_salida, '%Y-%m-%dT%H:%i:%sZ'), DATE_FORMAT(fecha_llegada, '%Y-%m-%dT%H:%i:%sZ'), \
     origen_codigo, origen_nombre, destino_codigo, destino_nombre FROM reservas_itinerarios";
type FilaLeg = (String, i32, i32, i32, i32, String, String, String, Opcional, String, Opcional);

/// Los pasajeros de una reserva, con el lugar de su itinerario.
const PASAJEROS: &str = "SELECT reserva_id, itinerario_orden, tipo FROM reservas_pasajeros";
type FilaPasajero = (String, i32, String);

/// Un usuario sin su contraseña.
const USUARIO: &str = "SELECT id, nombres, apellidos, direccion, telefono, email FROM usuarios_legado";
type FilaUsuario = (i32, Opcional, Opcional, Opcional, Opcional, Opcional);

/// Una base de datos que no contesta una lectura en este plazo ha enmudecido.
const PLAZO: Duration = Duration::from_secs(12);

/// Plazo de la comprobación de `/ready`: mayor que la espera de una conexión, menor que el plazo de quien la pide.
const PLAZO_COMPROBAR: Duration = Duration::from_millis(2_500);

/// Qué reservas se quieren.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filtro {
    pub estado: Option<Estado>,
    pub id_cliente: Option<String>,
}

/// Lo que una reserva tiene en otras tablas: legs, y pasajeros con el lugar de su itinerario.
type Partes = (Vec<Fila<Leg>>, Vec<(i32, Pasajero)>);

impl MySql {
    /// Lee una reserva entera.
    pub(crate) async fn reserva(&self, id: &str) -> Result<Option<Reserva>, Falla> {
        self.leer(async {
            let mut consulta = QueryBuilder::new(CABECERA);
            consulta.push(" WHERE id = ").push_bind(id);
            let fila = consulta.build_query_as().fetch_optional(&self.pool).await.map_err(falla)?;
            let Some(fila) = fila else { return Ok(None) };
            Ok(self.completar(vec![cabecera(fila)?]).await?.pop())
        })
        .await
    }

    /// Lee una página de reservas, la más nueva primero, y cuántas cumplen el filtro en todas.
    pub(crate) async fn reservas(
        &self,
        filtro: &Filtro,
        pagina: u32,
        tamano: u32,
    ) -> Result<(Vec<Reserva>, i64), Falla> {
        self.leer(async {
            let mut consulta = QueryBuilder::new(CABECERA);
            filtrar(&mut consulta, filtro);
            consulta.push(" ORDER BY fecha_creacion DESC, id DESC");
            paginar(&mut consulta, pagina, tamano);
            let filas = consulta.build_query_as().fetch_all(&self.pool).await.map_err(falla)?;
            let mut cuenta = QueryBuilder::new("SELECT COUNT(*) FROM reservas");
            filtrar(&mut cuenta, filtro);
            let total = cuenta.build_query_scalar().fetch_one(&self.pool).await.map_err(falla)?;
            let cabeceras = filas.into_iter().map(cabecera).collect::<Result<_, _>>()?;
            Ok((self.completar(cabeceras).await?, total))
        })
        .await
    }

    pub(crate) async fn usuario(&self, id: i32) -> Result<Option<Usuario>, Falla> {
        self.leer(async {
            let mut consulta = QueryBuilder::new(USUARIO);
            consulta.push(" WHERE id = ").push_bind(id);
            let fila = consulta.build_query_as().fetch_optional(&self.pool).await.map_err(falla)?;
            Ok(fila.map(usuario))
        })
        .await
    }

    /// Lee una página de usuarios por clave creciente, y cuántos hay en todas.
    pub(crate) async fn usuarios(&self, pagina: u32, tamano: u32) -> Result<(Vec<Usuario>, i64), Falla> {
        self.leer(async {
            let mut consulta = QueryBuilder::new(USUARIO);
            consulta.push(" ORDER BY id");
            paginar(&mut consulta, pagina, tamano);
            let filas = consulta.build_query_as().fetch_all(&self.pool).await.map_err(falla)?;
            let cuenta = sqlx::query_scalar("SELECT COUNT(*) FROM usuarios_legado");
            let total = cuenta.fetch_one(&self.pool).await.map_err(falla)?;
            Ok((filas.into_iter().map(usuario).collect(), total))
        })
        .await
    }

    /// Comprueba que la base de datos contesta y que están sus tablas.
    pub(crate) async fn comprobar(&self) -> Result<(), Falla> {
        self.leer_en(PLAZO_COMPROBAR, async {
            sqlx::query("SELECT id FROM reservas LIMIT 1").fetch_optional(&self.pool).await.map_err(falla)?;
            Ok(())
        })
        .await
    }

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
        let mut legs = de_reservas(LEGS, &cabeceras);
        legs.push(", odo_orden, segmento_orden, leg_orden");
        let mut pasajeros = de_reservas(PASAJEROS, &cabeceras);
        pasajeros.push(", pasajero_orden");
        let mut hallado: HashMap<String, Partes> = HashMap::new();
        for fila in legs.build_query_as::<FilaLeg>().fetch_all(&self.pool).await.map_err(falla)? {
            let (id, fila) = leg(fila)?;
            hallado.entry(id).or_default().0.push(fila);
        }
        for fila in pasajeros.build_query_as::<FilaPasajero>().fetch_all(&self.pool).await.map_err(falla)? {
            let (id, lugar, tipo) = fila;
            hallado.entry(id).or_default().1.push((lugar, pasajero(&tipo)?));
        }
        let completa = |cabecera: Reserva| {
            let (legs, pasajeros) = hallado.remove(cabecera.id()).unwrap_or_default();
            cabecera.con_itinerarios(itinerarios(&legs, &pasajeros))
        };
        Ok(cabeceras.into_iter().map(completa).collect())
    }
}

fn filtrar(consulta: &mut QueryBuilder<Motor>, filtro: &Filtro) {
    let mut nexo = " WHERE ";
    let estado = filtro.estado.map(|estado| estado.to_string());
    for (columna, valor) in [("estado = ", estado), ("id_cliente = ", filtro.id_cliente.clone())] {
        if let Some(valor) = valor {
            consulta.push(nexo).push(columna).push_bind(valor);
            nexo = " AND ";
        }
    }
}

/// Limita una consulta a una página, contada desde 1.
fn paginar(consulta: &mut QueryBuilder<Motor>, pagina: u32, tamano: u32) {
    let antes = u64::from(pagina.saturating_sub(1)) * u64::from(tamano);
    consulta.push(" LIMIT ").push_bind(tamano).push(" OFFSET ").push_bind(antes);
}

/// Empieza una consulta de lo que unas reservas tienen en otra tabla; le falta el final del orden.
fn de_reservas(seleccion: &str, reservas: &[Reserva]) -> QueryBuilder<Motor> {
    let mut consulta = QueryBuilder::new(seleccion);
    let mut ids = consulta.push(" WHERE reserva_id IN (").separated(", ");
    for reserva in reservas {
        ids.push_bind(reserva.id());
    }
    ids.push_unseparated(") ORDER BY reserva_id, itinerario_orden");
    consulta
}

/// Lee una fila de [`CABECERA`].
pub(super) fn cabecera((id, id_cliente, estado, creacion, actualizacion): FilaCabecera) -> Result<Reserva, Falla> {
    let estado = conocido("el estado", &estado, Estado::de_nombre)?;
    Ok(Reserva::guardada(id, id_cliente, estado, [fecha(&creacion)?, fecha(&actualizacion)?], Vec::new()))
}

/// Lee una fila de [`LEGS`]; devuelve también el id de su reserva.
fn leg(fila: FilaLeg) -> Result<(String, Fila<Leg>), Falla> {
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
fn pasajero(tipo: &str) -> Result<Pasajero, Falla> {
    Ok(Pasajero { tipo: conocido("el tipo", tipo, TipoPasajero::de_nombre)? })
}

/// Lee una fila de [`USUARIO`].
fn usuario((id, nombres, apellidos, direccion, telefono, email): FilaUsuario) -> Usuario {
    Usuario { id, nombres, apellidos, direccion, telefono, email }
}

fn fecha(texto: &str) -> Result<Fecha, Falla> {
    conocido("la fecha", texto, Fecha::leer)
}

/// Lee un texto; si no lo conoce esta aplicación, la fila la escribió otra.
fn conocido<T>(que: &str, texto: &str, leer: impl FnOnce(&str) -> Option<T>) -> Result<T, Falla> {
    let ajeno = || format!("una fila tiene {que} {texto:?}, que esta aplicación no conoce");
    leer(texto).ok_or_else(|| Falla::Interna(ajeno().into()))
}
