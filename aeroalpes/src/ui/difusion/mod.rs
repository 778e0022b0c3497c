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

mod anillo;
mod publicacion;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use anillo::Anillo;
pub(super) use publicacion::{Clase, Publicacion};

/// Publicaciones de cada clase que un websocket nuevo recibe primero.
pub(super) const HISTORIA: usize = 50;

/// Publicaciones de cada clase que pueden esperar al websocket más lento.
const COLA: usize = 256;

/// El único lugar por el que pasan las publicaciones.
#[derive(Debug)]
pub(super) struct Difusion {
    eventos: Corriente,
    cambios: Corriente,
}

/// Las publicaciones de una clase.
#[derive(Debug)]
struct Corriente {
    // Un mutex de std: solo se toma para mover punteros, nunca durante un await.
    anillo: Mutex<Anillo>,
    canal: broadcast::Sender<Arc<Publicacion>>,
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
    pub(super) fn nueva() -> Self {
        Self { eventos: Corriente::nueva(), cambios: Corriente::nueva() }
    }

    /// Da una publicación a cada websocket de su clase.
    pub(super) fn publicar(&self, publicacion: Publicacion) {
        self.corriente(publicacion.clase).publicar(Arc::new(publicacion));
    }

    /// Empieza con la historia de una clase y sigue con lo que se publica después.
    pub(super) fn suscribir(&self, clase: Clase) -> Suscripcion {
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
        // Sin websockets no hay a quién enviar.
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

    /// Se abren websockets en cualquier momento mientras otro hilo publica.
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

    /// Compartían una cola: una sentencia sobre muchas filas cortaba los websockets que solo reciben eventos.
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
