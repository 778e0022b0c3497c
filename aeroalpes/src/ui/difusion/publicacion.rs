//! What browsers get.

use axum::extract::ws::Utf8Bytes;
use serde_json::{Value, json};

/// Longest text of one publication. Columns are cut before, so only an event with an enormous field is above it.
pub const MAX_BYTES: usize = 32 * 1024;

/// What a publication is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clase {
    /// An event of a reservation.
    Evento,
    /// A change of a row.
    Cambio,
}

/// One message for browsers. Clones of its texts share their bytes.
#[derive(Debug)]
pub struct Publicacion {
    /// What it is about.
    pub clase: Clase,
    /// It tells of a message that cannot be shown: told once and not kept.
    pub es_aviso: bool,
    /// When the broker got it, milliseconds since 1970.
    pub momento_ms: u64,
    /// For the page: an object with `tipo`.
    pub para_pagina: Utf8Bytes,
    /// For sockets of the tutorial's form, which know events alone: the event's own JSON.
    pub para_tutorial: Option<Utf8Bytes>,
}

impl Publicacion {
    /// Creates the publication of an event; `clave` is a name that no other message ever has.
    pub fn evento(clave: &str, momento_ms: u64, evento: &Value) -> Self {
        let texto = evento.to_string();
        let para_pagina = json!({"tipo": "evento", "clave": clave, "evento": evento}).to_string();
        Self::si_cabe(Clase::Evento, momento_ms, para_pagina, Some(texto), clave)
    }

    /// Creates the publication of a change, an object.
    pub fn cambio(clave: &str, momento_ms: u64, cambio: &Value) -> Self {
        let para_pagina = json!({"tipo": "cambio", "clave": clave, "cambio": cambio}).to_string();
        Self::si_cabe(Clase::Cambio, momento_ms, para_pagina, None, clave)
    }

    /// Creates the note that a message cannot be shown; `motivo` is a Spanish clause.
    pub fn aviso(clase: Clase, clave: &str, momento_ms: u64, motivo: &str) -> Self {
        let motivo: String = motivo.chars().take(300).collect();
        let para_pagina = json!({"tipo": "aviso", "clave": clave, "motivo": motivo}).to_string().into();
        Self { clase, es_aviso: true, momento_ms, para_pagina, para_tutorial: None }
    }

    fn si_cabe(clase: Clase, momento_ms: u64, pagina: String, tutorial: Option<String>, clave: &str) -> Self {
        if pagina.len() > MAX_BYTES {
            let motivo = format!("ocupa {} bytes y el límite es {MAX_BYTES}", pagina.len());
            return Self::aviso(clase, clave, momento_ms, &motivo);
        }
        let para_tutorial = tutorial.map(Utf8Bytes::from);
        Self { clase, es_aviso: false, momento_ms, para_pagina: pagina.into(), para_tutorial }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MAX_BYTES, Publicacion};

    #[test]
    fn un_evento_tiene_las_dos_formas() {
        let evento = json!({"id": "e1", "data": {"id_cliente": null}});
        let publicacion = Publicacion::evento("t/1:0", 7, &evento);
        let texto = r#"{"id":"e1","data":{"id_cliente":null}}"#;
        assert_eq!(publicacion.para_tutorial.unwrap().as_str(), texto);
        assert_eq!(
            publicacion.para_pagina.as_str(),
            format!(r#"{{"tipo":"evento","clave":"t/1:0","evento":{texto}}}"#)
        );
    }

    #[test]
    fn lo_demasiado_grande_se_avisa_y_no_se_envia() {
        let publicacion = Publicacion::evento("t/1:0", 7, &json!({"id": "x".repeat(MAX_BYTES)}));
        assert_eq!((publicacion.es_aviso, publicacion.para_tutorial), (true, None));
        assert!(publicacion.para_pagina.contains("el límite"));
    }
}
