//! Reservas.

use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::parametros::{Id, PaginaPedida, Parametros};
use super::respuestas::{CuerpoErroneo, NoAdmitido, NoExiste, ParametroErroneo, SinServicio};
use crate::api::aplicacion::{self, Error};
use crate::api::dominio::{self, Estado, Fecha, Pedido, Reserva};
use crate::api::infraestructura::Falla;
use crate::api::infraestructura::mysql::{ClaveIdempotencia, Filtro};
use crate::api::presentacion::Problema;
use crate::api::presentacion::contexto::Contexto;
use crate::api::presentacion::cuerpo::Cuerpo;
use crate::api::presentacion::dto::{CambioDto, ErrorDto, PaginaReservas, ReservaCreada, huella, leer_pedido};

const CLAVE: HeaderName = HeaderName::from_static("idempotency-key");
const CLAVE_MAXIMA: usize = 200;

/// Enruta las reservas.
pub(crate) fn rutas() -> OpenApiRouter<Contexto> {
    OpenApiRouter::new()
        .routes(routes!(crear_reserva, listar_reservas))
        .routes(routes!(leer_reserva))
        .routes(routes!(aprobar_reserva))
        .routes(routes!(pagar_reserva))
        .routes(routes!(cancelar_reserva))
}

/// Hace una reserva.
///
/// La reserva, sus itinerarios y el evento que la cuenta se guardan en una transacción. Las peticiones con la misma
/// `Idempotency-Key` y el mismo cuerpo reservan una vez, también a la vez, y reciben la misma respuesta.
#[utoipa::path(
    post,
    path = "/vuelos/reserva",
    tag = "vuelos",
    params((
        "Idempotency-Key" = Option<String>, Header, max_length = 200,
        description = "De 1 a 200 caracteres ASCII imprimibles que elige el cliente; se guarda dos días",
    )),
    request_body = Pedido,
    responses(
        (
            status = 202, body = ReservaCreada, description = "Está guardada",
            headers(("Location" = String, description = "Dirección de la reserva")),
        ),
        CuerpoErroneo,
        (status = 422, body = ErrorDto, description = "La clave se usó con otro cuerpo"),
        SinServicio,
    )
)]
async fn crear_reserva(
    State(contexto): State<Contexto>,
    cabeceras: HeaderMap,
    Cuerpo(cuerpo): Cuerpo,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<ReservaCreada>), Problema> {
    let pedido = leer_pedido(&cuerpo)?;
    let clave = clave(&cabeceras, &pedido)?;
    let reserva = Reserva::crear(Uuid::now_v7().to_string(), pedido, Fecha::de_reloj(SystemTime::now()))?;
    let id = aplicacion::reserva::crear(&contexto.almacen, &reserva, clave.as_ref()).await?;
    let direccion = format!("/vuelos/reserva/{id}");
    Ok((StatusCode::ACCEPTED, [(LOCATION, direccion)], Json(ReservaCreada { id })))
}

/// Lista las reservas, la más nueva primero.
#[utoipa::path(
    get,
    path = "/vuelos/reserva",
    tag = "vuelos",
    params(
        ("estado" = Option<String>, Query, description = "`PENDIENTE`, `APROBADA`, `PAGADA` o `CANCELADA`"),
        ("id_cliente" = Option<String>, Query, description = "Cliente de las reservas"),
        PaginaPedida,
    ),
    responses((status = 200, body = PaginaReservas, description = "La página"), ParametroErroneo, SinServicio)
)]
async fn listar_reservas(
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
    let (reservas, total) = contexto.almacen.reservas(&Filtro { estado, id_cliente }, pagina, tamano).await?;
    Ok(Json(PaginaReservas { reservas, pagina, tamano, total }))
}

/// Lee una reserva.
#[utoipa::path(
    get,
    path = "/vuelos/reserva/{id}",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id de la reserva")),
    responses((status = 200, body = Reserva, description = "La reserva"), NoExiste, SinServicio)
)]
async fn leer_reserva(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<Reserva>, Problema> {
    Ok(Json(contexto.almacen.reserva(&id).await?.ok_or(Error::ReservaInexistente { id })?))
}

/// Aprueba una reserva pendiente.
#[utoipa::path(
    post,
    path = "/vuelos/reserva/{id}/aprobar",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id de la reserva")),
    responses((status = 200, body = CambioDto, description = "Está aprobada"), NoExiste, NoAdmitido, SinServicio)
)]
async fn aprobar_reserva(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<CambioDto>, Problema> {
    cambiar(&contexto, &id, Reserva::aprobar).await
}

/// Paga una reserva aprobada.
#[utoipa::path(
    post,
    path = "/vuelos/reserva/{id}/pagar",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id de la reserva")),
    responses((status = 200, body = CambioDto, description = "Está pagada"), NoExiste, NoAdmitido, SinServicio)
)]
async fn pagar_reserva(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<CambioDto>, Problema> {
    cambiar(&contexto, &id, Reserva::pagar).await
}

/// Cancela una reserva que no está pagada.
#[utoipa::path(
    post,
    path = "/vuelos/reserva/{id}/cancelar",
    tag = "vuelos",
    params(("id" = String, Path, description = "Id de la reserva")),
    responses((status = 200, body = CambioDto, description = "Está cancelada"), NoExiste, NoAdmitido, SinServicio)
)]
async fn cancelar_reserva(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<CambioDto>, Problema> {
    cambiar(&contexto, &id, Reserva::cancelar).await
}

async fn cambiar(
    contexto: &Contexto,
    id: &str,
    cambio: fn(&mut Reserva, Fecha) -> Result<(), dominio::Error>,
) -> Result<Json<CambioDto>, Problema> {
    let ahora = Fecha::de_reloj(SystemTime::now());
    let reserva = aplicacion::reserva::cambiar_estado(&contexto.almacen, id, cambio, ahora).await?;
    Ok(Json(CambioDto::from(&reserva)))
}

fn clave(cabeceras: &HeaderMap, pedido: &Pedido) -> Result<Option<ClaveIdempotencia>, Problema> {
    let Some(valor) = cabeceras.get(CLAVE) else { return Ok(None) };
    let texto = valor.to_str().unwrap_or_default().trim();
    if texto.is_empty() || texto.len() > CLAVE_MAXIMA {
        let error = format!("La clave debe tener de 1 a {CLAVE_MAXIMA} caracteres ASCII imprimibles");
        return Err(Problema::peticion(error).en("Idempotency-Key"));
    }
    let huella = huella(pedido).map_err(|error| Falla::Interna(error.into()))?;
    Ok(Some(ClaveIdempotencia { clave: texto.to_owned(), huella }))
}
