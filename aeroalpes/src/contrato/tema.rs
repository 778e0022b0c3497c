//! Topics and subscriptions.

/// Events of reservations: Avro [`crate::contrato::evento::EventoReserva`], written by the outbox relay alone.
pub const EVENTOS_RESERVA: &str = "persistent://public/default/eventos-reserva";

/// Commands: Avro [`crate::contrato::comando::ComandoCrearReserva`], written by any client.
pub const COMANDOS_RESERVA: &str = "persistent://public/default/comandos-reserva";

/// Commands that could not become a reservation, with the reason in the property `motivo`.
pub const COMANDOS_RESERVA_MUERTOS: &str = "persistent://public/default/comandos-reserva-muertos";

/// Events that could not be notified, with the reason in the property `motivo`.
pub const EVENTOS_RESERVA_MUERTOS: &str = "persistent://public/default/eventos-reserva-muertos";

/// Shared subscription of the API on the events.
pub const SUB_EVENTOS: &str = "aeroalpes-sub-eventos";

/// Shared subscription of the API on the commands.
pub const SUB_COMANDOS: &str = "aeroalpes-sub-comandos";

/// Shared subscription of the notifications on the events.
pub const SUB_NOTIFICACION: &str = "sub-notificacion-eventos-reservas";
