//! Every browser gets everything.
//!
//! One reader for each topic feeds all sockets. The tutorial has one shared consumer, which gives each message to one
//! browser; a reader for each browser would load the broker with the number of browsers and decode everything again.
//! A new socket gets the latest publications and then the live ones: both are taken under one lock, so nothing is
//! missing in between and nothing comes twice.
//!
//! Events and changes have a stream each: one statement may change more rows than a queue holds, and must push no event out.
//!
//! Bounds: of each stream [`HISTORIA`] publications are kept, [`COLA`] may wait for the slowest socket, each of at most
//! [`publicacion::MAX_BYTES`] in either form; the queue is shared, so it does not grow with the sockets. A socket that
//! falls behind it is told how many it missed, or is cut where it cannot be told.

mod anillo;
mod publicacion;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use anillo::Anillo;
pub use publicacion::{Clase, Publicacion};

/// Publications of each class that a new socket gets first.
pub const HISTORIA: usize = 50;

/// Publications of each class that may wait for the slowest socket.
const COLA: usize = 256;

/// The one place through which publications go.
#[derive(Debug)]
pub struct Difusion {
    eventos: Corriente,
    cambios: Corriente,
}

/// The publications of one class.
#[derive(Debug)]
struct Corriente {
    // A std mutex: held for moving pointers only, never across an await.
    anillo: Mutex<Anillo>,
    canal: broadcast::Sender<Arc<Publicacion>>,
}

/// What a new socket gets of one class.
#[derive(Debug)]
pub struct Suscripcion {
    /// The latest publications, oldest first.
    pub historia: Vec<Arc<Publicacion>>,
    /// Everything from now on.
    pub siguientes: broadcast::Receiver<Arc<Publicacion>>,
}

impl Difusion {
    /// Creates it without history.
    pub fn nueva() -> Self {
        Self { eventos: Corriente::nueva(), cambios: Corriente::nueva() }
    }

    /// Gives a publication to every socket of its class.
    pub fn publicar(&self, publicacion: Publicacion) {
        self.corriente(publicacion.clase).publicar(Arc::new(publicacion));
    }

    /// Begins with the history of a class and goes on with what is published after it.
    pub fn suscribir(&self, clase: Clase) -> Suscripcion {
        self.corriente(clase).suscribir()
    }

    fn corriente(&self, clase: Clase) -> &Corriente {
        match clase {
            Clase::Evento => &self.eventos,
            Clase::Cambio => &self.cambios,
        }
    }
}

impl Corriente {
    fn nueva() -> Self {
        Self { anillo: Mutex::new(Anillo::de(HISTORIA)), canal: broadcast::channel(COLA).0 }
    }

    fn publicar(&self, publicacion: Arc<Publicacion>) {
        let mut anillo = self.anillo.lock().unwrap_or_else(PoisonError::into_inner);
        if !publicacion.es_aviso {
            anillo.guardar(Arc::clone(&publicacion));
        }
        // Without sockets there is nobody to send to.
        let _ = self.canal.send(publicacion);
    }

    fn suscribir(&self) -> Suscripcion {
        let anillo = self.anillo.lock().unwrap_or_else(PoisonError::into_inner);
        Suscripcion { historia: anillo.guardadas().collect(), siguientes: self.canal.subscribe() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tokio::sync::broadcast::error::TryRecvError;

    use super::{COLA, Clase, Difusion, HISTORIA, Publicacion};

    fn evento(numero: u64) -> Publicacion {
        Publicacion::evento("", numero, &json!(numero))
    }

    fn numero(publicacion: &Publicacion) -> u64 {
        publicacion.para_tutorial.as_ref().unwrap().parse().unwrap()
    }

    /// Sockets open at any moment while another thread publishes.
    #[test]
    fn entre_la_historia_y_el_directo_nada_falta_ni_se_repite() {
        const TODAS: u64 = 200;
        let difusion = Arc::new(Difusion::nueva());
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
        let difusion = Difusion::nueva();
        let mut lenta = difusion.suscribir(Clase::Evento);
        (0..COLA as u64 + 3).for_each(|numero| difusion.publicar(evento(numero)));
        assert_eq!(lenta.siguientes.try_recv().unwrap_err(), TryRecvError::Lagged(3));
        assert_eq!(numero(&lenta.siguientes.try_recv().unwrap()), 3);
    }

    /// They shared one queue: a statement over many rows cut the sockets that get events alone.
    #[test]
    fn una_avalancha_de_cambios_no_desplaza_ningun_evento() {
        let difusion = Difusion::nueva();
        let mut eventos = difusion.suscribir(Clase::Evento);
        difusion.publicar(evento(1));
        for cambio in 0..2 * COLA as u64 {
            difusion.publicar(Publicacion::cambio("", cambio, &json!({})));
            difusion.publicar(Publicacion::aviso(Clase::Cambio, "", cambio, ""));
        }
        difusion.publicar(evento(2));
        let vistas = [(); 2].map(|()| numero(&eventos.siguientes.try_recv().unwrap()));
        assert_eq!((vistas, eventos.siguientes.try_recv().unwrap_err()), ([1, 2], TryRecvError::Empty));
        assert_eq!(difusion.suscribir(Clase::Evento).historia.len(), 2);
        assert_eq!(difusion.suscribir(Clase::Cambio).historia.len(), HISTORIA);
    }
}
