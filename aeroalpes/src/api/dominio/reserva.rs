//! The reservation, the aggregate of this domain.

use crate::contrato::evento::{DatosReserva, TipoEvento};

use super::{Error, Estado, Evento, Fecha, Itinerario};

/// A reservation. It is made and changed by its methods only; each of them leaves the event that tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserva {
    id: String,
    id_cliente: Option<String>,
    estado: Estado,
    fecha_creacion: Fecha,
    fecha_actualizacion: Fecha,
    itinerarios: Vec<Itinerario>,
    eventos: Vec<Evento>,
}

impl Reserva {
    /// Books: a new reservation, PENDIENTE, with at least one itinerary.
    ///
    /// # Errors
    /// The rule that it would break.
    pub fn crear(
        id: String,
        id_cliente: Option<String>,
        itinerarios: Vec<Itinerario>,
        ahora: Fecha,
    ) -> Result<Reserva, Error> {
        if itinerarios.is_empty() {
            return Err(Error::SinItinerarios);
        }
        for (orden, itinerario) in itinerarios.iter().enumerate() {
            itinerario.validar(orden)?;
        }
        Ok(Self::nueva(id, id_cliente, itinerarios, ahora))
    }

    /// Opens a reservation for a client who has not chosen a flight: the short command of the topic `comandos-reserva`,
    /// which names a user and nothing else.
    pub fn abrir(id: String, id_cliente: String, ahora: Fecha) -> Reserva {
        Self::nueva(id, Some(id_cliente), Vec::new(), ahora)
    }

    /// Takes a reservation as it was stored; it has no new events.
    pub fn guardada(
        id: String,
        id_cliente: Option<String>,
        estado: Estado,
        fechas: [Fecha; 2],
        itinerarios: Vec<Itinerario>,
    ) -> Reserva {
        let [fecha_creacion, fecha_actualizacion] = fechas;
        Reserva { id, id_cliente, estado, fecha_creacion, fecha_actualizacion, itinerarios, eventos: Vec::new() }
    }

    /// Approves a pending reservation.
    ///
    /// # Errors
    /// [`Error::Transicion`], as of the two others.
    pub fn aprobar(&mut self, ahora: Fecha) -> Result<(), Error> {
        self.pasar(Estado::Aprobada, TipoEvento::ReservaAprobada, ahora)
    }

    /// Pays an approved reservation.
    ///
    /// # Errors
    /// [`Error::Transicion`].
    pub fn pagar(&mut self, ahora: Fecha) -> Result<(), Error> {
        self.pasar(Estado::Pagada, TipoEvento::ReservaPagada, ahora)
    }

    /// Cancels a reservation that is not paid.
    ///
    /// # Errors
    /// [`Error::Transicion`].
    pub fn cancelar(&mut self, ahora: Fecha) -> Result<(), Error> {
        self.pasar(Estado::Cancelada, TipoEvento::ReservaCancelada, ahora)
    }

    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the client, if it has one.
    pub fn id_cliente(&self) -> Option<&str> {
        self.id_cliente.as_deref()
    }

    /// Returns the state.
    pub fn estado(&self) -> Estado {
        self.estado
    }

    /// Returns when it was booked.
    pub fn fecha_creacion(&self) -> Fecha {
        self.fecha_creacion
    }

    /// Returns when it was last changed.
    pub fn fecha_actualizacion(&self) -> Fecha {
        self.fecha_actualizacion
    }

    /// Returns the itineraries, in order.
    pub fn itinerarios(&self) -> &[Itinerario] {
        &self.itinerarios
    }

    /// Returns the events since it was made or read.
    pub fn eventos(&self) -> &[Evento] {
        &self.eventos
    }

    fn nueva(id: String, id_cliente: Option<String>, itinerarios: Vec<Itinerario>, ahora: Fecha) -> Reserva {
        let mut reserva = Self::guardada(id, id_cliente, Estado::Pendiente, [ahora, ahora], itinerarios);
        reserva.anotar(TipoEvento::ReservaCreada, ahora, None);
        reserva
    }

    fn pasar(&mut self, siguiente: Estado, tipo: TipoEvento, ahora: Fecha) -> Result<(), Error> {
        self.estado = self.estado.pasar_a(siguiente)?;
        // A clock that was set back must not make a reservation older than its last change.
        self.fecha_actualizacion = self.fecha_actualizacion.max(ahora);
        self.anotar(tipo, self.fecha_actualizacion, Some(self.fecha_actualizacion.milisegundos()));
        Ok(())
    }

