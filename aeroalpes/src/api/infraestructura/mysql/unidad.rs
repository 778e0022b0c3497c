//! La unidad de trabajo: una transacción para la reserva, sus itinerarios, la clave de idempotencia y la fila de la
//! bandeja de salida.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitacora_outbox::Recorded;
use sqlx::{AssertSqlSafe, MySql as Motor, Row, Transaction};

use super::MySql;
use super::error::{es_repetido, es_sin_vuelo, falla, falla_al_confirmar, falla_de_bandeja};
use super::fila::filas;
use super::salida::{self, Bandejas};
use super::seleccion::{CABECERA, cabecera};
use super::sentencia::{marcas, sql_de};
use super::vuelos::Vuelo;
use crate::api::aplicacion::Falla;
use crate::api::aplicacion::puerto::{ClaveIdempotencia, Mensaje, Reclamo, UnidadDeTrabajo};
use crate::api::dominio::{DatosUsuario, Evento, Reserva, Usuario};

/// Una transacción; si se descarta sin [`UnidadDeTrabajo::confirmar`], se deshace.
#[derive(Debug)]
pub struct Unidad {
    transaccion: Transaction<'static, Motor>,
    bandejas: Arc<Bandejas>,
    almacen: MySql,
    /// Insertados aquí; tras confirmar los conocen todos.
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
        // Dos reservas de los mismos vuelos toman sus cerrojos en el mismo orden: se esperan y no se interbloquean.
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
        let mut consulta = sqlx::query(AssertSqlSafe(sql));
        for fila in filas {
            let [i, o, s, l] = fila.orden;
            let leg = fila.leg;
            consulta = consulta
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
        consulta.execute(&mut *self.transaccion).await?;
        Ok(())
    }

    async fn agregar_vuelos(&mut self, vuelos: &[Vuelo]) -> Result<(), sqlx::Error> {
        // El vuelo puede estar ya, y un INSERT a secas fallaría. ON DUPLICATE KEY cerraría la fila en exclusiva, y
        // todas las reservas de un vuelo esperarían la confirmación de las otras. IGNORE cortaría además lo demasiado
        // largo, que la API ya rechazó antes.
        let sql = format!(
            "INSERT IGNORE INTO itinerarios (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, \
             destino_codigo) VALUES {}",
            marcas("(?, ?, ?, ?, ?, ?, ?)", vuelos.len())
        );
        let mut consulta = sqlx::query(AssertSqlSafe(sql));
        for Vuelo { orden, fechas, codigos } in vuelos {
            consulta = orden.iter().fold(consulta, |consulta, lugar| consulta.bind(*lugar));
            consulta = fechas.iter().fold(consulta, |consulta, fecha| consulta.bind(sql_de(*fecha)));
            consulta = codigos.iter().fold(consulta, |consulta, codigo| consulta.bind(codigo));
        }
        consulta.execute(&mut *self.transaccion).await?;
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
        let mut consulta = sqlx::query(AssertSqlSafe(sql));
        for (i, p, tipo) in pasajeros {
            consulta = consulta.bind(reserva.id()).bind(i).bind(p).bind(tipo);
        }
        consulta.execute(&mut *self.transaccion).await?;
        Ok(())
    }
}

impl UnidadDeTrabajo for Unidad {
    async fn agregar(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let insercion =
            "INSERT INTO reservas (id, id_cliente, estado, fecha_creacion, fecha_actualizacion) VALUES (?, ?, ?, ?, ?)";
        let consulta = sqlx::query(insercion)
            .bind(reserva.id())
            .bind(reserva.id_cliente())
            .bind(reserva.estado().nombre())
            .bind(sql_de(reserva.fecha_creacion()))
            .bind(sql_de(reserva.fecha_actualizacion()));
        consulta.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        self.agregar_itinerarios(reserva).await.map_err(|error| self.falla(error))?;
        self.agregar_pasajeros(reserva).await.map_err(|error| self.falla(error))
    }

