//! The unit of work: one transaction for the reservation, its itineraries, the idempotency key and the outbox row.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitacora_outbox::Recorded;
use sqlx::{AssertSqlSafe, MySql as Motor, Row, Transaction};

use super::MySql;
use super::consultas::{CABECERA, cabecera};
use super::error::{es_repetido, es_sin_vuelo, falla, falla_al_confirmar, falla_de_bandeja};
use super::fila::filas;
use super::salida::{self, Bandejas};
use super::sentencia::{marcas, sql_de};
use super::vuelos::Vuelo;
use crate::api::aplicacion::Falla;
use crate::api::aplicacion::puerto::{ClaveIdempotencia, Mensaje, Reclamo, UnidadDeTrabajo};
use crate::api::dominio::{DatosUsuario, Evento, Reserva, Usuario};

/// A transaction; dropped without [`UnidadDeTrabajo::confirmar`] it is rolled back.
#[derive(Debug)]
pub struct Unidad {
    transaccion: Transaction<'static, Motor>,
    bandejas: Arc<Bandejas>,
    almacen: MySql,
    /// Inserted here; known to all after the commit.
    vuelos: Vec<Vuelo>,
}

impl Unidad {
    pub(super) async fn iniciar(almacen: &MySql) -> Result<Unidad, Falla> {
        almacen.exigir_tablas()?;
        let transaccion = almacen.pool.begin().await.map_err(falla)?;
        Ok(Unidad { transaccion, bandejas: almacen.bandejas.clone(), almacen: almacen.clone(), vuelos: Vec::new() })
    }

    fn falla(&self, error: sqlx::Error) -> Falla {
        if es_sin_vuelo(&error) {
            self.almacen.vuelos.olvidar();
        }
        self.almacen.observar(falla(error))
    }

