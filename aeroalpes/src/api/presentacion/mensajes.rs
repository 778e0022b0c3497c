//! Mensajes que entran: los comandos que crean una reserva, y los eventos que el relevo ha publicado.
//!
//! Un comando es `ComandoCrearReserva` en una de dos formas. La evolucionada lleva `itinerarios`, el texto JSON de la
//! misma lista que en el cuerpo de `POST /vuelos/reserva`, y reserva con las mismas reglas. La del tutorial solo
//! tiene `id_usuario`; como allí, abre una reserva sin itinerarios para ese cliente (`Reserva::abrir`), PENDIENTE
//! como cualquier otra. Lo que no es ninguna de las dos va a `comandos-reserva-muertos` con la causa en la propiedad
//! `motivo`.
//!
//! Cada comando tiene efecto una vez, se entregue las veces que se entregue: su id se anota en la transacción de la
//! reserva. El *broker* puede no estar, también al arrancar; HTTP sigue, y las suscripciones vuelven solas.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::consumo::{Registros, suscripcion};
use crate::contrato::comando::ComandoCrearReserva;
use crate::contrato::evento::EventoReserva;
use crate::contrato::tema::{
    COMANDOS_RESERVA, COMANDOS_RESERVA_MUERTOS, EVENTOS_RESERVA, EVENTOS_RESERVA_MUERTOS, SUB_COMANDOS, SUB_EVENTOS,
};
use bitacora_outbox::Recorded;
use bitacora_pulsar::{Client, Message, Outcome, WorkerOptions, run_subscription_worker};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Problema;
use super::contexto::Contexto;
use super::cuerpo::leer;
use super::dto::leer_itinerarios;
use crate::api::aplicacion::{self, Error};
use crate::api::dominio::{Fecha, Pedido, Reserva};
use crate::api::infraestructura::Falla;

/// Comandos que se atienden a la vez; comparten con HTTP las conexiones a la base de datos.
const PARALELO: usize = 8;

/// Pausa tras una negativa que solo una persona puede arreglar, como un tema con otra clase de esquema.
const PAUSA: Duration = Duration::from_secs(10);

/// Crea una reserva por cada comando hasta que se pide el `fin`.
pub(crate) async fn atender_comandos(contexto: Contexto, fin: CancellationToken) {
    let cliente = contexto.broker.clone();
    let suscripcion = suscripcion(COMANDOS_RESERVA, SUB_COMANDOS, COMANDOS_RESERVA_MUERTOS)
        .map(|opciones| WorkerOptions { parallelism: PARALELO, ..opciones });
    let manejar = move |mensaje: Message, comando: ComandoCrearReserva| {
        let contexto = contexto.clone();
        async move { atender(&contexto, &mensaje, comando).await }
    };
    insistir(&cliente, suscripcion, fin, manejar).await;
}

/// Registra cada evento de una reserva hasta que se pide el `fin`.
pub(crate) async fn anotar_eventos(contexto: Contexto, fin: CancellationToken) {
    let suscripcion = suscripcion(EVENTOS_RESERVA, SUB_EVENTOS, EVENTOS_RESERVA_MUERTOS);
    let manejar = |_, evento: EventoReserva| async move {
        let datos = evento.data.unwrap_or_default();
        tracing::info!(
            tipo = evento.tipo.as_deref().unwrap_or_default(),
            evento = evento.id.as_deref().unwrap_or_default(),
            reserva = datos.id_reserva.as_deref().unwrap_or_default(),
            estado = datos.estado.as_deref().unwrap_or_default(),
            "se recibió un evento"
        );
        Outcome::Done
    };
    insistir(&contexto.broker, suscripcion, fin, manejar).await;
}

/// Consume un tema de registros `T`, y empieza de nuevo si el *broker* se niega por algo que esperar no arregla.
async fn insistir<T, M, F>(
    cliente: &Client,
    suscripcion: Result<WorkerOptions, crate::error::Error>,
    fin: CancellationToken,
    manejar: M,
) where
    T: crate::contrato::avro::Registro + Send + 'static,
    M: Fn(Message, T) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let preparado = suscripcion.and_then(|suscripcion| {
        let registros = Registros::<T>::nuevos(cliente.clone(), &suscripcion.topic)?;
        Ok((suscripcion, Arc::new(registros)))
    });
    let (suscripcion, registros) = match preparado {
        Ok(preparado) => preparado,
        Err(error) => return tracing::error!(%error, "un tema no se consume"),
    };
    let leer_y_manejar = move |mensaje| {
        let (registros, manejar) = (Arc::clone(&registros), manejar.clone());
        async move {
            match registros.leer(&mensaje).await {
                Ok(registro) => manejar(mensaje, registro).await,
                Err(resultado) => resultado,
            }
        }
    };
    loop {
        match run_subscription_worker(cliente, suscripcion.clone(), fin.cancelled(), leer_y_manejar.clone()).await {
            Ok(()) => return,
            Err(error) => tracing::error!(%error, "un tema no se consume; se vuelve a intentar"),
        }
        tokio::select! {
            () = fin.cancelled() => return,
            () = tokio::time::sleep(PAUSA) => {}
        }
    }
}

