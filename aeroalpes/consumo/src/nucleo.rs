//! The decisions: what is handled, held, given back, acknowledged or buried. No I/O and no clock: times come in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use bitacora_pulsar::wire::MessageId;

use crate::politica::Politica;
use crate::resultado::Resultado;

/// Messages given back, and entries with siblings still open, that are remembered; forgetting costs a second handling.
const MAX_MEMORIA: usize = 1000;

/// A message as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Llegado {
    pub(crate) id: MessageId,
    /// Messages in its entry.
    pub(crate) en_entrada: u32,
    pub(crate) bytes: usize,
    pub(crate) entregas_previas: u32,
}

/// What to do with a message that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Llegada {
    Manejar,
    /// It was done, but its acknowledgement was lost or waits for its siblings.
    Confirmar,
    /// It is being handled or held already.
    Ignorar,
}

/// What to do after a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Orden {
    Confirmar,
    Retener,
    /// Send to the dead-letter topic with this reason, then tell [`Nucleo::carta`].
    Enterrar(String),
}

/// What to do with a message whose waiting time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vencido {
    Manejar(MessageId),
    /// Negatively acknowledge and forget it: it comes again, here or elsewhere.
    Devolver(MessageId),
}

/// Bounds of what is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limites {
    pub(crate) paralelo: usize,
    pub(crate) max_mensajes: usize,
    pub(crate) max_bytes: usize,
}

/// Failures of a message so far.
#[derive(Debug, Clone, Copy, Default)]
struct Fallos {
    /// Tries that count.
    intentos: u32,
    /// All failures, which the back-off follows.
    esperas: u32,
}

#[derive(Debug)]
struct EnCurso {
    fallos: Fallos,
    bytes: usize,
    en_entrada: u32,
}

#[derive(Debug)]
pub(crate) struct Nucleo {
    politica: Politica,
    limites: Limites,
    en_curso: HashMap<MessageId, EnCurso>,
    /// Messages of `en_curso` that are handled or on their way to the dead letters.
    trabajando: usize,
    bytes: usize,
    a_repetir: BTreeSet<(Instant, MessageId)>,
    a_devolver: BTreeSet<(Instant, MessageId)>,
    devueltos: BTreeMap<MessageId, Fallos>,
    /// Done messages of entries that have others open: all of an entry come again after a loss.
    abiertas: BTreeMap<(i64, i64), BTreeSet<i32>>,
}

impl Nucleo {
    pub(crate) fn new(politica: Politica, limites: Limites) -> Self {
        Self {
            politica,
            limites,
            en_curso: HashMap::new(),
            trabajando: 0,
            bytes: 0,
            a_repetir: BTreeSet::new(),
            a_devolver: BTreeSet::new(),
            devueltos: BTreeMap::new(),
            abiertas: BTreeMap::new(),
        }
    }

    /// Tells whether another message may be received.
    pub(crate) fn cabe(&self) -> bool {
        self.trabajando < self.limites.paralelo.max(1)
            && self.en_curso.len() < self.limites.max_mensajes.max(1)
            && self.bytes < self.limites.max_bytes.max(1)
    }

    pub(crate) fn llega(&mut self, mensaje: Llegado) -> Llegada {
        let Llegado { id, en_entrada, bytes, entregas_previas } = mensaje;
        if self.en_curso.contains_key(&id) {
            return Llegada::Ignorar;
        }
        if self.abiertas.get(&(id.ledger, id.entry)).is_some_and(|hechos| hechos.contains(&id.batch_index)) {
            return Llegada::Confirmar;
        }
        let is_alone = en_entrada <= 1;
        // In a batch the broker counts for all siblings together.
        let de_otros = Fallos { intentos: if is_alone { entregas_previas } else { 0 }, esperas: 0 };
        let fallos = self.devueltos.remove(&id).unwrap_or(de_otros);
        self.en_curso.insert(id, EnCurso { fallos, bytes, en_entrada });
        self.bytes = self.bytes.saturating_add(bytes);
        self.trabajando += 1;
        if !is_alone {
            self.abiertas.entry((id.ledger, id.entry)).or_default();
            recortar(&mut self.abiertas);
        }
        Llegada::Manejar
    }