    async fn bloquear(&mut self, id: &str) -> Result<Option<Reserva>, Falla> {
        let sql = format!("{CABECERA} WHERE id = ? FOR UPDATE");
        let fila = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *self.transaccion).await;
        match fila.map_err(|error| self.falla(error))? {
            Some(fila) => cabecera(&fila).map(Some),
            None => Ok(None),
        }
    }

    async fn actualizar(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let consulta = sqlx::query("UPDATE reservas SET estado = ?, fecha_actualizacion = ? WHERE id = ?")
            .bind(reserva.estado().nombre())
            .bind(sql_de(reserva.fecha_actualizacion()))
            .bind(reserva.id());
        consulta.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        Ok(())
    }

    async fn anotar(&mut self, id_entidad: &str, evento: &Evento) -> Result<(), Falla> {
        let fila = salida::fila(id_entidad, evento).map_err(falla_de_bandeja)?;
        let anadido = self.bandejas.salida.add(&mut self.transaccion, &fila).await;
        anadido.map(|_| ()).map_err(|error| self.almacen.observar(falla_de_bandeja(error)))
    }

    async fn reclamar(&mut self, clave: &ClaveIdempotencia, id_reserva: &str) -> Result<Reclamo, Falla> {
        let insercion =
            "INSERT INTO claves_idempotencia (clave, huella, id_reserva, fecha) VALUES (?, ?, ?, UTC_TIMESTAMP())";
        let consulta = sqlx::query(insercion).bind(&clave.clave).bind(&clave.huella).bind(id_reserva);
        match consulta.execute(&mut *self.transaccion).await {
            Ok(_) => return Ok(Reclamo::Nueva),
            Err(error) if es_repetido(&error) => {}
            Err(error) => return Err(self.falla(error)),
        }
        let seleccion = "SELECT huella, id_reserva FROM claves_idempotencia WHERE clave = ?";
        let fila = sqlx::query(seleccion).bind(&clave.clave).fetch_one(&mut *self.transaccion).await;
        let fila = match fila {
            // Las claves viejas se limpian; esta se fue entre las dos sentencias.
            Err(sqlx::Error::RowNotFound) => return Err(Falla::Pasajera(sqlx::Error::RowNotFound.into())),
            fila => fila.map_err(|error| self.falla(error))?,
        };
        Ok(Reclamo::Usada { huella: fila.try_get(0).map_err(falla)?, id_reserva: fila.try_get(1).map_err(falla)? })
    }

    async fn recibir(&mut self, consumidor: &str, mensaje: &str) -> Result<Mensaje, Falla> {
        let anotado = self.bandejas.entrada.record(&mut self.transaccion, consumidor, mensaje).await;
        match anotado.map_err(|error| self.almacen.observar(falla_de_bandeja(error)))? {
            Recorded::New => Ok(Mensaje::Nuevo),
            Recorded::Duplicate => Ok(Mensaje::Repetido),
        }
    }

    async fn registrar(&mut self, datos: &DatosUsuario, resumen: &str) -> Result<i32, Falla> {
        let insercion = "INSERT INTO usuarios_legado (nombres, apellidos, direccion, telefono, email, password) \
                      VALUES (?, ?, ?, ?, ?, ?)";
        let consulta = sqlx::query(insercion)
            .bind(&datos.nombres)
            .bind(&datos.apellidos)
            .bind(&datos.direccion)
            .bind(&datos.telefono)
            .bind(&datos.email)
            .bind(resumen);
        let hecho = consulta.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        i32::try_from(hecho.last_insert_id()).map_err(|error| Falla::Interna(error.into()))
    }

    async fn cambiar(&mut self, usuario: &Usuario, resumen: Option<&str>) -> Result<bool, Falla> {
        let actualizacion = "UPDATE usuarios_legado SET nombres = ?, apellidos = ?, direccion = ?, telefono = ?, email = ?, \
                      password = COALESCE(?, password) WHERE id = ?";
        let datos = &usuario.datos;
        let consulta = sqlx::query(actualizacion)
            .bind(&datos.nombres)
            .bind(&datos.apellidos)
            .bind(&datos.direccion)
            .bind(&datos.telefono)
            .bind(&datos.email)
            .bind(resumen)
            .bind(usuario.id);
        let hecho = consulta.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        Ok(hecho.rows_affected() > 0)
    }

    async fn borrar(&mut self, id: i32) -> Result<bool, Falla> {
        let consulta = sqlx::query("DELETE FROM usuarios_legado WHERE id = ?").bind(id);
        let hecho = consulta.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))?;
        Ok(hecho.rows_affected() > 0)
    }

    async fn confirmar(self) -> Result<(), Falla> {
        self.transaccion.commit().await.map_err(falla_al_confirmar)?;
        self.almacen.vuelos.aprender(self.vuelos);
        Ok(())
    }
}