    async fn agregar_itinerarios(&mut self, reserva: &Reserva) -> Result<(), sqlx::Error> {
        let filas = filas(reserva.itinerarios());
        if filas.is_empty() {
            return Ok(());
        }
        // Two bookings of the same flights take their locks in the same order, so they wait and do not deadlock.
        let vuelos: BTreeSet<_> = filas.iter().map(|fila| Vuelo::nuevo(fila.orden, fila.leg)).collect();
        let vuelos = self.almacen.vuelos.desconocidos(vuelos);
        if !vuelos.is_empty() {
            self.agregar_vuelos(&vuelos).await?;
            self.vuelos.extend(vuelos);
        }
        let sql = format!(
            "INSERT INTO reservas_itinerarios (reserva_id, itinerario_orden, odo_orden, segmento_orden, leg_orden, fecha_salida, \
             fecha_llegada, origen_codigo, destino_codigo, origen_nombre, destino_nombre) VALUES {}",
            marcas("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", filas.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for fila in filas {
            let [i, o, s, l] = fila.orden;
            let leg = fila.leg;
            query = query
                .bind(reserva.id())
                .bind(i)
                .bind(o)
                .bind(s)
                .bind(l)
                .bind(sql_de(leg.fecha_salida))
                .bind(sql_de(leg.fecha_llegada))
                .bind(&leg.origen.codigo)
                .bind(&leg.destino.codigo)
                .bind(&leg.origen.nombre)
                .bind(&leg.destino.nombre);
        }
        query.execute(&mut *self.transaccion).await?;
        Ok(())
    }

    async fn agregar_vuelos(&mut self, vuelos: &[Vuelo]) -> Result<(), sqlx::Error> {
        // The flight may be there already, and a plain INSERT would fail. ON DUPLICATE KEY would lock the row exclusively, and
        // all bookings of one flight would wait for each other's commit. IGNORE would also cut what is too long, which the
        // API has refused before.
        let sql = format!(
            "INSERT IGNORE INTO itinerarios (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, \
             destino_codigo) VALUES {}",
            marcas("(?, ?, ?, ?, ?, ?, ?)", vuelos.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for Vuelo { orden, fechas, codigos } in vuelos {
            query = orden.iter().fold(query, |query, place| query.bind(*place));
            query = fechas.iter().fold(query, |query, fecha| query.bind(sql_de(*fecha)));
            query = codigos.iter().fold(query, |query, codigo| query.bind(codigo));
        }
        query.execute(&mut *self.transaccion).await?;
        Ok(())
    }

    async fn agregar_pasajeros(&mut self, reserva: &Reserva) -> Result<(), sqlx::Error> {
        let pasajeros: Vec<(i32, i32, &str)> = (0..)
            .zip(reserva.itinerarios())
            .flat_map(|(i, itinerario)| {
                (0..).zip(&itinerario.pasajeros).map(move |(p, pasajero)| (i, p, pasajero.nombre()))
            })
            .collect();
        if pasajeros.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO reservas_pasajeros (reserva_id, itinerario_orden, pasajero_orden, tipo) VALUES {}",
            marcas("(?, ?, ?, ?)", pasajeros.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (i, p, tipo) in pasajeros {
            query = query.bind(reserva.id()).bind(i).bind(p).bind(tipo);
        }
        query.execute(&mut *self.transaccion).await?;
        Ok(())
    }
}

impl UnidadDeTrabajo for Unidad {
    async fn agregar(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let insert =
            "INSERT INTO reservas (id, id_cliente, estado, fecha_creacion, fecha_actualizacion) VALUES (?, ?, ?, ?, ?)";
        let query = sqlx::query(insert)
            .bind(reserva.id())
            .bind(reserva.id_cliente())
            .bind(reserva.estado().nombre())
            .bind(sql_de(reserva.fecha_creacion()))
            .bind(sql_de(reserva.fecha_actualizacion()));
        query.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        self.agregar_itinerarios(reserva).await.map_err(|error| self.falla(error))?;
        self.agregar_pasajeros(reserva).await.map_err(|error| self.falla(error))
    }

    async fn bloquear(&mut self, id: &str) -> Result<Option<Reserva>, Falla> {
        let sql = format!("{CABECERA} WHERE id = ? FOR UPDATE");
        let row = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *self.transaccion).await;
        match row.map_err(|error| self.falla(error))? {
            Some(row) => cabecera(&row).map(Some),
            None => Ok(None),
        }
    }

    async fn actualizar(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let query = sqlx::query("UPDATE reservas SET estado = ?, fecha_actualizacion = ? WHERE id = ?")
            .bind(reserva.estado().nombre())
            .bind(sql_de(reserva.fecha_actualizacion()))
            .bind(reserva.id());
        query.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        Ok(())
    }

    async fn anotar(&mut self, id_entidad: &str, evento: &Evento) -> Result<(), Falla> {
        let fila = salida::fila(id_entidad, evento).map_err(falla_de_bandeja)?;
        let added = self.bandejas.salida.add(&mut self.transaccion, &fila).await;
        added.map(|_| ()).map_err(|error| self.almacen.observar(falla_de_bandeja(error)))
    }

    async fn reclamar(&mut self, clave: &ClaveIdempotencia, id_reserva: &str) -> Result<Reclamo, Falla> {
        let insert =
            "INSERT INTO claves_idempotencia (clave, huella, id_reserva, fecha) VALUES (?, ?, ?, UTC_TIMESTAMP())";
        let query = sqlx::query(insert).bind(&clave.clave).bind(&clave.huella).bind(id_reserva);
        match query.execute(&mut *self.transaccion).await {
            Ok(_) => return Ok(Reclamo::Nueva),
            Err(error) if es_repetido(&error) => {}
            Err(error) => return Err(self.falla(error)),
        }
        let select = "SELECT huella, id_reserva FROM claves_idempotencia WHERE clave = ?";
        let row = sqlx::query(select).bind(&clave.clave).fetch_one(&mut *self.transaccion).await;
        let row = match row {
            // Old keys are cleaned away; this one went between the two statements.
            Err(sqlx::Error::RowNotFound) => return Err(Falla::Pasajera(sqlx::Error::RowNotFound.into())),
            row => row.map_err(|error| self.falla(error))?,
        };
        Ok(Reclamo::Usada { huella: row.try_get(0).map_err(falla)?, id_reserva: row.try_get(1).map_err(falla)? })
    }

    async fn recibir(&mut self, consumidor: &str, mensaje: &str) -> Result<Mensaje, Falla> {
        let recorded = self.bandejas.entrada.record(&mut self.transaccion, consumidor, mensaje).await;
        match recorded.map_err(|error| self.almacen.observar(falla_de_bandeja(error)))? {
            Recorded::New => Ok(Mensaje::Nuevo),
            Recorded::Duplicate => Ok(Mensaje::Repetido),
        }
    }

    async fn registrar(&mut self, datos: &DatosUsuario, resumen: &str) -> Result<i32, Falla> {
        let insert = "INSERT INTO usuarios_legado (nombres, apellidos, direccion, telefono, email, password) \
                      VALUES (?, ?, ?, ?, ?, ?)";
        let query = sqlx::query(insert)
            .bind(&datos.nombres)
            .bind(&datos.apellidos)
            .bind(&datos.direccion)
            .bind(&datos.telefono)
            .bind(&datos.email)
            .bind(resumen);
        let done = query.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        i32::try_from(done.last_insert_id()).map_err(|error| Falla::Interna(error.into()))
    }

    async fn cambiar(&mut self, usuario: &Usuario, resumen: Option<&str>) -> Result<bool, Falla> {
        let update = "UPDATE usuarios_legado SET nombres = ?, apellidos = ?, direccion = ?, telefono = ?, email = ?, \
                      password = COALESCE(?, password) WHERE id = ?";
        let datos = &usuario.datos;
        let query = sqlx::query(update)
            .bind(&datos.nombres)
            .bind(&datos.apellidos)
            .bind(&datos.direccion)
            .bind(&datos.telefono)
            .bind(&datos.email)
            .bind(resumen)
            .bind(usuario.id);
        let done = query.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        Ok(done.rows_affected() > 0)
    }

    async fn borrar(&mut self, id: i32) -> Result<bool, Falla> {
        let query = sqlx::query("DELETE FROM usuarios_legado WHERE id = ?").bind(id);
        let done = query.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        Ok(done.rows_affected() > 0)
    }

    async fn confirmar(self) -> Result<(), Falla> {
        self.transaccion.commit().await.map_err(falla_al_confirmar)?;
        self.almacen.vuelos.aprender(self.vuelos);
        Ok(())
    }
}
