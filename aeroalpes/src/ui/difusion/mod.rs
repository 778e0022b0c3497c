//! Cada navegador recibe todo.
//!
//! Un lector por tema alimenta todos los websockets. El tutorial tiene un consumidor compartido, que da cada mensaje
//! a un solo navegador; un lector por navegador cargaría el *broker* con cada uno y volvería a decodificarlo todo. Un
//! websocket nuevo recibe las últimas publicaciones y después las que van llegando: las dos cosas se toman bajo un
//! mismo cerrojo, así que entre ellas nada falta ni se repite.
//!
//! Los eventos y los cambios tienen cada uno su corriente: una sentencia puede cambiar más filas de las que caben en
//! una cola, y no debe desplazar ningún evento.
//!
//! Límites: de cada corriente se guardan [`HISTORIA`] publicaciones, y [`COLA`] pueden esperar al websocket más
//! lento, cada una de [`publicacion::MAX_BYTES`] como mucho en cada forma; la cola es común, así que no crece con los
//! websockets. Al que se queda atrás se le dice cuánto se perdió, o se le corta si no se le puede decir.

mod publicacion;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

pub(super) use publicacion::{Clase, Publicacion};

/// Publicaciones de cada clase que un websocket nuevo recibe primero.
pub(super) const HISTORIA: usize = 50;

/// Publicaciones de cada clase que pueden esperar al websocket más lento.
const COLA: usize = 256;

/// El único lugar por el que pasan las publicaciones.
#[derive(Debug, Default)]
pub(super) struct Difusion {
    eventos: Corriente,
    cambios: Corriente,
}

/// Las publicaciones de una clase.
#[derive(Debug)]
struct Corriente {
    // Un mutex de std: solo se toma para mover punteros, nunca durante un await.
    ultimas: Mutex<VecDeque<Arc<Publicacion>>>,
    canal: broadcast::Sender<Arc<Publicacion>>,
}

impl Default for Corriente {
    fn default() -> Self {
        Self { ultimas: Mutex::default(), canal: broadcast::channel(COLA).0 }
    }
}

/// Lo que un websocket nuevo recibe de una clase.
#[derive(Debug)]
pub(super) struct Suscripcion {
    /// Las últimas publicaciones, la más vieja primero.
    pub historia: Vec<Arc<Publicacion>>,
    /// Todo desde ahora.
    pub siguientes: broadcast::Receiver<Arc<Publicacion>>,
}

impl Difusion {
    /// Da una publicación a cada websocket de su clase.
    pub(super) fn publicar(&self, publicacion: Publicacion) {
        let Corriente { ultimas, canal } = self.corriente(publicacion.clase);
        let publicacion = Arc::new(publicacion);
        let mut ultimas = ultimas.lock().unwrap_or_else(PoisonError::into_inner);
        if !publicacion.es_aviso {
            guardar(&mut ultimas, Arc::clone(&publicacion), HISTORIA);
        }
        // Sin websockets no hay a quién enviar.
        let _ = canal.send(publicacion);
    }

    /// Empieza con la historia de una clase y sigue con lo que se publica después.
    pub(super) fn suscribir(&self, clase: Clase) -> Suscripcion {
        let Corriente { ultimas, canal } = self.corriente(clase);
        let ultimas = ultimas.lock().unwrap_or_else(PoisonError::into_inner);
        Suscripcion { historia: ultimas.iter().cloned().collect(), siguientes: canal.subscribe() }
    }

    fn corriente(&self, clase: Clase) -> &Corriente {
        match clase {
            Clase::Evento => &self.eventos,
            Clase::Cambio => &self.cambios,
        }
    }
}