async fn atender(contexto: &Contexto, mensaje_recibido: &Message, comando: ComandoCrearReserva) -> Outcome {
    let reserva = match preparar(comando, Fecha::de_reloj(SystemTime::now())) {
        Ok(reserva) => reserva,
        Err(problema) => return Outcome::Rejected(problema.motivo()),
    };
    // Los ids del *broker* empiezan de nuevo si se pierden sus datos; con la hora de publicación nombran un solo
    // mensaje para siempre.
    let mensaje = format!("{}@{}", mensaje_recibido.id, mensaje_recibido.publish_time_ms());
    match aplicacion::reserva::atender_mensaje(&contexto.almacen, SUB_COMANDOS, &mensaje, &reserva).await {
        Ok(Recorded::New) => {
            tracing::info!(mensaje, reserva = reserva.id(), "un comando hizo una reserva");
            Outcome::Done
        }
        Ok(Recorded::Duplicate) => Outcome::Done,
        // Tras una confirmación de la que no se sabe nada, el siguiente intento encuentra el mensaje anotado, o no.
        Err(Error::Falla(falla @ (Falla::Ausente(_) | Falla::Pasajera(_) | Falla::Dudosa(_)))) => {
            Outcome::Unavailable(falla.to_string())
        }
        Err(error) => Outcome::Retry(error.to_string()),
    }
}

fn preparar(comando: ComandoCrearReserva, ahora: Fecha) -> Result<Reserva, Problema> {
    let Some(datos) = comando.data else { return Err(Problema::peticion("Falta este campo").en("data")) };
    let id_cliente = datos.id_usuario.filter(|id| !id.is_empty());
    if id_cliente.as_ref().is_some_and(|id| id.chars().count() > 40) {
        return Err(Problema::peticion("El texto tiene más de 40 caracteres").en("data.id_usuario"));
    }
    let id = Uuid::now_v7().to_string();
    match (datos.itinerarios, id_cliente) {
        (Some(texto), id_cliente) => {
            let itinerarios = leer_itinerarios(&leer("El texto de data.itinerarios", texto.as_bytes())?)?;
            Ok(Reserva::crear(id, Pedido { id_cliente, itinerarios }, ahora)?)
        }
        (None, Some(id_cliente)) => Ok(Reserva::abrir(id, id_cliente, ahora)),
        (None, None) => Err(Problema::peticion("Falta este campo").en("data.id_usuario")),
    }
}

#[cfg(test)]
mod tests {
    use crate::contrato::comando::{ComandoCrearReserva, DatosComando};

    use super::preparar;
    use crate::api::dominio::Fecha;

    fn comprobar(id_usuario: Option<&str>, itinerarios: Option<&str>) -> Result<(Option<String>, usize), String> {
        let datos = DatosComando { id_usuario: id_usuario.map(Into::into), itinerarios: itinerarios.map(Into::into) };
        let ahora = Fecha::leer("2024-01-01T00:00:00Z").unwrap();
        preparar(ComandoCrearReserva { data: Some(datos) }, ahora)
            .map(|reserva| (reserva.id_cliente().map(str::to_owned), reserva.itinerarios().len()))
            .map_err(|problema| problema.motivo())
    }

    const UNO: &str = r#"[{"odos":[{"segmentos":[{"legs":[{"fecha_salida":"2022-11-22T13:10:00Z",
        "fecha_llegada":"2022-11-22T15:10:00Z","origen":{"codigo":"BOG"},"destino":{"codigo":"JFK"}}]}]}]}]"#;

    #[test]
    fn las_dos_formas_hacen_una_reserva() {
        assert_eq!(comprobar(Some("u"), None), Ok((Some("u".to_owned()), 0)));
        assert_eq!(comprobar(Some("u"), Some(UNO)), Ok((Some("u".to_owned()), 1)));
        assert_eq!(comprobar(None, Some(UNO)), Ok((None, 1)));
    }

    #[test]
    fn lo_demas_se_rechaza_con_su_motivo() {
        fn rechazo(id: Option<&str>, itinerarios: Option<&str>) -> String {
            comprobar(id, itinerarios).unwrap_err()
        }
        assert_eq!(rechazo(None, None), "data.id_usuario: Falta este campo");
        assert_eq!(rechazo(Some(""), None), "data.id_usuario: Falta este campo");
        assert_eq!(rechazo(Some(&"x".repeat(41)), None), "data.id_usuario: El texto tiene más de 40 caracteres");
        assert_eq!(
            rechazo(Some("u"), Some("[]")),
            "itinerarios: La lista de itinerarios debe tener al menos un itinerario"
        );
        assert_eq!(rechazo(None, Some("{}")), "itinerarios: Debe ser una lista, no un objeto");
        assert!(rechazo(None, Some("[")).starts_with("El texto de data.itinerarios no es JSON válido"));
        let igual = UNO.replace("JFK", "BOG");
        assert!(rechazo(None, Some(&igual)).ends_with("La ruta propuesta es incorrecta"));
        assert_eq!(
            preparar(ComandoCrearReserva::default(), Fecha::leer("2024-01-01T00:00:00Z").unwrap())
                .unwrap_err()
                .motivo(),
            "data: Falta este campo"
        );
    }
}
