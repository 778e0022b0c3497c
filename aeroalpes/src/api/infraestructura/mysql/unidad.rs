//! La unidad de trabajo: una transacción para la reserva, sus itinerarios, la clave de idempotencia y la fila de la
//! bandeja de salida.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitacora_outbox::Recorded;
use sqlx::mysql::{MySqlArguments, MySqlQueryResult};
use sqlx::query::Query;
use sqlx::{MySql as Motor, QueryBuilder, Transaction};

use super::MySql;
use super::error::{es_repetido, es_sin_vuelo, falla, falla_al_confirmar, falla_de_bandeja};
use super::fila::{Fila, filas};
use super::salida::{self, Bandejas};
use super::seleccion::{CABECERA, cabecera};
use super::vuelos::Vuelo;
use crate::api::aplicacion::Falla;
use crate::api::aplicacion::puerto::{ClaveIdempotencia, Mensaje, Reclamo, UnidadDeTrabajo};
use crate::api::dominio::{DatosUsuario, Evento, Fecha, Itinerario, Reserva, Usuario};

type Sentencia<'q> = Query<'q, Motor, MySqlArguments>;

/// Una transacción; si se descarta sin [`UnidadDeTrabajo::confirmar`], se deshace.
#[derive(Debug)]
pub(crate) struct Unidad {
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

    /// Hace una sentencia de la transacción.
    async fn hacer(&mut self, sentencia: Sentencia<'_>) -> Result<MySqlQueryResult, Falla> {
        sentencia.execute(&mut *self.transaccion).await.map_err(|error| self.falla(error))
    }

    async fn agregar_itinerarios(&mut self, reserva: &Reserva) -> Result<(), Falla> {
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
        let mut insercion = QueryBuilder::new(
            "INSERT INTO reservas_itinerarios (reserva_id, itinerario_orden, odo_orden, segmento_orden, leg_orden, \
             fecha_salida, fecha_llegada, origen_codigo, destino_codigo, origen_nombre, destino_nombre) ",
        );
        insercion.push_values(filas, |mut valores, Fila { orden, leg }| {
            valores.push_bind(reserva.id());
            for lugar in orden {
                valores.push_bind(lugar);
            }
            valores
                .push_bind(sql_de(leg.fecha_salida))
                .push_bind(sql_de(leg.fecha_llegada))
                .push_bind(&leg.origen.codigo)
                .push_bind(&leg.destino.codigo)
                .push_bind(&leg.origen.nombre)
                .push_bind(&leg.destino.nombre);
        });
        self.hacer(insercion.build()).await?;
        Ok(())
    }

    async fn agregar_vuelos(&mut self, vuelos: &[Vuelo]) -> Result<(), Falla> {
        // El vuelo puede estar ya, y un INSERT a secas fallaría. ON DUPLICATE KEY cerraría la fila en exclusiva, y
        // todas las reservas de un vuelo esperarían la confirmación de las otras. IGNORE cortaría además lo demasiado
        // largo, que la API ya rechazó antes.
        let mut insercion = QueryBuilder::new(
            "INSERT IGNORE INTO itinerarios (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, \
             origen_codigo, destino_codigo) ",
        );
        insercion.push_values(vuelos, |mut valores, Vuelo { orden, fechas, codigos }| {
            for lugar in orden {
                valores.push_bind(lugar);
            }
            for fecha in fechas {
                valores.push_bind(sql_de(*fecha));
            }
            for codigo in codigos {
                valores.push_bind(codigo);
            }
        });
        self.hacer(insercion.build()).await?;
        Ok(())
    }

