//! Las últimas publicaciones de una clase, la más vieja primero.

use std::collections::VecDeque;
use std::sync::Arc;

use super::publicacion::Publicacion;

/// Guarda las últimas según la hora del *broker*, lleguen en el orden que lleguen: al arrancar se leen a la vez las
/// historias de varios temas.
#[derive(Debug)]
pub(super) struct Anillo {
    capacidad: usize,
    guardadas: VecDeque<Arc<Publicacion>>,
}

impl Anillo {
    pub(super) fn de(capacidad: usize) -> Self {
        Self { capacidad, guardadas: VecDeque::with_capacity(capacidad + 1) }
    }

    /// Guarda una publicación, detrás de las del mismo momento.
    pub(super) fn guardar(&mut self, publicacion: Arc<Publicacion>) {
        let sitio = self.guardadas.partition_point(|otra| otra.momento_ms <= publicacion.momento_ms);
        self.guardadas.insert(sitio, publicacion);
        if self.guardadas.len() > self.capacidad {
            self.guardadas.pop_front();
        }
    }

    /// Devuelve lo guardado, lo más viejo primero.
    pub(super) fn guardadas(&self) -> impl Iterator<Item = Arc<Publicacion>> {
        self.guardadas.iter().map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Anillo;
    use crate::ui::difusion::{Clase, Publicacion};

    #[test]
    fn quedan_las_ultimas_en_el_orden_de_su_momento() {
        let mut anillo = Anillo::de(3);
        for (clave, momento) in [("b", 20), ("c", 30), ("a", 10), ("d", 30), ("z", 5)] {
            anillo.guardar(Arc::new(Publicacion::aviso(Clase::Evento, clave, momento, "")));
        }
        let textos: Vec<String> = anillo.guardadas().map(|p| p.para_pagina.as_str()[25..26].to_owned()).collect();
        assert_eq!(textos, ["b", "c", "d"]);
    }
}
