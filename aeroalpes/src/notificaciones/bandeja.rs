//! La bandeja de entrada: qué eventos están hechos, en disco.
//!
//! Cada escritura es duradera cuando vuelve su llamada. Un intento sin su «hecho» dice que un proceso al que mataron
//! quizá envió el correo. Lo anotado se olvida [`CONSERVAR`] después de su última escritura; si un evento vuelve más
//! tarde, sale otro correo.
//!
//! Todas las llamadas esperan al disco: desde una tarea se hacen con `spawn_blocking`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bitacora_data_folder::{Facts, caught, is_damage, make_folder, open_or_make, tighten_own};
use redb::TableDefinition;

use crate::error::Error;

/// De id de evento a (estado, milisegundos desde 1970).
const EVENTOS: TableDefinition<'_, &str, (u8, u64)> = TableDefinition::new("eventos");
const INTENTO: u8 = 1;
const HECHO: u8 = 2;
/// Cuánto se recuerda un evento: más de lo que un tema lo guarda para una suscripción que consume.
const CONSERVAR: Duration = Duration::from_secs(180 * 24 * 3600);

/// Lo que se sabe de un evento.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Estado {
    Nuevo,
    /// Se empezó un correo, y quizá se envió.
    Empezado,
    Hecho,
}

/// Los eventos atendidos. Solo un proceso la tiene abierta.
#[derive(Debug)]
pub(crate) struct Bandeja {
    base: Facts,
}

impl Bandeja {
    /// Abre la bandeja de una carpeta, crea lo que falte y olvida lo viejo.
    pub(crate) fn abrir(carpeta: &Path, ahora_ms: u64) -> Result<Self, Error> {
        make_folder(carpeta).map_err(|source| Error::Carpeta { ruta: carpeta.to_owned(), source })?;
        tighten_own(carpeta, &["notificaciones.redb"]);
        let ruta = carpeta.join("notificaciones.redb");
        let abrir = || -> Result<Self, redb::Error> {
            let bandeja = Self { base: open_or_make(&ruta)? };
            bandeja.limpiar(ahora_ms)?;
            Ok(bandeja)
        };
        abrir().map_err(|source| error_de_bandeja(&ruta, source))
    }

    pub(crate) fn estado(&self, id: &str) -> Result<Estado, redb::Error> {
        caught(|| {
            let tabla = self.base.begin_read()?.open_table(EVENTOS)?;
            Ok(match tabla.get(id)?.map(|entrada| entrada.value().0) {
                None => Estado::Nuevo,
                Some(HECHO) => Estado::Hecho,
                Some(_) => Estado::Empezado,
            })
        })?
    }

    pub(crate) fn empezar(&self, id: &str, ahora_ms: u64) -> Result<(), redb::Error> {
        self.escribir(id, INTENTO, ahora_ms)
    }

    pub(crate) fn terminar(&self, id: &str, ahora_ms: u64) -> Result<(), redb::Error> {
        self.escribir(id, HECHO, ahora_ms)
    }

    /// Olvida lo que es más viejo de lo que se guarda.
    pub(crate) fn limpiar(&self, ahora_ms: u64) -> Result<(), redb::Error> {
        let desde = ahora_ms.saturating_sub(u64::try_from(CONSERVAR.as_millis()).unwrap_or(u64::MAX));
        caught(|| {
            let escritura = self.base.begin_write()?;
            escritura.open_table(EVENTOS)?.retain(|_, (_, cuando)| cuando >= desde)?;
            Ok(escritura.commit()?)
        })?
    }

    fn escribir(&self, id: &str, estado: u8, ahora_ms: u64) -> Result<(), redb::Error> {
        caught(|| {
            let escritura = self.base.begin_write()?;
            escritura.open_table(EVENTOS)?.insert(id, (estado, ahora_ms))?;
            Ok(escritura.commit()?)
        })?
    }
}

fn error_de_bandeja(ruta: &Path, source: redb::Error) -> Error {
    let (ruta, source) = (PathBuf::from(ruta), Box::new(source));
    if is_damage(&source) { Error::BandejaDanada { ruta, source } } else { Error::BandejaCerrada { ruta, source } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Una bandeja vacía pasó por una sin estrenar: todos los correos volvieron a salir.
    #[test]
    fn un_archivo_vacio_en_lugar_de_la_bandeja_es_un_dano() {
        let carpeta = tempfile::tempdir().unwrap();
        std::fs::write(carpeta.path().join("notificaciones.redb"), b"").unwrap();
        let error = Bandeja::abrir(carpeta.path(), 0).unwrap_err();
        assert!(error.to_string().contains("está dañada"), "{error}");
    }

    #[test]
    fn los_estados_sobreviven_al_proceso_y_los_viejos_se_olvidan() {
        let carpeta = tempfile::tempdir().unwrap();
        let bandeja = Bandeja::abrir(carpeta.path(), 0).unwrap();
        assert_eq!(bandeja.estado("a").unwrap(), Estado::Nuevo);
        bandeja.empezar("a", 1).unwrap();
        bandeja.empezar("b", 2).unwrap();
        bandeja.terminar("b", 3).unwrap();
        let segunda = Bandeja::abrir(carpeta.path(), 0).unwrap_err();
        assert!(segunda.to_string().contains("termine el proceso que la usa"), "{segunda}");
        drop(bandeja);
        let mucho_despues = 2 + u64::try_from(CONSERVAR.as_millis()).unwrap();
        let bandeja = Bandeja::abrir(carpeta.path(), 4).unwrap();
        assert_eq!(bandeja.estado("a").unwrap(), Estado::Empezado);
        bandeja.limpiar(mucho_despues).unwrap();
        assert_eq!((bandeja.estado("a").unwrap(), bandeja.estado("b").unwrap()), (Estado::Nuevo, Estado::Hecho));
    }
}