    /// A try has ended.
    pub(crate) fn termina(&mut self, id: MessageId, resultado: Resultado, ahora: Instant) -> Orden {
        let intentos_maximos = self.politica.intentos.max(1);
        match resultado {
            Resultado::Hecho => self.acaba(id),
            Resultado::Rechazado(motivo) => Orden::Enterrar(motivo),
            Resultado::Indisponible(_) => self.retener(id, ahora, false),
            Resultado::Reintentar(motivo) => {
                let Some(en_curso) = self.en_curso.get_mut(&id) else { return Orden::Retener };
                en_curso.fallos.intentos = en_curso.fallos.intentos.saturating_add(1);
                let (intentos, is_alone) = (en_curso.fallos.intentos, en_curso.en_entrada <= 1);
                if intentos >= intentos_maximos {
                    return Orden::Enterrar(format!("after {intentos} tries: {motivo}"));
                }
                self.retener(id, ahora, is_alone)
            }
        }
    }

    /// The dead letter is durable.
    pub(crate) fn enterrado(&mut self, id: MessageId) -> Orden {
        self.acaba(id)
    }

    /// The dead letter could not be stored: all of it is tried again later, and does not count.
    pub(crate) fn no_enterrado(&mut self, id: MessageId, ahora: Instant) -> Orden {
        self.retener(id, ahora, false)
    }

    /// Returns when [`Nucleo::vence`] has something to say next.
    pub(crate) fn plazo(&self) -> Option<Instant> {
        let repetir = self.a_repetir.first().filter(|_| self.trabajando < self.limites.paralelo.max(1));
        [repetir, self.a_devolver.first()].into_iter().flatten().map(|(cuando, _)| *cuando).min()
    }

    /// Takes one message whose waiting time is over.
    pub(crate) fn vence(&mut self, ahora: Instant) -> Option<Vencido> {
        if let Some(&(cuando, id)) = self.a_devolver.first().filter(|(cuando, _)| *cuando <= ahora) {
            self.a_devolver.remove(&(cuando, id));
            if let Some(en_curso) = self.en_curso.remove(&id) {
                self.bytes = self.bytes.saturating_sub(en_curso.bytes);
                self.devueltos.insert(id, en_curso.fallos);
                recortar(&mut self.devueltos);
            }
            return Some(Vencido::Devolver(id));
        }
        if self.trabajando >= self.limites.paralelo.max(1) {
            return None;
        }
        let &(cuando, id) = self.a_repetir.first().filter(|(cuando, _)| *cuando <= ahora)?;
        self.a_repetir.remove(&(cuando, id));
        self.trabajando += 1;
        Some(Vencido::Manejar(id))
    }

    fn acaba(&mut self, id: MessageId) -> Orden {
        self.trabajando = self.trabajando.saturating_sub(1);
        let Some(en_curso) = self.en_curso.remove(&id) else { return Orden::Confirmar };
        self.bytes = self.bytes.saturating_sub(en_curso.bytes);
        let entrada = (id.ledger, id.entry);
        if let Some(hechos) = self.abiertas.get_mut(&entrada) {
            hechos.insert(id.batch_index);
            // With the last of them the whole entry is acknowledged, and nothing of it comes again.
            if hechos.len() >= en_curso.en_entrada as usize {
                self.abiertas.remove(&entrada);
            }
        }
        Orden::Confirmar
    }

    fn retener(&mut self, id: MessageId, ahora: Instant, is_given_back: bool) -> Orden {
        self.trabajando = self.trabajando.saturating_sub(1);
        if let Some(en_curso) = self.en_curso.get_mut(&id) {
            en_curso.fallos.esperas = en_curso.fallos.esperas.saturating_add(1);
            let cuando = ahora + self.politica.espera(en_curso.fallos.esperas);
            if is_given_back { &mut self.a_devolver } else { &mut self.a_repetir }.insert((cuando, id));
        }
        Orden::Retener
    }
}

