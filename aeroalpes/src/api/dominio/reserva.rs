//! La reserva, el agregado de este dominio.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, Estado, Fecha, Itinerario};
use crate::contrato::evento::{DatosReserva, TipoEvento};

/// Un pedido de reserva.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReservaNueva)]
pub(crate) struct Pedido {
    /// El cliente, si lo hay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 40, example = "42")]
    pub id_cliente: Option<String>,
    /// Lo que se reserva.
    #[schema(min_items = 1, max_items = 20)]
    pub itinerarios: Vec<Itinerario>,
}

/// Una reserva.
// Solo sus métodos la hacen y la cambian; cada uno deja el evento que lo cuenta. Lo de arriba es su descripción en
// OpenAPI, y su JSON, el cuerpo de una respuesta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReservaDto)]
pub(crate) struct Reserva {
    /// Su id.
    id: String,
    /// Su cliente.
    #[schema(required = true)]
    id_cliente: Option<String>,
    /// `PENDIENTE`, `APROBADA`, `PAGADA` o `CANCELADA`.
    #[schema(value_type = String, pattern = "^(PENDIENTE|APROBADA|PAGADA|CANCELADA)$")]
    estado: Estado,
    /// Cuándo se reservó, en UTC.
    #[schema(value_type = String, format = DateTime)]
    fecha_creacion: Fecha,
    /// Cuándo cambió por última vez, en UTC.
    #[schema(value_type = String, format = DateTime)]
    fecha_actualizacion: Fecha,
    /// Sus itinerarios; ninguno si la abrió un comando sin vuelo.
    itinerarios: Vec<Itinerario>,
    #[serde(skip)]
    eventos: Vec<Evento>,
}

/// Lo que el resto del mundo sabe de un cambio, con las palabras del contrato.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evento {
    pub tipo: TipoEvento,
    pub fecha: Fecha,
    /// La reserva como es desde entonces.
    pub datos: DatosReserva,
}

impl Reserva {
    /// Crea una reserva PENDIENTE con al menos un itinerario; si rompe una regla, la regla es el error.
    pub(crate) fn crear(id: String, pedido: Pedido, ahora: Fecha) -> Result<Reserva, Error> {
        if pedido.itinerarios.is_empty() {
            return Err(Error::SinItinerarios);
        }
        for (orden, itinerario) in pedido.itinerarios.iter().enumerate() {
            itinerario.validar(orden)?;
        }
        Ok(Self::nueva(id, pedido, ahora))
    }

    /// Abre una reserva para un cliente que no ha elegido vuelo: el comando corto del tema `comandos-reserva`, que
    /// nombra un usuario y nada más.
    pub(crate) fn abrir(id: String, id_cliente: String, ahora: Fecha) -> Reserva {
        Self::nueva(id, Pedido { id_cliente: Some(id_cliente), itinerarios: Vec::new() }, ahora)
    }

    /// Toma una reserva como se guardó; no tiene eventos nuevos.
    pub(crate) fn guardada(
        id: String,
        id_cliente: Option<String>,
        estado: Estado,
        fechas: [Fecha; 2],
        itinerarios: Vec<Itinerario>,
    ) -> Reserva {
        let [fecha_creacion, fecha_actualizacion] = fechas;
        Reserva { id, id_cliente, estado, fecha_creacion, fecha_actualizacion, itinerarios, eventos: Vec::new() }
    }

    /// Añade los itinerarios a una reserva que se leyó sin ellos.
    pub(crate) fn con_itinerarios(self, itinerarios: Vec<Itinerario>) -> Reserva {
        Reserva { itinerarios, ..self }
    }

    /// Aprueba una reserva pendiente.
    pub(crate) fn aprobar(&mut self, ahora: Fecha) -> Result<(), Error> {
        self.pasar(Estado::Aprobada, TipoEvento::ReservaAprobada, ahora)
    }

    /// Paga una reserva aprobada.
    pub(crate) fn pagar(&mut self, ahora: Fecha) -> Result<(), Error> {
        self.pasar(Estado::Pagada, TipoEvento::ReservaPagada, ahora)
    }

    /// Cancela una reserva que no está pagada.
    pub(crate) fn cancelar(&mut self, ahora: Fecha) -> Result<(), Error> {
        self.pasar(Estado::Cancelada, TipoEvento::ReservaCancelada, ahora)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn id_cliente(&self) -> Option<&str> {
        self.id_cliente.as_deref()
    }

    pub(crate) fn estado(&self) -> Estado {
        self.estado
    }

    pub(crate) fn fecha_creacion(&self) -> Fecha {
        self.fecha_creacion
    }

    pub(crate) fn fecha_actualizacion(&self) -> Fecha {
        self.fecha_actualizacion
    }

    pub(crate) fn itinerarios(&self) -> &[Itinerario] {
        &self.itinerarios
    }

    /// Devuelve los eventos desde que se hizo o se leyó.
    pub(crate) fn eventos(&self) -> &[Evento] {
        &self.eventos
    }

    fn nueva(id: String, Pedido { id_cliente, itinerarios }: Pedido, ahora: Fecha) -> Reserva {
        let mut reserva = Self::guardada(id, id_cliente, Estado::Pendiente, [ahora, ahora], itinerarios);
        reserva.anotar(TipoEvento::ReservaCreada, ahora, None);
        reserva
    }

    fn pasar(&mut self, siguiente: Estado, tipo: TipoEvento, ahora: Fecha) -> Result<(), Error> {
        if !self.estado.puede_pasar_a(siguiente) {
            return Err(Error::Transicion { de: self.estado, a: siguiente });
        }
        self.estado = siguiente;
        // Un reloj atrasado no debe hacer una reserva más vieja que su último cambio.
        self.fecha_actualizacion = self.fecha_actualizacion.max(ahora);
        self.anotar(tipo, self.fecha_actualizacion, Some(self.fecha_actualizacion.milisegundos()));
        Ok(())
    }

    fn anotar(&mut self, tipo: TipoEvento, fecha: Fecha, fecha_actualizacion: Option<i64>) {
        let datos = DatosReserva {
            id_reserva: Some(self.id.clone()),
            id_cliente: self.id_cliente.clone(),
            estado: Some(self.estado.to_string()),
            fecha_creacion: Some(self.fecha_creacion.milisegundos()),
            fecha_actualizacion,
        };
        self.eventos.push(Evento { tipo, fecha, datos });
    }
}

#[cfg(test)]
mod tests {
    use crate::contrato::evento::TipoEvento;

