//! La unidad de trabajo: una transacción para la reserva, sus itinerarios, la clave de idempotencia y la fila de la
//! bandeja de salida.

use std::collections::BTreeSet;

use bitacora_outbox::Recorded;
use sqlx::mysql::{MySqlArguments, MySqlQueryResult};
use sqlx::query::Query;
use sqlx::{MySql as Motor, QueryBuilder, Transaction};

use super::MySql;
use super::consultas::{CABECERA, cabecera};
use super::error::{es_repetido, es_sin_vuelo, falla, falla_al_confirmar, falla_de_bandeja};
use super::fila::{Fila, filas};
use super::salida;
use super::vuelos::Vuelo;
use crate::api::dominio::{Fecha, Itinerario, Reserva, Usuario};
use crate::api::infraestructura::Falla;

type Sentencia<'q> = Query<'q, Motor, MySqlArguments>;

/// Una clave con la que un cliente marca las repeticiones de una petición, y lo que la petición tenía.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaveIdempotencia {
    pub clave: String,
    /// Huella de la petición, en hexadecimal.
    pub huella: String,
}

/// La petición anterior que usó una clave de idempotencia.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaveUsada {
    pub huella: String,
    /// La reserva que hizo.
    pub id_reserva: String,
}

/// Todo lo que cambia un comando, en una transacción: [`Unidad::confirmar`] lo guarda entero, y si se descarta sin
/// ella, se deshace.
#[derive(Debug)]
pub(crate) struct Unidad {
    transaccion: Transaction<'static, Motor>,
    almacen: MySql,
    /// Insertados aquí; tras confirmar los conocen todos.
    vuelos: Vec<Vuelo>,
}

impl Unidad {
    pub(crate) async fn iniciar(almacen: &MySql) -> Result<Unidad, Falla> {
        almacen.exigir_tablas()?;
        let transaccion = almacen.pool.begin().await.map_err(falla)?;
        Ok(Unidad { transaccion, almacen: almacen.clone(), vuelos: Vec::new() })
    }

    /// Guarda una reserva nueva con sus itinerarios y sus eventos.
    pub(crate) async fn agregar(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let insercion =
            "INSERT INTO reservas (id, id_cliente, estado, fecha_creacion, fecha_actualizacion) VALUES (?, ?, ?, ?, ?)";
        let consulta = sqlx::query(insercion)
            .bind(reserva.id())
            .bind(reserva.id_cliente())
            .bind(reserva.estado().to_string())
            .bind(sql_de(reserva.fecha_creacion()))
            .bind(sql_de(reserva.fecha_actualizacion()));
        self.hacer(consulta).await?;
        self.agregar_itinerarios(reserva).await?;
        self.agregar_pasajeros(reserva).await?;
        self.anotar_eventos(reserva).await
    }

    /// Lee una reserva, sin sus itinerarios, e impide que otros la cambien hasta que la unidad termina.
    pub(crate) async fn bloquear(&mut self, id: &str) -> Result<Option<Reserva>, Falla> {
        let mut consulta = QueryBuilder::new(CABECERA);
        consulta.push(" WHERE id = ").push_bind(id).push(" FOR UPDATE");
        let fila = consulta.build_query_as().fetch_optional(&mut *self.transaccion).await;
        fila.map_err(|error| self.falla(error))?.map(cabecera).transpose()
    }

    /// Guarda el estado y la fecha de un cambio, y su evento.
    pub(crate) async fn actualizar(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        let consulta = sqlx::query("UPDATE reservas SET estado = ?, fecha_actualizacion = ? WHERE id = ?")
            .bind(reserva.estado().to_string())
            .bind(sql_de(reserva.fecha_actualizacion()))
            .bind(reserva.id());
        self.hacer(consulta).await?;
        self.anotar_eventos(reserva).await
    }