/// Forgets the oldest beyond the bound.
fn recortar<K: Ord, V>(memoria: &mut BTreeMap<K, V>) {
    while memoria.len() > MAX_MEMORIA {
        memoria.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITES: Limites = Limites { paralelo: 1, max_mensajes: 3, max_bytes: 1000 };

    fn nucleo() -> Nucleo {
        Nucleo::new(Politica { intentos: 3, ..Politica::default() }, LIMITES)
    }

    fn solo(entry: i64) -> Llegado {
        Llegado { id: MessageId::new(0, entry), en_entrada: 1, bytes: 10, entregas_previas: 0 }
    }

    fn de_lote(entry: i64, batch_index: i32) -> Llegado {
        Llegado { id: MessageId { batch_index, ..MessageId::new(0, entry) }, en_entrada: 3, ..solo(entry) }
    }

    fn reintentar() -> Resultado {
        Resultado::Reintentar("no".into())
    }

    fn despues(ahora: Instant, seconds: u64) -> Instant {
        ahora + Duration::from_secs(seconds)
    }

    #[test]
    fn a_message_alone_in_its_entry_is_given_back_after_the_back_off_and_its_tries_are_remembered() {
        let (mut nucleo, ahora, uno) = (nucleo(), Instant::now(), solo(1));
        for (espera, orden) in
            [(1, Orden::Retener), (2, Orden::Retener), (0, Orden::Enterrar("after 3 tries: no".into()))]
        {
            assert_eq!(nucleo.llega(uno), Llegada::Manejar);
            assert_eq!(nucleo.termina(uno.id, reintentar(), ahora), orden);
            if orden == Orden::Retener {
                assert_eq!(nucleo.llega(uno), Llegada::Ignorar, "it is held");
                assert_eq!(nucleo.plazo(), Some(despues(ahora, espera)));
                assert_eq!(nucleo.vence(ahora), None);
                assert_eq!(nucleo.vence(despues(ahora, espera)), Some(Vencido::Devolver(uno.id)));
            }
        }
        assert_eq!(nucleo.enterrado(uno.id), Orden::Confirmar);
        assert!(nucleo.cabe() && nucleo.plazo().is_none());
    }

    #[test]
    fn tries_of_other_consumers_count_for_a_message_that_is_new_here() {
        let (mut nucleo, ahora) = (nucleo(), Instant::now());
        let dos_veces = Llegado { entregas_previas: 2, ..solo(1) };
        nucleo.llega(dos_veces);
        assert_eq!(nucleo.termina(dos_veces.id, reintentar(), ahora), Orden::Enterrar("after 3 tries: no".into()));
        nucleo.enterrado(dos_veces.id);
        // In a batch they are tries of any sibling.
        let hermano = Llegado { entregas_previas: 2, ..de_lote(2, 0) };
        nucleo.llega(hermano);
        assert_eq!(nucleo.termina(hermano.id, reintentar(), ahora), Orden::Retener);
    }

    #[test]
    fn a_message_of_a_batch_is_tried_again_from_here_and_done_siblings_are_not_handled_again() {
        let (mut nucleo, ahora) = (nucleo(), Instant::now());
        for sibling in [de_lote(5, 0), de_lote(5, 1)] {
            assert_eq!(nucleo.llega(sibling), Llegada::Manejar);
            if sibling.id.batch_index == 0 {
                assert_eq!(nucleo.termina(sibling.id, Resultado::Hecho, ahora), Orden::Confirmar);
            }
        }
        assert_eq!(nucleo.termina(de_lote(5, 1).id, reintentar(), ahora), Orden::Retener);
        // The connection is lost, so all of the entry comes again.
        assert_eq!(nucleo.llega(de_lote(5, 0)), Llegada::Confirmar);
        assert_eq!(nucleo.llega(de_lote(5, 1)), Llegada::Ignorar);
        assert_eq!(nucleo.llega(de_lote(5, 2)), Llegada::Manejar);
        assert_eq!(nucleo.vence(despues(ahora, 1)), None, "one at a time");
        assert_eq!(nucleo.plazo(), None, "nothing to wake up for until a place is free");
        assert_eq!(nucleo.termina(de_lote(5, 2).id, Resultado::Hecho, ahora), Orden::Confirmar);
        assert_eq!(nucleo.vence(despues(ahora, 1)), Some(Vencido::Manejar(de_lote(5, 1).id)));
        assert_eq!(nucleo.termina(de_lote(5, 1).id, Resultado::Hecho, ahora), Orden::Confirmar);
        assert!(nucleo.abiertas.is_empty(), "a whole entry is forgotten");
    }

    #[test]
    fn a_service_that_is_away_costs_no_try_and_the_message_stays_here() {
        let (mut nucleo, mut ahora, uno) = (nucleo(), Instant::now(), solo(1));
        nucleo.llega(uno);
        for _ in 0..20 {
            assert_eq!(nucleo.termina(uno.id, Resultado::Indisponible("away".into()), ahora), Orden::Retener);
            ahora = nucleo.plazo().unwrap();
            assert_eq!(nucleo.vence(ahora), Some(Vencido::Manejar(uno.id)));
        }
        assert_eq!(nucleo.termina(uno.id, reintentar(), ahora), Orden::Retener, "the first try that counts");
        assert_eq!(nucleo.plazo(), Some(ahora + Politica::default().espera_maxima));
    }

    #[test]
    fn what_can_never_be_done_is_buried_and_kept_until_that_is_durable() {
        let (mut nucleo, ahora, uno) = (nucleo(), Instant::now(), solo(1));
        nucleo.llega(uno);
        assert_eq!(
            nucleo.termina(uno.id, Resultado::Rechazado("never".into()), ahora),
            Orden::Enterrar("never".into())
        );
        assert!(!nucleo.cabe());
        assert_eq!(nucleo.no_enterrado(uno.id, ahora), Orden::Retener);
        assert_eq!(nucleo.vence(despues(ahora, 1)), Some(Vencido::Manejar(uno.id)));
    }

    #[test]
    fn nothing_is_received_beyond_the_bounds() {
        let (mut nucleo, ahora) = (nucleo(), Instant::now());
        for entry in 0..3 {
            assert!(nucleo.cabe());
            nucleo.llega(solo(entry));
            assert!(!nucleo.cabe(), "one at a time");
            nucleo.termina(solo(entry).id, reintentar(), ahora);
        }
        assert!(!nucleo.cabe(), "three are held");
        nucleo.vence(despues(ahora, 1));
        assert!(nucleo.cabe());
        nucleo.llega(Llegado { bytes: 5000, ..solo(9) });
        nucleo.termina(solo(9).id, Resultado::Indisponible("away".into()), ahora);
        assert!(!nucleo.cabe(), "5000 bytes are held");
    }

    #[test]
    fn memory_is_bounded() {
        let (mut nucleo, ahora) = (nucleo(), Instant::now());
        for entry in 0..2 * MAX_MEMORIA as i64 {
            nucleo.llega(solo(entry));
            nucleo.termina(solo(entry).id, reintentar(), ahora);
            nucleo.vence(despues(ahora, 1));
            nucleo.llega(de_lote(entry + 1_000_000, 0));
            nucleo.termina(de_lote(entry + 1_000_000, 0).id, Resultado::Hecho, ahora);
        }
        assert_eq!((nucleo.devueltos.len(), nucleo.abiertas.len()), (MAX_MEMORIA, MAX_MEMORIA));
        assert_eq!((nucleo.en_curso.len(), nucleo.bytes, nucleo.trabajando), (0, 0, 0));
    }
}
