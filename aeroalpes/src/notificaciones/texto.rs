//! Asunto y cuerpo de un correo.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::contrato::evento::{EventoReserva, TipoEvento};

/// Los textos que vienen de un evento se cortan aquí: también un asunto tiene límites.
const MAX_TEXTO: usize = 200;

/// Lo que se cuenta de un evento.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Texto {
    pub(crate) asunto: String,
    pub(crate) cuerpo: String,
}

/// Escribe el correo de un evento, o dice qué le falta al evento.
pub(crate) fn redactar(evento: &EventoReserva) -> Result<Texto, String> {
    let datos = evento.data.as_ref().ok_or("el evento no nombra una reserva")?;
    let escrito = |texto: &Option<String>| texto.as_deref().map(limpio).filter(|texto| !texto.is_empty());
    let id = escrito(&datos.id_reserva).ok_or("el evento no tiene id_reserva")?;
    let (asunto, frase) = match evento.tipo.as_deref().and_then(TipoEvento::de_nombre) {
        Some(TipoEvento::ReservaCreada) => {
            ("recibimos su reserva", "Recibimos su reserva. Le avisaremos cuando sea aprobada.")
        }
        Some(TipoEvento::ReservaAprobada) => ("su reserva fue aprobada", "Su reserva fue aprobada. Ya puede pagarla."),
        Some(TipoEvento::ReservaPagada) => {
            ("recibimos el pago de su reserva", "Recibimos el pago de su reserva. ¡Buen viaje!")
        }
        Some(TipoEvento::ReservaCancelada) => ("su reserva fue cancelada", "Su reserva fue cancelada."),
        // Una versión posterior del servicio puede contar más de lo que esta sabe.
        None => ("hay novedades de su reserva", "Hay novedades de su reserva."),
    };
    let ocurrido = datos.fecha_actualizacion.or(datos.fecha_creacion).or(evento.time).and_then(fecha);
    let mut cuerpo = format!("Hola:\n\n{frase}\n\nReserva: {id}\n");
    for (nombre, valor) in [("Estado", escrito(&datos.estado)), ("Fecha", ocurrido)] {
        if let Some(valor) = valor {
            cuerpo.push_str(&format!("{nombre}: {valor}\n"));
        }
    }
    cuerpo.push_str("\nGracias por volar con AeroAlpes.");
    Ok(Texto { asunto: format!("AeroAlpes: {asunto} {id}"), cuerpo })
}

/// Quita los caracteres de control, que acabarían una cabecera o una línea.
fn limpio(texto: &str) -> String {
    texto.chars().filter(|caracter| !caracter.is_control()).take(MAX_TEXTO).collect()
}

/// Escribe un momento como `24 de noviembre de 2026, 16:05 (UTC)`.
fn fecha(milisegundos: i64) -> Option<String> {
    const MESES: &str = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre";
    let cuando = Timestamp::from_millisecond(milisegundos).ok()?.to_zoned(TimeZone::UTC);
    let mes = MESES.split(' ').nth(usize::try_from(cuando.month()).ok()?.checked_sub(1)?)?;
    Some(format!("{} de {mes} de {}, {:02}:{:02} (UTC)", cuando.day(), cuando.year(), cuando.hour(), cuando.minute()))
}

#[cfg(test)]
mod tests {
    use crate::contrato::evento::DatosReserva;

    use super::*;

    fn evento(tipo: &str) -> EventoReserva {
        let datos = DatosReserva {
            id_reserva: Some("r1".into()),
            estado: Some("PENDIENTE".into()),
            fecha_creacion: Some(1_669_122_600_000),
            ..DatosReserva::default()
        };
        EventoReserva { tipo: Some(tipo.into()), data: Some(datos), ..EventoReserva::default() }
    }

    #[test]
    fn cada_tipo_de_evento_tiene_su_asunto() {
        let asuntos = TipoEvento::TODOS.map(|tipo| redactar(&evento(tipo.nombre())).unwrap().asunto);
        assert_eq!(
            asuntos,
            [
                "AeroAlpes: recibimos su reserva r1",
                "AeroAlpes: su reserva fue aprobada r1",
                "AeroAlpes: recibimos el pago de su reserva r1",
                "AeroAlpes: su reserva fue cancelada r1",
            ]
        );
        assert_eq!(redactar(&evento("ReservaMovida")).unwrap().asunto, "AeroAlpes: hay novedades de su reserva r1");
    }

    #[test]
    fn el_texto_tiene_id_estado_y_fecha() {
        assert_eq!(
            redactar(&evento("ReservaCreada")).unwrap().cuerpo,
            "Hola:\n\nRecibimos su reserva. Le avisaremos cuando sea aprobada.\n\nReserva: r1\nEstado: PENDIENTE\n\
             Fecha: 22 de noviembre de 2022, 13:10 (UTC)\n\nGracias por volar con AeroAlpes."
        );
    }

    #[test]
    fn un_evento_que_no_nombra_reserva_no_tiene_correo() {
        assert!(redactar(&EventoReserva::default()).is_err());
        let mut vacio = evento("ReservaCreada");
        vacio.data = Some(DatosReserva { id_reserva: Some("\n".into()), ..DatosReserva::default() });
        assert!(redactar(&vacio).is_err());
    }

    #[test]
    fn lo_que_viene_de_fuera_no_anade_cabeceras_ni_lineas() {
        let mut hostil = evento("ReservaCreada");
        let datos = DatosReserva {
            id_reserva: Some("r1\r\nBcc: all@example.com".into()),
            estado: Some("X\nReserva: r2".into()),
            fecha_creacion: Some(i64::MAX),
            ..DatosReserva::default()
        };
        hostil.data = Some(datos);
        let texto = redactar(&hostil).unwrap();
        assert_eq!(texto.asunto, "AeroAlpes: recibimos su reserva r1Bcc: all@example.com");
        assert!(texto.cuerpo.contains("Estado: XReserva: r2\n\nGracias"), "{}", texto.cuerpo);
    }
}
