//! The inbox: which events are done, on disk.
//!
//! Each write is durable when its call returns. An intent without a "done" tells that a mail may have been sent by a process that
//! was killed. Entries are dropped [`CONSERVAR`] after their last write; an event that comes again later is mailed again.
//!
//! All calls block on the disk; callers on the runtime move them to its blocking threads.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bitacora_store::{Facts, caught, is_damage, make_folder, open_or_make, tighten_own};
use redb::TableDefinition;

use crate::notificaciones::error::Error;

/// Event id to (state, milliseconds since 1970).
const EVENTOS: TableDefinition<'_, &str, (u8, u64)> = TableDefinition::new("eventos");
const INTENTO: u8 = 1;
const HECHO: u8 = 2;
/// How long an event is remembered; longer than any topic keeps it for a subscription that consumes.
const CONSERVAR: Duration = Duration::from_secs(180 * 24 * 3600);

/// What is known of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Estado {
    Nuevo,
    /// A mail was begun, and perhaps sent.
    Empezado,
    Hecho,
}

/// The events handled so far. One process has it open.
#[derive(Debug)]
pub(crate) struct Bandeja {
    database: Facts,
}

impl Bandeja {
    /// Opens the inbox in a folder, making both where needed, and drops what is old.
    pub(crate) fn abrir(folder: &Path, ahora_ms: u64) -> Result<Self, Error> {
        make_folder(folder).map_err(|source| Error::Folder { path: folder.to_owned(), source })?;
        tighten_own(folder, &["notificaciones.redb"]);
        let path = folder.join("notificaciones.redb");
        let open = || -> Result<Self, redb::Error> {
            let bandeja = Self { database: open_or_make(&path)? };
            bandeja.limpiar(ahora_ms)?;
            Ok(bandeja)
        };
        open().map_err(|source| inbox_error(&path, source))
    }

    pub(crate) fn estado(&self, id: &str) -> Result<Estado, redb::Error> {
        caught(|| {
            let table = self.database.begin_read()?.open_table(EVENTOS)?;
            Ok(match table.get(id)?.map(|entry| entry.value().0) {
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

    /// Drops what is older than it is kept.
    pub(crate) fn limpiar(&self, ahora_ms: u64) -> Result<(), redb::Error> {
        let desde = ahora_ms.saturating_sub(u64::try_from(CONSERVAR.as_millis()).unwrap_or(u64::MAX));
        caught(|| {
            let write = self.database.begin_write()?;
            write.open_table(EVENTOS)?.retain(|_, (_, cuando)| cuando >= desde)?;
            Ok(write.commit()?)
        })?
    }

    fn escribir(&self, id: &str, estado: u8, ahora_ms: u64) -> Result<(), redb::Error> {
        caught(|| {
            let write = self.database.begin_write()?;
            write.open_table(EVENTOS)?.insert(id, (estado, ahora_ms))?;
            Ok(write.commit()?)
        })?
    }
}

fn inbox_error(path: &Path, source: redb::Error) -> Error {
    let (path, source) = (PathBuf::from(path), Box::new(source));
    if is_damage(&source) { Error::DamagedInbox { path, source } } else { Error::Inbox { path, source } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty inbox was taken for one that had never been used: every mail went out again.
    #[test]
    fn un_archivo_vacio_en_lugar_de_la_bandeja_es_un_dano() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notificaciones.redb"), b"").unwrap();
        let error = Bandeja::abrir(folder.path(), 0).unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error}");
    }

    #[test]
    fn los_estados_sobreviven_al_proceso_y_los_viejos_se_olvidan() {
        let folder = tempfile::tempdir().unwrap();
        let bandeja = Bandeja::abrir(folder.path(), 0).unwrap();
        assert_eq!(bandeja.estado("a").unwrap(), Estado::Nuevo);
        bandeja.empezar("a", 1).unwrap();
        bandeja.empezar("b", 2).unwrap();
        bandeja.terminar("b", 3).unwrap();
        let second = Bandeja::abrir(folder.path(), 0).unwrap_err();
        assert!(second.to_string().contains("end the process that uses it"), "{second}");
        drop(bandeja);
        let long_after = 2 + u64::try_from(CONSERVAR.as_millis()).unwrap();
        let bandeja = Bandeja::abrir(folder.path(), 4).unwrap();
        assert_eq!(bandeja.estado("a").unwrap(), Estado::Empezado);
        bandeja.limpiar(long_after).unwrap();
        assert_eq!((bandeja.estado("a").unwrap(), bandeja.estado("b").unwrap()), (Estado::Nuevo, Estado::Hecho));
    }
}
