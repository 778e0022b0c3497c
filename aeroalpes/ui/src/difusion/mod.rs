//! Every browser gets everything.
//!
//! One reader for each topic feeds all sockets. The tutorial has one shared consumer, which gives each message to one
//! browser; a reader for each browser would load the broker with the number of browsers and decode everything again.
//! A new socket gets the latest publications and then the live ones: both are taken under one lock, so nothing is
//! missing in between and nothing comes twice.
//!
//! Bounds: [`HISTORIA`] publications of each kind are kept, [`COLA`] may wait for the slowest socket, each of at most
//! [`publicacion::MAX_BYTES`] in either form; the queue is shared, so it does not grow with the sockets. A socket that
//! falls behind it is told how many it missed, or is cut where it cannot be told.

mod anillo;
mod publicacion;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use anillo::Anillo;
pub use publicacion::{Clase, Publicacion};

/// Publications of each kind that a new socket gets first.
pub const HISTORIA: usize = 50;

/// Publications that may wait for the slowest socket.
const COLA: usize = 256;

/// The one place through which publications go.
#[derive(Debug)]
pub struct Difusion {
    // A std mutex: held for moving pointers only, never across an await.
    anillos: Mutex<Anillos>,
    canal: broadcast::Sender<Arc<Publicacion>>,
}

#[derive(Debug)]
struct Anillos {
    eventos: Anillo,
    cambios: Anillo,
}

/// What a new socket gets.
#[derive(Debug)]
pub struct Suscripcion {
    /// The latest events, then the latest changes; each oldest first.
    pub historia: Vec<Arc<Publicacion>>,
    /// Everything from now on.
    pub siguientes: broadcast::Receiver<Arc<Publicacion>>,
}

impl Difusion {
    /// Creates it without history.
    pub fn nueva() -> Self {
        let anillos = Anillos { eventos: Anillo::de(HISTORIA), cambios: Anillo::de(HISTORIA) };
        Self { anillos: Mutex::new(anillos), canal: broadcast::channel(COLA).0 }
    }

    /// Gives a publication to every socket.
    pub fn publicar(&self, publicacion: Publicacion) {
        let publicacion = Arc::new(publicacion);
        let mut anillos = self.anillos.lock().unwrap_or_else(PoisonError::into_inner);
        match publicacion.clase {
            Clase::Evento => anillos.eventos.guardar(Arc::clone(&publicacion)),
            Clase::Cambio => anillos.cambios.guardar(Arc::clone(&publicacion)),
            Clase::Aviso => {}
        }
        // Without sockets there is nobody to send to.
        let _ = self.canal.send(publicacion);
    }

    /// Begins with the history and goes on with what is published after it.
    pub fn suscribir(&self) -> Suscripcion {
        let anillos = self.anillos.lock().unwrap_or_else(PoisonError::into_inner);
        let historia = anillos.eventos.guardadas().chain(anillos.cambios.guardadas()).collect();
        Suscripcion { historia, siguientes: self.canal.subscribe() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tokio::sync::broadcast::error::TryRecvError;

    use super::{COLA, Difusion, HISTORIA, Publicacion};

    fn evento(numero: u64) -> Publicacion {
        Publicacion::evento("", numero, &json!(numero))
    }

    fn numero(publicacion: &Publicacion) -> u64 {
        publicacion.para_tutorial.as_ref().unwrap().parse().unwrap()
    }

    /// Sockets open at any moment while another thread publishes.
    #[test]
    fn between_history_and_live_nothing_is_missing_and_nothing_comes_twice() {
        const TODAS: u64 = 200;
        let difusion = Arc::new(Difusion::nueva());
        let otra = Arc::clone(&difusion);
        let hilo = std::thread::spawn(move || (0..TODAS).for_each(|numero| otra.publicar(evento(numero))));
        let mut suscripciones = vec![difusion.suscribir()];
        while !hilo.is_finished() {
            suscripciones.push(difusion.suscribir());
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
        assert_eq!(difusion.suscribir().historia.len(), HISTORIA);
    }

    #[test]
    fn a_slow_socket_learns_how_many_it_missed() {
        let difusion = Difusion::nueva();
        let mut lenta = difusion.suscribir();
        (0..COLA as u64 + 3).for_each(|numero| difusion.publicar(evento(numero)));
        assert_eq!(lenta.siguientes.try_recv().unwrap_err(), TryRecvError::Lagged(3));
        assert_eq!(numero(&lenta.siguientes.try_recv().unwrap()), 3);
    }
}
