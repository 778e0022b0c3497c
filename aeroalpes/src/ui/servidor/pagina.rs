//! Los archivos de la página, dentro del programa.

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
        /// Ruta, tipo y texto de cada archivo.
        const ARCHIVOS: &[(&str, &str, &str)] =
            &[$(($ruta, $tipo, include_str!(concat!("../../../pagina/", $archivo)))),*];
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

/// Los archivos con sus etiquetas.
#[derive(Debug)]
pub(super) struct Pagina {
    archivos: HashMap<&'static str, Archivo>,
}

#[derive(Debug)]
struct Archivo {
    tipo: &'static str,
    texto: &'static str,
    etiqueta: String,
}

impl Pagina {
    pub(super) fn nueva() -> Self {
        let archivo = |(ruta, tipo, texto): &(&'static str, &'static str, &'static str)| {
            let mut resumidor = DefaultHasher::new();
            texto.hash(&mut resumidor);
            (*ruta, Archivo { tipo, texto, etiqueta: format!("\"{:016x}\"", resumidor.finish()) })
        };
        Self { archivos: ARCHIVOS.iter().map(archivo).collect() }
    }

    /// Contesta con un archivo, o 304 si el navegador lo tiene. El navegador pregunta siempre, para que un programa
    /// nuevo no se mezcle con archivos viejos.
    pub(super) fn archivo(&self, ruta: &str, cabeceras: &HeaderMap) -> Response {
        let Some(archivo) = self.archivos.get(ruta) else {
            return (StatusCode::NOT_FOUND, "No existe esta página.").into_response();
        };
        let conocidas = cabeceras.get(header::IF_NONE_MATCH).and_then(|valor| valor.to_str().ok()).unwrap_or_default();
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
        let mut cabeceras = HeaderMap::new();
        cabeceras.insert(header::IF_NONE_MATCH, primera.headers()[header::ETAG].clone());
        assert_eq!(pagina.archivo("/", &cabeceras).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(pagina.archivo("/guion/inicio.js", &cabeceras).status(), StatusCode::OK);
        cabeceras.insert(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"0\", \"1\""));
        assert_eq!(pagina.archivo("/", &cabeceras).status(), StatusCode::OK);
        assert_eq!(pagina.archivo("/../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }

    /// Un archivo que la página nombra y el servidor no tiene es una página en blanco; una dirección de fuera la
    /// rechaza la política.
    #[test]
    fn todo_archivo_que_nombra_la_pagina_existe_y_nada_esta_fuera() {
        let mut nombrados = 0;
        for (ruta, _, texto) in ARCHIVOS {
            let pieza = |marca: &'static str| texto.split(marca).skip(1).filter_map(|resto| resto.split('"').next());
            for nombre in pieza("href=\"/").chain(pieza("src=\"/")) {
                nombrados += 1;
                assert!(ARCHIVOS.iter().any(|(otra, _, _)| *otra == format!("/{nombre}")), "{ruta} nombra /{nombre}");
            }
            for nombre in pieza("from \"./") {
                nombrados += 1;
                assert!(
                    ARCHIVOS.iter().any(|(otra, _, _)| *otra == format!("/guion/{nombre}")),
                    "{ruta} nombra {nombre}"
                );
            }
            let sin_espacio_de_nombres = texto.replace("http://www.w3.org/2000/svg", "");
            assert!(!sin_espacio_de_nombres.contains("http://") && !texto.contains("https://"), "{ruta}");
            assert!(!texto.contains("innerHTML"), "{ruta}");
        }
        assert!(nombrados > 10);
    }
}
