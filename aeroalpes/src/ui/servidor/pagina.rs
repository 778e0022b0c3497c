//! The files of the page, inside the binary.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! archivos {
    ($($ruta:literal => $tipo:expr, $archivo:literal;)*) => {
        /// Path, media type and text of each file.
        const ARCHIVOS: &[(&str, &str, &str)] = &[$(($ruta, $tipo, include_str!(concat!("../../../pagina/", $archivo)))),*];
    };
}

archivos! {
    "/" => HTML, "index.html";
    "/icono.svg" => SVG, "icono.svg";
    "/estilo/paleta.css" => CSS, "estilo/paleta.css";
    "/estilo/pagina.css" => CSS, "estilo/pagina.css";
    "/estilo/cabecera.css" => CSS, "estilo/cabecera.css";
    "/estilo/formulario.css" => CSS, "estilo/formulario.css";
    "/estilo/reservas.css" => CSS, "estilo/reservas.css";
    "/estilo/eventos.css" => CSS, "estilo/eventos.css";
    "/estilo/cambios.css" => CSS, "estilo/cambios.css";
    "/guion/inicio.js" => JS, "guion/inicio.js";
    "/guion/aeropuertos.js" => JS, "guion/aeropuertos.js";
    "/guion/api.js" => JS, "guion/api.js";
    "/guion/cambios.js" => JS, "guion/cambios.js";
    "/guion/cliente.js" => JS, "guion/cliente.js";
    "/guion/conexion.js" => JS, "guion/conexion.js";
    "/guion/elemento.js" => JS, "guion/elemento.js";
    "/guion/estado.js" => JS, "guion/estado.js";
    "/guion/eventos.js" => JS, "guion/eventos.js";
    "/guion/fecha.js" => JS, "guion/fecha.js";
    "/guion/formulario.js" => JS, "guion/formulario.js";
    "/guion/reservas.js" => JS, "guion/reservas.js";
    "/guion/vistas.js" => JS, "guion/vistas.js";
}

/// Nothing from elsewhere, nothing inline; `'self'` covers our own websocket.
const POLITICA: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const REGLAS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLITICA),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Adds the headers that hold for every answer.
pub fn con_reglas(mut respuesta: Response) -> Response {
    for (nombre, valor) in REGLAS {
        respuesta.headers_mut().insert(nombre, HeaderValue::from_static(valor));
    }
    respuesta
}

/// The files with their tags.
#[derive(Debug)]
pub struct Pagina {
    archivos: HashMap<&'static str, Archivo>,
}

#[derive(Debug)]
struct Archivo {
    tipo: &'static str,
    texto: &'static str,
    etiqueta: String,
}

impl Pagina {
    /// Creates the page.
    pub fn nueva() -> Self {
        let archivo = |(ruta, tipo, texto): &(&'static str, &'static str, &'static str)| {
            let mut hasher = DefaultHasher::new();
            texto.hash(&mut hasher);
            (*ruta, Archivo { tipo, texto, etiqueta: format!("\"{:016x}\"", hasher.finish()) })
        };
        Self { archivos: ARCHIVOS.iter().map(archivo).collect() }
    }

    /// Answers with a file; 304 when the browser has it. A browser asks each time, so that a new binary never runs with old files.
    pub fn archivo(&self, ruta: &str, headers: &HeaderMap) -> Response {
        let Some(archivo) = self.archivos.get(ruta) else {
            return (StatusCode::NOT_FOUND, "No existe esta página.").into_response();
        };
        let conocidas = headers.get(header::IF_NONE_MATCH).and_then(|valor| valor.to_str().ok()).unwrap_or_default();
        let de_siempre = [(header::ETAG, archivo.etiqueta.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
        let es_esta = |etiqueta: &str| etiqueta.trim().trim_start_matches("W/") == archivo.etiqueta;
        if conocidas.split(',').any(es_esta) {
            return (StatusCode::NOT_MODIFIED, de_siempre).into_response();
        }
        (de_siempre, [(header::CONTENT_TYPE, archivo.tipo)], archivo.texto).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

    use super::{ARCHIVOS, Pagina};

    #[test]
    fn un_navegador_no_recibe_otra_vez_el_archivo_que_tiene() {
        let pagina = Pagina::nueva();
        let primera = pagina.archivo("/", &HeaderMap::new());
        assert_eq!(primera.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, primera.headers()[header::ETAG].clone());
        assert_eq!(pagina.archivo("/", &headers).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(pagina.archivo("/guion/inicio.js", &headers).status(), StatusCode::OK);
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"0\", \"1\""));
        assert_eq!(pagina.archivo("/", &headers).status(), StatusCode::OK);
        assert_eq!(pagina.archivo("/../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }

    /// A file that the page names and the server does not have is a blank page; an address elsewhere is one that the policy refuses.
    #[test]
    fn todo_archivo_que_nombra_la_pagina_existe_y_nada_esta_fuera() {
        let mut nombrados = 0;
        for (ruta, _, texto) in ARCHIVOS {
            let pieza = |marca: &'static str| texto.split(marca).skip(1).filter_map(|resto| resto.split('"').next());
            for nombre in pieza("href=\"/").chain(pieza("src=\"/")) {
                nombrados += 1;
                assert!(ARCHIVOS.iter().any(|(otra, _, _)| *otra == format!("/{nombre}")), "{ruta} names /{nombre}");
            }
            for nombre in pieza("from \"./") {
                nombrados += 1;
                assert!(
                    ARCHIVOS.iter().any(|(otra, _, _)| *otra == format!("/guion/{nombre}")),
                    "{ruta} names {nombre}"
                );
            }
            let sin_espacio_de_nombres = texto.replace("http://www.w3.org/2000/svg", "");
            assert!(!sin_espacio_de_nombres.contains("http://") && !texto.contains("https://"), "{ruta}");
            assert!(!texto.contains("innerHTML"), "{ruta}");
        }
        assert!(nombrados > 10);
    }
}
