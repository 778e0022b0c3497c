//! La API por HTTP, como la llaman las otras partes: está al lado, así que sin proxy y sin seguir redirecciones.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use crate::error::Error;

/// Cada cuánto se pregunta si la API está en marcha.
const CADA: Duration = Duration::from_secs(2);

/// Un cliente de la API. Las copias comparten las conexiones.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    cliente: Client,
    base: Url,
    conectar: Duration,
}

impl Api {
    /// Crea un cliente; todavía no se conecta. `conectar` es el plazo de una conexión y de la pregunta de si la API
    /// está en marcha; `plazo`, el de una respuesta con su cuerpo.
    pub(crate) fn nueva(base: &str, conectar: Duration, plazo: Duration) -> Result<Self, Error> {
        let erroneo = |motivo: String| Error::DireccionApi { url: base.to_owned(), motivo };
        let url = Url::parse(base).map_err(|error| erroneo(error.to_string()))?;
        if url.scheme() != "http" || !url.has_host() {
            return Err(erroneo("esta parte está al lado de la API y habla http".to_owned()));
        }
        let constructor = Client::builder().no_proxy().redirect(Policy::none());
        let cliente = constructor.connect_timeout(conectar).timeout(plazo).build();
        Ok(Self { cliente: cliente.map_err(|error| erroneo(error.to_string()))?, base: url, conectar })
    }

    /// Devuelve la dirección de una ruta. Cada segmento es uno, tenga lo que tenga: se codifica, y no puede subir.
    pub(crate) fn url(&self, ruta: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Una dirección http siempre tiene ruta.
        if let Ok(mut segmentos) = url.path_segments_mut() {
            segmentos.pop_if_empty().extend(ruta);
        }
        url
    }

    pub(crate) fn pedir(&self, metodo: Method, url: Url) -> RequestBuilder {
        self.cliente.request(metodo, url)
    }

    /// Espera hasta que la API conteste o deje de contestar, al contrario que antes, y devuelve si contesta.
    pub(crate) async fn cambio(&self, antes: Option<bool>) -> bool {
        loop {
            let pregunta = self.pedir(Method::GET, self.url(&["health"])).timeout(self.conectar);
            let contesta = pregunta.send().await.is_ok_and(|respuesta| respuesta.status() == StatusCode::OK);
            if antes != Some(contesta) {
                return contesta;
            }
            tokio::time::sleep(CADA).await;
        }
    }
}

/// Lee el cuerpo de una respuesta; `None` si tiene más bytes que el máximo.
pub(crate) async fn cuerpo(mut respuesta: Response, maximo: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut cuerpo = Vec::new();
    while let Some(trozo) = respuesta.chunk().await? {
        if cuerpo.len() + trozo.len() > maximo {
            return Ok(None);
        }
        cuerpo.extend_from_slice(&trozo);
    }
    Ok(Some(cuerpo))
}
