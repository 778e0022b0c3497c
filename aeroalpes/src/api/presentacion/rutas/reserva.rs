//! Reservations.

use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use uuid::Uuid;

use super::parametros::{Id, Parametros};
use crate::api::aplicacion::comando::{CambiarEstado, Cambio, CrearReserva, Pedido, ejecutar};
use crate::api::aplicacion::consulta::Filtro;
use crate::api::aplicacion::puerto::{Almacen, ClaveIdempotencia};
use crate::api::aplicacion::{Error, Falla};
use crate::api::dominio::{Estado, Fecha};
use crate::api::presentacion::cuerpo::Cuerpo;
use crate::api::presentacion::dto::{
    CambioDto, ErrorDto, PaginaReservas, ReservaCreada, ReservaDto, ReservaNueva, huella, leer_pedido,
};
use crate::api::presentacion::{Contexto, Problema};

const CLAVE: HeaderName = HeaderName::from_static("idempotency-key");
const CLAVE_MAXIMA: usize = 200;

/// Books.
///
/// The reservation, its itineraries and the event that tells of it are stored in one transaction. Requests with the same
/// `Idempotency-Key` and the same body book once, also at the same time, and get the same answer.
#[utoipa::path(
    post,
    path = "/vuelos/reserva",
    operation_id = "crear_reserva",
    tag = "vuelos",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 printable ASCII characters, chosen by the client; kept for two days", max_length = 200)),
    request_body = ReservaNueva,
    responses(
        (status = 202, body = ReservaCreada, description = "It is stored", headers(("Location" = String, description = "Address of the reservation"))),
        (status = 400, body = ErrorDto, description = "The body is not what it should be, or breaks a rule"),
        (status = 415, body = ErrorDto, description = "The body is not marked as JSON"),
        (status = 422, body = ErrorDto, description = "The key was used with another body"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered", headers(("Retry-After" = String, description = "Seconds to wait"))),
    )
)]
pub(crate) async fn crear(
    State(contexto): State<Contexto>,
    headers: HeaderMap,
    Cuerpo(cuerpo): Cuerpo,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<ReservaCreada>), Problema> {
    let pedido = leer_pedido(&cuerpo)?;
    let clave = clave(&headers, &pedido)?;
    let ahora = SystemTime::now();
    let comando = CrearReserva::nuevo(Uuid::now_v7().to_string(), pedido, clave, Fecha::de_reloj(ahora))?;
    let id = ejecutar(&contexto.almacen, &comando).await?;
    let location = format!("/vuelos/reserva/{id}");
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(ReservaCreada { id })))
}

/// Lists reservations, the newest first.
#[utoipa::path(
    get,
    path = "/vuelos/reserva",
    operation_id = "listar_reservas",
    tag = "vuelos",
    params(
        ("estado" = Option<String>, Query, description = "`PENDIENTE`, `APROBADA`, `PAGADA` or `CANCELADA`"),
        ("id_cliente" = Option<String>, Query, description = "Client of the reservations"),
        ("pagina" = Option<u32>, Query, description = "Number of the page, from 1", minimum = 1, maximum = 100_000),
        ("tamano" = Option<u32>, Query, description = "Most reservations of a page; 20 unless said otherwise", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = PaginaReservas, description = "The page"),
        (status = 400, body = ErrorDto, description = "A parameter is not what it should be"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn listar(
    State(contexto): State<Contexto>,
    parametros: Parametros,
) -> Result<Json<PaginaReservas>, Problema> {
    let parametros = parametros.conocidos(&["estado", "id_cliente", "pagina", "tamano"])?;
    let (pagina, tamano) = parametros.pagina()?;
    let estado = match parametros.texto("estado") {
        Some(nombre) => Some(Estado::de_nombre(nombre).ok_or_else(|| {
            Problema::peticion("El estado debe ser PENDIENTE, APROBADA, PAGADA o CANCELADA").en("estado")
        })?),
        None => None,
    };
    let id_cliente = parametros.texto("id_cliente").map(str::to_owned);
    let found = contexto.almacen.reservas(&Filtro { estado, id_cliente, pagina, tamano }).await?;
    let reservas = found.elementos.iter().map(ReservaDto::from).collect();
    Ok(Json(PaginaReservas { reservas, pagina, tamano, total: found.total }))
}

/// Reads a reservation.
#[utoipa::path(
    get,
    path = "/vuelos/reserva/{id}",
    operation_id = "leer_reserva",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id of the reservation")),
    responses(
        (status = 200, body = ReservaDto, description = "The reservation"),
        (status = 404, body = ErrorDto, description = "There is none"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn leer(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<ReservaDto>, Problema> {
    match contexto.almacen.reserva(&id).await? {
        Some(reserva) => Ok(Json(ReservaDto::from(&reserva))),
        None => Err(Error::ReservaInexistente { id }.into()),
    }
}

/// Approves a pending reservation.
#[utoipa::path(
    post,
    path = "/vuelos/reserva/{id}/aprobar",
    operation_id = "aprobar_reserva",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id of the reservation")),
    responses(
        (status = 200, body = CambioDto, description = "It is approved"),
        (status = 404, body = ErrorDto, description = "There is none"),
        (status = 409, body = ErrorDto, description = "Its state does not allow it"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn aprobar(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<CambioDto>, Problema> {
    cambiar(&contexto, id, Cambio::Aprobar).await
}

/// Pays an approved reservation.
#[utoipa::path(
    post,
    path = "/vuelos/reserva/{id}/pagar",
    operation_id = "pagar_reserva",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id of the reservation")),
    responses(
        (status = 200, body = CambioDto, description = "It is paid"),
        (status = 404, body = ErrorDto, description = "There is none"),
        (status = 409, body = ErrorDto, description = "Its state does not allow it"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn pagar(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<CambioDto>, Problema> {
    cambiar(&contexto, id, Cambio::Pagar).await
}

/// Cancels a reservation that is not paid.
#[utoipa::path(
    post,
    path = "/vuelos/reserva/{id}/cancelar",
    operation_id = "cancelar_reserva",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id of the reservation")),
    responses(
        (status = 200, body = CambioDto, description = "It is cancelled"),
        (status = 404, body = ErrorDto, description = "There is none"),
        (status = 409, body = ErrorDto, description = "Its state does not allow it"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn cancelar(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<CambioDto>, Problema> {
    cambiar(&contexto, id, Cambio::Cancelar).await
}

async fn cambiar(contexto: &Contexto, id: String, cambio: Cambio) -> Result<Json<CambioDto>, Problema> {
    let ahora = Fecha::de_reloj(SystemTime::now());
    let reserva = ejecutar(&contexto.almacen, &CambiarEstado { id, cambio, ahora }).await?;
    Ok(Json(CambioDto::from(&reserva)))
}

fn clave(headers: &HeaderMap, pedido: &Pedido) -> Result<Option<ClaveIdempotencia>, Problema> {
    let Some(value) = headers.get(CLAVE) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > CLAVE_MAXIMA {
        let error = format!("La clave debe tener de 1 a {CLAVE_MAXIMA} caracteres ASCII imprimibles");
        return Err(Problema::peticion(error).en("Idempotency-Key"));
    }
    let huella = huella(pedido).map_err(|error| Falla::Interna(error.into()))?;
    Ok(Some(ClaveIdempotencia { clave: text.to_owned(), huella }))
}
