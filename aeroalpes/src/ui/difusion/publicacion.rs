//! Lo que reciben los navegadores.

use axum::extract::ws::Utf8Bytes;
use serde_json::{Value, json};

/// El texto más largo de una publicación. Las columnas se cortan antes, así que solo lo supera un evento con un campo
/// enorme.
pub(super) const MAX_BYTES: usize = 32 * 1024;

/// De qué trata una publicación.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clase {
    Evento,
    Cambio,
}

/// Un mensaje para navegadores. Las copias de sus textos comparten los bytes.
#[derive(Debug)]
pub(crate) struct Publicacion {
    /// De qué trata.
    pub clase: Clase,
    /// Avisa de un mensaje que no se puede mostrar: se dice una vez y no se guarda.
    pub es_aviso: bool,
    /// Cuándo lo recibió el *broker*, en milisegundos desde 1970.
    pub momento_ms: u64,
    /// Para la página: un objeto con `tipo`.
    pub para_pagina: Utf8Bytes,
    /// Para los websockets del tutorial, que solo conocen eventos: el JSON del propio evento.
    pub para_tutorial: Option<Utf8Bytes>,
}

impl Publicacion {
    /// Crea la publicación de un evento o de un cambio. `clave` es un nombre que no tiene ningún otro mensaje.
    pub(crate) fn nueva(clase: Clase, clave: &str, momento_ms: u64, objeto: &Value) -> Self {
        let (tipo, para_tutorial) = match clase {
            Clase::Evento => ("evento", Some(objeto.to_string().into())),
            Clase::Cambio => ("cambio", None),
        };
        let para_pagina = json!({"tipo": tipo, "clave": clave, tipo: objeto}).to_string();
        if para_pagina.len() > MAX_BYTES {
            let motivo = format!("ocupa {} bytes y el límite es {MAX_BYTES}", para_pagina.len());
            return Self::aviso(clase, clave, momento_ms, &motivo);
        }
        Self { clase, es_aviso: false, momento_ms, para_pagina: para_pagina.into(), para_tutorial }
    }

    /// Crea el aviso de que un mensaje no se puede mostrar; `motivo` es una oración para la página.
    pub(crate) fn aviso(clase: Clase, clave: &str, momento_ms: u64, motivo: &str) -> Self {
        let motivo: String = motivo.chars().take(300).collect();
        let para_pagina = json!({"tipo": "aviso", "clave": clave, "motivo": motivo}).to_string().into();
        Self { clase, es_aviso: true, momento_ms, para_pagina, para_tutorial: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn un_evento_tiene_las_dos_formas() {
        let evento = json!({"id": "e1", "data": {"id_cliente": null}});
        let publicacion = Publicacion::nueva(Clase::Evento, "t/1:0", 7, &evento);
        let texto = r#"{"id":"e1","data":{"id_cliente":null}}"#;
        assert_eq!(publicacion.para_tutorial.unwrap().as_str(), texto);
        assert_eq!(
            publicacion.para_pagina.as_str(),
            format!(r#"{{"tipo":"evento","clave":"t/1:0","evento":{texto}}}"#)
        );
    }

    #[test]
    fn lo_demasiado_grande_se_avisa_y_no_se_envia() {
        let publicacion = Publicacion::nueva(Clase::Evento, "t/1:0", 7, &json!({"id": "x".repeat(MAX_BYTES)}));
        assert_eq!((publicacion.es_aviso, publicacion.para_tutorial), (true, None));
        assert!(publicacion.para_pagina.contains("el límite"));
    }
}