    fn anotar(&mut self, tipo: TipoEvento, fecha: Fecha, fecha_actualizacion: Option<i64>) {
        let datos = DatosReserva {
            id_reserva: Some(self.id.clone()),
            id_cliente: self.id_cliente.clone(),
            estado: Some(self.estado.nombre().to_owned()),
            fecha_creacion: Some(self.fecha_creacion.milisegundos()),
            fecha_actualizacion,
        };
        self.eventos.push(Evento { tipo, fecha, datos });
    }
}

#[cfg(test)]
mod tests {
    use crate::contrato::evento::TipoEvento;

    use super::Reserva;
    use crate::api::dominio::{Aeropuerto, Error, Estado, Fecha, Itinerario, Leg, Odo, Pasajero, Segmento};

    fn fecha(texto: &str) -> Fecha {
        Fecha::leer(texto).unwrap()
    }

    fn itinerario(codigos: &[(&str, &str)], pasajeros: &[Pasajero]) -> Itinerario {
        let aeropuerto = |codigo: &str| Aeropuerto { codigo: codigo.to_owned(), nombre: None };
        let leg = |(origen, destino): &(&str, &str)| Leg {
            fecha_salida: fecha("2022-11-22T13:10:00Z"),
            fecha_llegada: fecha("2022-11-22T15:10:00Z"),
            origen: aeropuerto(origen),
            destino: aeropuerto(destino),
        };
        let legs = codigos.iter().map(leg).collect();
        Itinerario { odos: vec![Odo { segmentos: vec![Segmento { legs }] }], pasajeros: pasajeros.to_vec() }
    }

    fn crear(itinerarios: Vec<Itinerario>) -> Result<Reserva, Error> {
        Reserva::crear("r1".into(), None, itinerarios, fecha("2024-01-01T00:00:00Z"))
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
        let check = |itinerarios, texto, campo| {
            let error = crear(itinerarios).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.campo()), (texto, Some(campo)));
        };
        check(vec![], "La lista de itinerarios debe tener al menos un itinerario", "itinerarios");
        let good = itinerario(&[("BOG", "JFK")], &[Pasajero::Infante, Pasajero::Adulto]);
        check(
            vec![good.clone(), itinerario(&[("BOG", "JFK"), ("JFK", "jfk")], &[])],
            "La ruta propuesta es incorrecta",
            "itinerarios[1].odos[0].segmentos[0].legs[1].destino.codigo",
        );
        check(
            vec![good, itinerario(&[("BOG", "JFK")], &[Pasajero::Menor])],
            "Al menos un adulto debe ser parte del itinerario",
            "itinerarios[1].pasajeros",
        );
    }

    #[test]
    fn cada_paso_de_una_vida_deja_un_evento() {
        let mut reserva = crear(vec![itinerario(&[("BOG", "JFK")], &[])]).unwrap();
        reserva.aprobar(fecha("2024-01-02T00:00:00Z")).unwrap();
        // The clock went back.
        reserva.pagar(fecha("2023-01-01T00:00:00Z")).unwrap();
        let refused = reserva.cancelar(fecha("2024-01-03T00:00:00Z")).unwrap_err();
        assert_eq!(refused, Error::Transicion { de: Estado::Pagada, a: Estado::Cancelada });
        let tipos: Vec<_> = reserva.eventos().iter().map(|evento| evento.tipo).collect();
        assert_eq!(tipos, [TipoEvento::ReservaCreada, TipoEvento::ReservaAprobada, TipoEvento::ReservaPagada]);
        let last = &reserva.eventos()[2].datos;
        assert_eq!(last.estado.as_deref(), Some("PAGADA"));
        assert_eq!(last.fecha_actualizacion, Some(1_704_153_600_000));
        assert_eq!(reserva.fecha_actualizacion(), fecha("2024-01-02T00:00:00Z"));
    }

    #[test]
    fn el_comando_corto_abre_una_reserva_sin_vuelos() {
        let reserva = Reserva::abrir("r1".into(), "u1".into(), fecha("2024-01-01T00:00:00Z"));
        assert_eq!((reserva.itinerarios().len(), reserva.id_cliente()), (0, Some("u1")));
        assert_eq!(reserva.eventos()[0].tipo, TipoEvento::ReservaCreada);
    }
}