/// Guarda una publicación detrás de las del mismo momento y deja las últimas, lleguen en el orden que lleguen: al
/// arrancar se leen a la vez las historias de varios temas.
fn guardar(ultimas: &mut VecDeque<Arc<Publicacion>>, publicacion: Arc<Publicacion>, cuantas: usize) {
    let sitio = ultimas.partition_point(|otra| otra.momento_ms <= publicacion.momento_ms);
    ultimas.insert(sitio, publicacion);
    if ultimas.len() > cuantas {
        ultimas.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::broadcast::error::TryRecvError;

    use super::*;

    fn evento(numero: u64) -> Publicacion {
        Publicacion::nueva(Clase::Evento, "", numero, &json!(numero))
    }

    fn numero(publicacion: &Publicacion) -> u64 {
        publicacion.para_tutorial.as_ref().unwrap().parse().unwrap()
    }

    #[test]
    fn quedan_las_ultimas_en_el_orden_de_su_momento() {
        let mut ultimas = VecDeque::new();
        for (clave, momento) in [("b", 20), ("c", 30), ("a", 10), ("d", 30), ("z", 5)] {
            guardar(&mut ultimas, Arc::new(Publicacion::aviso(Clase::Evento, clave, momento, "")), 3);
        }
        let textos: Vec<&str> = ultimas.iter().map(|p| &p.para_pagina.as_str()[25..26]).collect();
        assert_eq!(textos, ["b", "c", "d"]);
    }

    /// Se abren websockets en cualquier momento mientras otro hilo publica.
    #[test]
    fn entre_la_historia_y_el_directo_nada_falta_ni_se_repite() {
        const TODAS: u64 = 200;
        let difusion = Arc::new(Difusion::default());
        let otra = Arc::clone(&difusion);
        let hilo = std::thread::spawn(move || (0..TODAS).for_each(|numero| otra.publicar(evento(numero))));
        let mut suscripciones = vec![difusion.suscribir(Clase::Evento)];
        while !hilo.is_finished() {
            suscripciones.push(difusion.suscribir(Clase::Evento));
        }
        hilo.join().unwrap();
        for mut suscripcion in suscripciones {
            let mut vistas: Vec<u64> = suscripcion.historia.iter().map(|p| numero(p)).collect();
            while let Ok(publicacion) = suscripcion.siguientes.try_recv() {
                vistas.push(numero(&publicacion));
            }
            let primera = vistas.first().copied().unwrap();
            assert_eq!(vistas, (primera..TODAS).collect::<Vec<_>>());
        }
        assert_eq!(difusion.suscribir(Clase::Evento).historia.len(), HISTORIA);
    }

    #[test]
    fn un_websocket_lento_sabe_cuanto_se_perdio() {
        let difusion = Difusion::default();
        let mut lenta = difusion.suscribir(Clase::Evento);
        (0..COLA as u64 + 3).for_each(|numero| difusion.publicar(evento(numero)));
        assert_eq!(lenta.siguientes.try_recv().unwrap_err(), TryRecvError::Lagged(3));
        assert_eq!(numero(&lenta.siguientes.try_recv().unwrap()), 3);
    }

    /// Compartían una cola: una sentencia sobre muchas filas cortaba los websockets que solo reciben eventos.
    #[test]
    fn una_avalancha_de_cambios_no_desplaza_ningun_evento() {
        let difusion = Difusion::default();
        let mut eventos = difusion.suscribir(Clase::Evento);
        difusion.publicar(evento(1));
        for cambio in 0..2 * COLA as u64 {
            difusion.publicar(Publicacion::nueva(Clase::Cambio, "", cambio, &json!({})));
            difusion.publicar(Publicacion::aviso(Clase::Cambio, "", cambio, ""));
        }
        difusion.publicar(evento(2));
        let vistas = [(); 2].map(|()| numero(&eventos.siguientes.try_recv().unwrap()));
        assert_eq!((vistas, eventos.siguientes.try_recv().unwrap_err()), ([1, 2], TryRecvError::Empty));
        assert_eq!(difusion.suscribir(Clase::Evento).historia.len(), 2);
        assert_eq!(difusion.suscribir(Clase::Cambio).historia.len(), HISTORIA);
    }
}
