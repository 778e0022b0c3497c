//! Messages in: the commands that create a reservation, and the events that the relay has published.
//!
//! A command is `ComandoCrearReserva` in one of two forms. The evolved one carries `itinerarios`, the JSON text of the same list as
//! in the body of `POST /vuelos/reserva`, and books under the same rules. The tutorial's form has `id_usuario` alone; as there,
//! it opens a reservation without itineraries for that client (`Reserva::abrir`), PENDIENTE like any other. What is
//! neither goes to `comandos-reserva-muertos` with the reason in the property `motivo`.
//!
//! Each command takes effect once, however often it is delivered: its id is recorded in the transaction of the reservation.
//! The broker may be away, also at the start; HTTP goes on, and the subscriptions come back by themselves.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::consumo::{Registros, suscripcion};
use crate::contrato::comando::ComandoCrearReserva;
use crate::contrato::evento::EventoReserva;
use crate::contrato::tema::{
    COMANDOS_RESERVA, COMANDOS_RESERVA_MUERTOS, EVENTOS_RESERVA, EVENTOS_RESERVA_MUERTOS, SUB_COMANDOS, SUB_EVENTOS,
};
use bitacora_pulsar::{Client, Message, Outcome, WorkerOptions, run_subscription_worker};
use tokio::sync::watch;
use uuid::Uuid;

use super::cuerpo::leer;
use super::dto::leer_itinerarios;
use super::{Contexto, Problema};
use crate::api::aplicacion::comando::{Atencion, AtenderMensaje, ejecutar};
use crate::api::aplicacion::{Error, Falla};
use crate::api::dominio::{Fecha, Reserva};
use crate::api::servidor::pedido;

/// Commands that are handled at the same time; HTTP shares the database's connections with them.
const PARALELO: usize = 8;

/// After a refusal that only a person can mend (a topic of another schema type), the topic is tried again.
const PAUSA: Duration = Duration::from_secs(10);

/// Creates a reservation for each command until `fin` turns true.
pub async fn atender_comandos(contexto: Contexto, fin: watch::Receiver<bool>) {
    let cliente = contexto.broker.cliente().clone();
    let suscripcion = suscripcion(COMANDOS_RESERVA, SUB_COMANDOS, COMANDOS_RESERVA_MUERTOS)
        .map(|opciones| WorkerOptions { parallelism: PARALELO, ..opciones });
    insistir(&cliente, suscripcion, fin, move |registros: Arc<Registros<ComandoCrearReserva>>, message| {
        let contexto = contexto.clone();
        async move {
            match registros.leer(&message).await {
                Ok(comando) => atender(&contexto, &message, comando).await,
                Err(resultado) => resultado,
            }
        }
    })
    .await;
}

/// Logs each event of a reservation until `fin` turns true.
pub async fn anotar_eventos(contexto: Contexto, fin: watch::Receiver<bool>) {
    let suscripcion = suscripcion(EVENTOS_RESERVA, SUB_EVENTOS, EVENTOS_RESERVA_MUERTOS);
    let cliente = contexto.broker.cliente().clone();
    insistir(&cliente, suscripcion, fin, |registros: Arc<Registros<EventoReserva>>, message| async move {
        match registros.leer(&message).await {
            Ok(evento) => {
                let datos = evento.data.unwrap_or_default();
                tracing::info!(
                    tipo = evento.tipo.as_deref().unwrap_or_default(),
                    evento = evento.id.as_deref().unwrap_or_default(),
                    reserva = datos.id_reserva.as_deref().unwrap_or_default(),
                    estado = datos.estado.as_deref().unwrap_or_default(),
                    "event received"
                );
                Outcome::Done
            }
            Err(resultado) => resultado,
        }
    })
    .await;
}