    async fn agregar_pasajeros(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let de_itinerario = |(i, itinerario): (i32, &'_ Itinerario)| {
            let pasajeros = (0_i32..).zip(&itinerario.pasajeros);
            pasajeros.map(move |(p, pasajero)| (i, p, pasajero.nombre())).collect::<Vec<_>>()
        };
        let pasajeros: Vec<_> = (0..).zip(reserva.itinerarios()).flat_map(de_itinerario).collect();
        if pasajeros.is_empty() {
            return Ok(());
        }
        let mut insercion =
            QueryBuilder::new("INSERT INTO reservas_pasajeros (reserva_id, itinerario_orden, pasajero_orden, tipo) ");
        insercion.push_values(pasajeros, |mut valores, (i, p, tipo)| {
            valores.push_bind(reserva.id()).push_bind(i).push_bind(p).push_bind(tipo);
        });
        self.hacer(insercion.build()).await?;
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
        self.hacer(consulta).await?;
        self.agregar_itinerarios(reserva).await?;
        self.agregar_pasajeros(reserva).await
    }

    async fn bloquear(&mut self, id: &str) -> Result<Option<Reserva>, Falla> {
        let mut consulta = QueryBuilder::new(CABECERA);
        consulta.push(" WHERE id = ").push_bind(id).push(" FOR UPDATE");
        let fila = consulta.build_query_as().fetch_optional(&mut *self.transaccion).await;
        fila.map_err(|error| self.falla(error))?.map(cabecera).transpose()
    }

    async fn actualizar(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let consulta = sqlx::query("UPDATE reservas SET estado = ?, fecha_actualizacion = ? WHERE id = ?")
            .bind(reserva.estado().nombre())
            .bind(sql_de(reserva.fecha_actualizacion()))
            .bind(reserva.id());
        self.hacer(consulta).await?;
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
        let seleccion = sqlx::query_as("SELECT huella, id_reserva FROM claves_idempotencia WHERE clave = ?");
        match seleccion.bind(&clave.clave).fetch_one(&mut *self.transaccion).await {
            Ok((huella, id_reserva)) => Ok(Reclamo::Usada { huella, id_reserva }),
            // Las claves viejas se limpian; esta se fue entre las dos sentencias.
            Err(sqlx::Error::RowNotFound) => Err(Falla::Pasajera(sqlx::Error::RowNotFound.into())),
            Err(error) => Err(self.falla(error)),
        }
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
        let hecho = self.hacer(con_datos(sqlx::query(insercion), datos).bind(resumen)).await?;
        i32::try_from(hecho.last_insert_id()).map_err(|error| Falla::Interna(error.into()))
    }

    async fn cambiar(&mut self, usuario: &Usuario, resumen: Option<&str>) -> Result<bool, Falla> {
        let actualizacion = "UPDATE usuarios_legado SET nombres = ?, apellidos = ?, direccion = ?, telefono = ?, \
                             email = ?, password = COALESCE(?, password) WHERE id = ?";
        let consulta = con_datos(sqlx::query(actualizacion), &usuario.datos).bind(resumen).bind(usuario.id);
        Ok(self.hacer(consulta).await?.rows_affected() > 0)
    }

    async fn borrar(&mut self, id: i32) -> Result<bool, Falla> {
        let consulta = sqlx::query("DELETE FROM usuarios_legado WHERE id = ?").bind(id);
        Ok(self.hacer(consulta).await?.rows_affected() > 0)
    }

    async fn confirmar(self) -> Result<(), Falla> {
        self.transaccion.commit().await.map_err(falla_al_confirmar)?;
        self.almacen.vuelos.aprender(self.vuelos);
        Ok(())
    }
}

fn con_datos<'q>(consulta: Sentencia<'q>, datos: &DatosUsuario) -> Sentencia<'q> {
    let DatosUsuario { nombres, apellidos, direccion, telefono, email } = datos;
    consulta.bind(nombres).bind(apellidos).bind(direccion).bind(telefono).bind(email)
}

/// Escribe un momento como lo leen los dos servidores, que no toman la `Z`.
fn sql_de(fecha: Fecha) -> String {
    fecha.to_string().replace('T', " ").replace('Z', "")
}
