//! Temas y suscripciones.

/// Eventos de las reservas: Avro [`super::evento::EventoReserva`]. Solo los escribe el relevo de la bandeja de salida.
pub(crate) const EVENTOS_RESERVA: &str = "persistent://public/default/eventos-reserva";

/// Comandos: Avro [`super::comando::ComandoCrearReserva`]. Los escribe cualquier cliente.
pub(crate) const COMANDOS_RESERVA: &str = "persistent://public/default/comandos-reserva";

/// Comandos que no pudieron ser una reserva, con la causa en la propiedad `motivo`.
pub(crate) const COMANDOS_RESERVA_MUERTOS: &str = "persistent://public/default/comandos-reserva-muertos";

/// Eventos que no se pudieron notificar, con la causa en la propiedad `motivo`.
pub(crate) const EVENTOS_RESERVA_MUERTOS: &str = "persistent://public/default/eventos-reserva-muertos";

/// Suscripción compartida de la API a los eventos.
pub(crate) const SUB_EVENTOS: &str = "aeroalpes-sub-eventos";

/// Suscripción compartida de la API a los comandos.
pub(crate) const SUB_COMANDOS: &str = "aeroalpes-sub-comandos";

/// Suscripción compartida de las notificaciones a los eventos.
pub(crate) const SUB_NOTIFICACION: &str = "sub-notificacion-eventos-reservas";