/// Consumes a topic, and begins anew when the broker refuses for a reason that waiting alone does not mend.
async fn insistir<T, M, F>(
    client: &Client,
    suscripcion: Result<WorkerOptions, crate::contrato::Error>,
    fin: watch::Receiver<bool>,
    manejar: M,
) where
    T: crate::contrato::avro::Registro + 'static,
    M: Fn(Arc<Registros<T>>, Message) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let preparado = suscripcion.and_then(|suscripcion| {
        let registros = Registros::<T>::nuevos(client.clone(), &suscripcion.topic)?;
        Ok((suscripcion, Arc::new(registros)))
    });
    let (suscripcion, registros) = match preparado {
        Ok(preparado) => preparado,
        Err(error) => return tracing::error!(%error, "a topic is not consumed"),
    };
    loop {
        let (registros, manejar) = (Arc::clone(&registros), manejar.clone());
        let handler = move |message| manejar(Arc::clone(&registros), message);
        match run_subscription_worker(client, suscripcion.clone(), pedido(fin.clone()), handler).await {
            Ok(()) => return,
            Err(error) => tracing::error!(%error, "a topic is not consumed; it is tried again"),
        }
        tokio::select! {
            () = pedido(fin.clone()) => return,
            () = tokio::time::sleep(PAUSA) => {}
        }
    }
}

async fn atender(contexto: &Contexto, message: &Message, comando: ComandoCrearReserva) -> Outcome {
    let reserva = match preparar(comando, Fecha::de_reloj(SystemTime::now())) {
        Ok(reserva) => reserva,
        Err(problema) => return Outcome::Rejected(problema.motivo()),
    };
    // The broker's ids begin anew when its data are lost; with the time of publication they name one message for good.
    let mensaje = format!("{}@{}", message.id, message.publish_time_ms());
    let comando = AtenderMensaje { consumidor: SUB_COMANDOS, mensaje, reserva };
    match ejecutar(&contexto.almacen, &comando).await {
        Ok(Atencion::Creada) => {
            tracing::info!(mensaje = comando.mensaje, reserva = comando.reserva.id(), "a command made a reservation");
            Outcome::Done
        }
        Ok(Atencion::Repetida) => Outcome::Done,
        // After a commit of which nothing is known the next try finds the message recorded, or not.
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
            Ok(Reserva::crear(id, id_cliente, itinerarios, ahora)?)
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

    fn check(id_usuario: Option<&str>, itinerarios: Option<&str>) -> Result<(Option<String>, usize), String> {
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
        assert_eq!(check(Some("u"), None), Ok((Some("u".to_owned()), 0)));
        assert_eq!(check(Some("u"), Some(UNO)), Ok((Some("u".to_owned()), 1)));
        assert_eq!(check(None, Some(UNO)), Ok((None, 1)));
    }

    #[test]
    fn lo_demas_se_rechaza_con_su_motivo() {
        fn refused(id: Option<&str>, itinerarios: Option<&str>) -> String {
            check(id, itinerarios).unwrap_err()
        }
        assert_eq!(refused(None, None), "data.id_usuario: Falta este campo");
        assert_eq!(refused(Some(""), None), "data.id_usuario: Falta este campo");
        assert_eq!(refused(Some(&"x".repeat(41)), None), "data.id_usuario: El texto tiene más de 40 caracteres");
        assert_eq!(
            refused(Some("u"), Some("[]")),
            "itinerarios: La lista de itinerarios debe tener al menos un itinerario"
        );
        assert_eq!(refused(None, Some("{}")), "itinerarios: Debe ser una lista, no un objeto");
        assert!(refused(None, Some("[")).starts_with("El texto de data.itinerarios no es JSON válido"));
        let same = UNO.replace("JFK", "BOG");
        assert!(refused(None, Some(&same)).ends_with("La ruta propuesta es incorrecta"));
        assert_eq!(
            preparar(ComandoCrearReserva::default(), Fecha::leer("2024-01-01T00:00:00Z").unwrap())
                .unwrap_err()
                .motivo(),
            "data: Falta este campo"
        );
    }
}
