//! Lo que hay en una dirección: el id de su ruta, y los parámetros de detrás.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::api::presentacion::Problema;

const TAMANO: u32 = 20;
const TAMANO_MAXIMO: u32 = 100;
const PAGINA_MAXIMA: u32 = 100_000;

/// La última parte variable de una ruta.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Id {
    type Rejection = Problema;

    async fn from_request_parts(partes: &mut Parts, _: &S) -> Result<Self, Problema> {
        let id: Result<Path<String>, PathRejection> = Path::from_request_parts(partes, &()).await;
        id.map(|Path(id)| Id(id)).map_err(|_| Problema::peticion("La dirección no es texto válido"))
    }
}

/// Los dos parámetros de una lista, como los describe OpenAPI; los lee [`Parametros::pagina`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "se lee a mano; el tipo es su descripción")]
pub(crate) struct PaginaPedida {
    /// Número de la página, desde 1
    #[param(minimum = 1, maximum = 100_000)]
    pagina: Option<u32>,
    /// Elementos de una página, como mucho; 20 si no se dice otra cosa
    #[param(minimum = 1, maximum = 100)]
    tamano: Option<u32>,
}

/// Los parámetros de detrás de `?`, cada uno una vez como mucho.
#[derive(Debug)]
pub(crate) struct Parametros(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Parametros {
    type Rejection = Problema;

    async fn from_request_parts(partes: &mut Parts, _: &S) -> Result<Self, Problema> {
        let pares: Result<Query<Vec<(String, String)>>, QueryRejection> = Query::from_request_parts(partes, &()).await;
        pares
            .map(|Query(pares)| Parametros(pares))
            .map_err(|_| Problema::peticion("Los parámetros no son texto válido"))
    }
}

impl Parametros {
    /// Rechaza los que no son estos, y el que viene dos veces.
    pub(super) fn conocidos(self, nombres: &[&str]) -> Result<Parametros, Problema> {
        for (indice, (nombre, _)) in self.0.iter().enumerate() {
            let mostrado: String = nombre.chars().take(40).collect();
            if !nombres.contains(&nombre.as_str()) {
                let error = format!("Este parámetro no se conoce; se admiten: {}", nombres.join(", "));
                return Err(Problema::peticion(error).en(mostrado));
            }
            if self.0.iter().take(indice).any(|(otro, _)| otro == nombre) {
                return Err(Problema::peticion("Este parámetro está dos veces").en(mostrado));
            }
        }
        Ok(self)
    }

    /// Devuelve un parámetro; uno vacío cuenta como que falta.
    pub(super) fn texto(&self, nombre: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(otro, _)| otro == nombre)
            .map(|(_, valor)| valor.as_str())
            .filter(|valor| !valor.is_empty())
    }

    /// Devuelve `pagina` y `tamano`.
    pub(super) fn pagina(&self) -> Result<(u32, u32), Problema> {
        Ok((self.numero("pagina", 1, PAGINA_MAXIMA)?, self.numero("tamano", TAMANO, TAMANO_MAXIMO)?))
    }

    fn numero(&self, nombre: &str, normal: u32, maximo: u32) -> Result<u32, Problema> {
        let Some(texto) = self.texto(nombre) else { return Ok(normal) };
        match texto.parse() {
            Ok(numero) if (1..=maximo).contains(&numero) => Ok(numero),
            _ => Err(Problema::peticion(format!("Debe ser un número de 1 a {maximo}")).en(nombre)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parametros;

    fn con(pares: &[(&str, &str)]) -> Parametros {
        Parametros(pares.iter().map(|(nombre, valor)| ((*nombre).to_owned(), (*valor).to_owned())).collect())
    }

    #[test]
    fn las_paginas_tienen_valores_por_defecto_y_limites() {
        assert_eq!(con(&[]).pagina(), Ok((1, 20)));
        assert_eq!(con(&[("pagina", "3"), ("tamano", "100")]).pagina(), Ok((3, 100)));
        for valor in ["0", "101", "-1", "x", "1.5"] {
            let problema = con(&[("tamano", valor)]).pagina().unwrap_err();
            assert_eq!(problema.motivo(), "tamano: Debe ser un número de 1 a 100");
        }
    }

    #[test]
    fn lo_desconocido_o_repetido_se_rechaza() {
        let motivo =
            |pares: &[(&str, &str)]| con(pares).conocidos(&["a", "b"]).map(|_| ()).map_err(|error| error.motivo());
        assert_eq!(motivo(&[("a", "1"), ("b", "")]), Ok(()));
        assert_eq!(motivo(&[("c", "1")]), Err("c: Este parámetro no se conoce; se admiten: a, b".to_owned()));
        assert_eq!(motivo(&[("a", "1"), ("a", "2")]), Err("a: Este parámetro está dos veces".to_owned()));
    }
}
