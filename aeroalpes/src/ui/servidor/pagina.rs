//! Los archivos de la página, dentro del programa.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Un archivo de la página.
struct Archivo {
    ruta: &'static str,
    /// Cambia con el texto.
    etiqueta: &'static str,
    texto: &'static str,
}

const ARCHIVOS: &[Archivo] = include!(concat!(env!("OUT_DIR"), "/pagina.rs"));

/// Nada de otra parte, nada incrustado; `'self'` cubre también nuestro websocket.
const POLITICA: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const REGLAS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLITICA),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Añade las cabeceras que valen para toda respuesta.
pub(super) fn con_reglas(mut respuesta: Response) -> Response {
    for (nombre, valor) in REGLAS {
        respuesta.headers_mut().insert(nombre, HeaderValue::from_static(valor));
    }
    respuesta
}

/// Contesta con un archivo, o 304 si el navegador lo tiene. El navegador pregunta siempre, para que un programa nuevo
/// no se mezcle con archivos viejos.
pub(super) fn archivo(ruta: &str, cabeceras: &HeaderMap) -> Response {
    let Some(Archivo { etiqueta, texto, .. }) = ARCHIVOS.iter().find(|archivo| archivo.ruta == ruta) else {
        return (StatusCode::NOT_FOUND, "No existe esta página.").into_response();
    };
    let conocidas = cabeceras.get(header::IF_NONE_MATCH).and_then(|valor| valor.to_str().ok()).unwrap_or_default();
    let de_siempre = [(header::ETAG, *etiqueta), (header::CACHE_CONTROL, "no-cache")];
    if conocidas.split(',').any(|conocida| conocida.trim().trim_start_matches("W/") == *etiqueta) {
        return (StatusCode::NOT_MODIFIED, de_siempre).into_response();
    }
    let tipo = match ruta.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/html; charset=utf-8",
    };
    (de_siempre, [(header::CONTENT_TYPE, tipo)], *texto).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

    use super::{ARCHIVOS, Archivo, archivo};

    #[test]
    fn un_navegador_no_recibe_otra_vez_el_archivo_que_tiene() {
        let primera = archivo("/", &HeaderMap::new());
        assert_eq!(primera.status(), StatusCode::OK);
        let mut cabeceras = HeaderMap::new();
        cabeceras.insert(header::IF_NONE_MATCH, primera.headers()[header::ETAG].clone());
        assert_eq!(archivo("/", &cabeceras).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(archivo("/guion/inicio.js", &cabeceras).status(), StatusCode::OK);
        cabeceras.insert(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"0\", \"1\""));
        assert_eq!(archivo("/", &cabeceras).status(), StatusCode::OK);
        assert_eq!(archivo("/../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }

    /// Un archivo que la página nombra y el servidor no tiene es una página en blanco; una dirección de fuera la
    /// rechaza la política.
    #[test]
    fn todo_archivo_que_nombra_la_pagina_existe_y_nada_esta_fuera() {
        let mut nombrados = 0;
        let existe = |ruta: String| ARCHIVOS.iter().any(|archivo| archivo.ruta == ruta);
        for Archivo { ruta, texto, .. } in ARCHIVOS {
            let pieza = |marca: &'static str| texto.split(marca).skip(1).filter_map(|resto| resto.split('"').next());
            for nombre in pieza("href=\"/").chain(pieza("src=\"/")) {
                nombrados += 1;
                assert!(existe(format!("/{nombre}")), "{ruta} nombra /{nombre}");
            }
            for nombre in pieza("from \"./") {
                nombrados += 1;
                assert!(existe(format!("/guion/{nombre}")), "{ruta} nombra {nombre}");
            }
            let sin_espacio_de_nombres = texto.replace("http://www.w3.org/2000/svg", "");
            assert!(!sin_espacio_de_nombres.contains("http://") && !texto.contains("https://"), "{ruta}");
            assert!(!texto.contains("innerHTML"), "{ruta}");
        }
        assert!(nombrados > 10);
    }
}
