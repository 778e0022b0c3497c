//! Where in the server's log an error happened.

use std::fmt;

/// The place, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Host and port of the server.
    pub server: Option<String>,
    /// Binlog file.
    pub file: Option<String>,
    /// Byte position of the event in that file.
    pub position: Option<u64>,
    /// GTID of the transaction.
    pub gtid: Option<String>,
    /// `database.table`.
    pub table: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            let written = write!(f, "{separator}{text}");
            separator = ", ";
            written
        };
        if let Some(server) = &self.server {
            part(f, format_args!("server {server}"))?;
        }
        if let Some(table) = &self.table {
            part(f, format_args!("table {table}"))?;
        }
        match (&self.file, self.position) {
            (Some(file), Some(position)) => part(f, format_args!("binlog {file}:{position}"))?,
            (Some(file), None) => part(f, format_args!("binlog {file}"))?,
            _ => {}
        }
        if let Some(gtid) = &self.gtid {
            part(f, format_args!("GTID {gtid}"))?;
        }
        Ok(())
    }
}

impl Place {
    pub(super) fn is_empty(&self) -> bool {
        *self == Place::default()
    }
}
