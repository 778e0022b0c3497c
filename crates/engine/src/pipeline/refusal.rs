//! Events that cannot be turned into messages: what they are, where, and what helps.

use bitacora_binlog::event::Body;
use bitacora_binlog::{Error as BinlogError, EventType};

use super::read_place::Site;
use super::state::State;
use crate::error::{EngineError, ErrorKind, Place};
use crate::sink::Sink;

/// What helps where the log is damaged.
pub(super) const DAMAGED: &str =
    "check the server's disk and its error log; if the log is damaged there, take a new snapshot";

impl<S: Sink> State<S> {
    /// Fails on an event after which rows would be missing, and lets those pass that have nothing to do with rows.
    pub(super) fn refuse(&mut self, body: &Body<'_>, site: Site) -> Result<(), EngineError> {
        match body {
            Body::PartialUpdateRows { table, .. } => {
                self.pass(site);
                if self.writer.rules.filter.table(&table.database, &table.table) {
                    return Err(EngineError::new(
                        ErrorKind::Log,
                        "a row was logged as a partial JSON update, which cannot be turned into a whole row",
                    )
                    .remedy("set binlog_row_value_options='' on the server, then take a new snapshot of the table")
                    .at(Place { table: Some(format!("{}.{}", table.database, table.table)), ..self.place_of(site) }));
                }
            }
            Body::Incident(incident) => {
                return Err(EngineError::new(
                    ErrorKind::Log,
                    format!("the server reports a gap in its log: {}", String::from_utf8_lossy(incident.message)),
                )
                .remedy("changes are missing from the log; take a new snapshot")
                .at(self.place_of(site)));
            }
            Body::Other(_) if site.header.kind == EventType::PARTIAL_ROW_DATA => {
                return Err(EngineError::new(
                    ErrorKind::Log,
                    "a row is too large for one event and was logged in fragments, which is not supported",
                )
                .remedy(
                    "raise binlog_row_event_fragment_threshold on the server, then take a new snapshot of the table",
                )
                .at(self.place_of(site)));
            }
            Body::Unknown(_) if !site.header.is_ignorable() => {
                return Err(EngineError::new(
                    ErrorKind::Log,
                    format!("an event of the unknown type {} cannot be skipped safely", site.header.kind.0),
                )
                .remedy("this server is newer than this program; use a newer program")
                .at(self.place_of(site)));
            }
            Body::Unknown(_) => {
                self.writer.metrics.ignored_event_count.add(1);
                tracing::warn!(kind = site.header.kind.0, file = %self.place.file, position = site.start,
                    "skipped an event of an unknown type that the server marks as safe to skip");
            }
            _ => {}
        }
        Ok(())
    }

    /// The error of an event that the decoder refuses.
    pub(super) fn undecodable(&self, error: BinlogError) -> EngineError {
        EngineError::new(ErrorKind::Log, format!("an event of the log is damaged or not understood: {error}"))
            .remedy(DAMAGED)
            .at(Place {
                server: Some(self.server.clone()),
                file: Some(self.place.file.clone()),
                position: Some(self.place.offset),
                gtid: self.transaction.gtid().map(str::to_owned),
                table: None,
            })
            .quoted(error)
    }

    pub(super) fn place_of(&self, site: Site) -> Place {
        Place {
            server: Some(self.server.clone()),
            file: Some(self.place.file.clone()),
            position: Some(site.start),
            gtid: self.transaction.gtid().map(str::to_owned),
            table: None,
        }
    }
}