    /// Toma una clave de idempotencia para una reserva, o dice de quién es. Espera a otra unidad simultánea con la
    /// misma clave.
    pub(crate) async fn reclamar(
        &mut self,
        clave: &ClaveIdempotencia,
        id_reserva: &str,
    ) -> Result<Option<ClaveUsada>, Falla> {
        let insercion =
            "INSERT INTO claves_idempotencia (clave, huella, id_reserva, fecha) VALUES (?, ?, ?, UTC_TIMESTAMP())";
        let consulta = sqlx::query(insercion).bind(&clave.clave).bind(&clave.huella).bind(id_reserva);
        match consulta.execute(&mut *self.transaccion).await {
            Ok(_) => return Ok(None),
            Err(error) if es_repetido(&error) => {}
            Err(error) => return Err(self.falla(error)),
        }
        let seleccion = sqlx::query_as("SELECT huella, id_reserva FROM claves_idempotencia WHERE clave = ?");
        match seleccion.bind(&clave.clave).fetch_one(&mut *self.transaccion).await {
            Ok((huella, id_reserva)) => Ok(Some(ClaveUsada { huella, id_reserva })),
            // Las claves viejas se limpian; esta se fue entre las dos sentencias.
            Err(sqlx::Error::RowNotFound) => Err(Falla::Pasajera(sqlx::Error::RowNotFound.into())),
            Err(error) => Err(self.falla(error)),
        }
    }

    /// Anota que un consumidor atiende un mensaje, o dice que ya lo atendió.
    pub(crate) async fn recibir(&mut self, consumidor: &str, mensaje: &str) -> Result<Recorded, Falla> {
        let anotado = self.almacen.bandejas.entrada.record(&mut self.transaccion, consumidor, mensaje).await;
        anotado.map_err(|error| self.almacen.observar(falla_de_bandeja(error)))
    }

    /// Guarda un usuario nuevo con el resumen de su contraseña, y devuelve su clave; la que lleva no cuenta.
    pub(crate) async fn registrar(&mut self, usuario: &Usuario, resumen: &str) -> Result<i32, Falla> {
        let insercion = "INSERT INTO usuarios_legado (nombres, apellidos, direccion, telefono, email, password) \
                         VALUES (?, ?, ?, ?, ?, ?)";
        let hecho = self.hacer(con_datos(sqlx::query(insercion), usuario).bind(resumen)).await?;
        i32::try_from(hecho.last_insert_id()).map_err(|error| Falla::Interna(error.into()))
    }

    /// Sustituye lo que es un usuario, y el resumen si se da; falso si no existe.
    pub(crate) async fn cambiar(&mut self, usuario: &Usuario, resumen: Option<&str>) -> Result<bool, Falla> {
        let actualizacion = "UPDATE usuarios_legado SET nombres = ?, apellidos = ?, direccion = ?, telefono = ?, \
                             email = ?, password = COALESCE(?, password) WHERE id = ?";
        let consulta = con_datos(sqlx::query(actualizacion), usuario).bind(resumen).bind(usuario.id);
        Ok(self.hacer(consulta).await?.rows_affected() > 0)
    }

    /// Borra un usuario; falso si no existe.
    pub(crate) async fn borrar(&mut self, id: i32) -> Result<bool, Falla> {
        let consulta = sqlx::query("DELETE FROM usuarios_legado WHERE id = ?").bind(id);
        Ok(self.hacer(consulta).await?.rows_affected() > 0)
    }

    pub(crate) async fn confirmar(self) -> Result<(), Falla> {
        self.transaccion.commit().await.map_err(falla_al_confirmar)?;
        self.almacen.vuelos.aprender(self.vuelos);
        Ok(())
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
            pasajeros.map(move |(p, pasajero)| (i, p, pasajero.tipo.to_string())).collect::<Vec<_>>()
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

    /// Añade los eventos de una reserva a la bandeja de salida.
    async fn anotar_eventos(&mut self, reserva: &Reserva) -> Result<(), Falla> {
        for evento in reserva.eventos() {
            let fila = salida::fila(reserva.id(), evento).map_err(falla_de_bandeja)?;
            let anadido = self.almacen.bandejas.salida.add(&mut self.transaccion, &fila).await;
            anadido.map_err(|error| self.almacen.observar(falla_de_bandeja(error)))?;
        }
        Ok(())
    }
}

fn con_datos<'q>(consulta: Sentencia<'q>, usuario: &Usuario) -> Sentencia<'q> {
    let Usuario { nombres, apellidos, direccion, telefono, email, .. } = usuario;
    consulta.bind(nombres).bind(apellidos).bind(direccion).bind(telefono).bind(email)
}

/// Escribe un momento como lo leen los dos servidores, que no toman la `Z`.
fn sql_de(fecha: Fecha) -> String {
    fecha.to_string().replace('T', " ").replace('Z', "")
}