    use super::{Pedido, Reserva};
    use crate::api::dominio::{
        Aeropuerto, Error, Estado, Fecha, Itinerario, Leg, Odo, Pasajero, Segmento, TipoPasajero,
    };

    fn fecha(texto: &str) -> Fecha {
        Fecha::leer(texto).unwrap()
    }

    fn itinerario(codigos: &[(&str, &str)], tipos: &[TipoPasajero]) -> Itinerario {
        let aeropuerto = |codigo: &str| Aeropuerto { codigo: codigo.to_owned(), nombre: None };
        let leg = |(origen, destino): &(&str, &str)| Leg {
            fecha_salida: fecha("2022-11-22T13:10:00Z"),
            fecha_llegada: fecha("2022-11-22T15:10:00Z"),
            origen: aeropuerto(origen),
            destino: aeropuerto(destino),
        };
        let legs = codigos.iter().map(leg).collect();
        let pasajeros = tipos.iter().map(|tipo| Pasajero { tipo: *tipo }).collect();
        Itinerario { odos: vec![Odo { segmentos: vec![Segmento { legs }] }], pasajeros }
    }

    fn crear(itinerarios: Vec<Itinerario>) -> Result<Reserva, Error> {
        Reserva::crear("r1".into(), Pedido { id_cliente: None, itinerarios }, fecha("2024-01-01T00:00:00Z"))
    }

    #[test]
    fn una_reserva_nueva_esta_pendiente_y_lo_cuenta() {
        let reserva = crear(vec![itinerario(&[("BOG", "JFK")], &[])]).unwrap();
        assert_eq!((reserva.estado(), reserva.eventos().len()), (Estado::Pendiente, 1));
        let evento = &reserva.eventos()[0];
        assert_eq!(evento.tipo, TipoEvento::ReservaCreada);
        assert_eq!(
            serde_json::to_string(&evento.datos).unwrap(),
            r#"{"id_reserva":"r1","id_cliente":null,"estado":"PENDIENTE","fecha_creacion":1704067200000}"#
        );
    }

    #[test]
    fn las_reglas_se_cuentan_con_las_palabras_del_tutorial_y_su_lugar() {
        let comprobar = |itinerarios, texto, campo| {
            let error = crear(itinerarios).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.campo()), (texto, Some(campo)));
        };
        comprobar(vec![], "La lista de itinerarios debe tener al menos un itinerario", "itinerarios");
        let bueno = itinerario(&[("BOG", "JFK")], &[TipoPasajero::Infante, TipoPasajero::Adulto]);
        comprobar(
            vec![bueno.clone(), itinerario(&[("BOG", "JFK"), ("JFK", "jfk")], &[])],
            "La ruta propuesta es incorrecta",
            "itinerarios[1].odos[0].segmentos[0].legs[1].destino.codigo",
        );
        comprobar(
            vec![bueno, itinerario(&[("BOG", "JFK")], &[TipoPasajero::Menor])],
            "Al menos un adulto debe ser parte del itinerario",
            "itinerarios[1].pasajeros",
        );
    }

    #[test]
    fn cada_paso_de_una_vida_deja_un_evento() {
        let mut reserva = crear(vec![itinerario(&[("BOG", "JFK")], &[])]).unwrap();
        reserva.aprobar(fecha("2024-01-02T00:00:00Z")).unwrap();
        // El reloj retrocedió.
        reserva.pagar(fecha("2023-01-01T00:00:00Z")).unwrap();
        let rechazo = reserva.cancelar(fecha("2024-01-03T00:00:00Z")).unwrap_err();
        assert_eq!(rechazo, Error::Transicion { de: Estado::Pagada, a: Estado::Cancelada });
        assert_eq!(rechazo.to_string(), "La reserva está PAGADA y no puede pasar a CANCELADA");
        let tipos: Vec<_> = reserva.eventos().iter().map(|evento| evento.tipo).collect();
        assert_eq!(tipos, [TipoEvento::ReservaCreada, TipoEvento::ReservaAprobada, TipoEvento::ReservaPagada]);
        let ultimo = &reserva.eventos()[2].datos;
        assert_eq!(ultimo.estado.as_deref(), Some("PAGADA"));
        assert_eq!(ultimo.fecha_actualizacion, Some(1_704_153_600_000));
        assert_eq!(reserva.fecha_actualizacion(), fecha("2024-01-02T00:00:00Z"));
    }

    #[test]
    fn el_comando_corto_abre_una_reserva_sin_vuelos() {
        let reserva = Reserva::abrir("r1".into(), "u1".into(), fecha("2024-01-01T00:00:00Z"));
        assert_eq!((reserva.itinerarios().len(), reserva.id_cliente()), (0, Some("u1")));
        assert_eq!(reserva.eventos()[0].tipo, TipoEvento::ReservaCreada);
    }
}
