//! Reads error packets, column definitions and text rows.
//!
//! Format: "Text Resultset" and "ERR_Packet" in the MySQL Server Developer Documentation. A [`TextRow`] borrows the
//! receive buffer, so that reading its cells allocates nothing. [`Table`] owns a small result.

use super::read::Reader;

/// The fields of an error packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ErrorPacket {
    /// Number of the error.
    pub code: u16,
    /// SQLSTATE.
    pub state: String,
    /// The server's text, without its final stop.
    pub message: String,
}

impl ErrorPacket {
    /// Reads a packet that starts with 0xff; `None` for any other.
    pub(super) fn parse(packet: &[u8]) -> Option<ErrorPacket> {
        let mut reader = Reader::new(packet);
        if reader.u8()? != 0xff {
            return None;
        }
        let code = reader.u16()?;
        let mut state = "HY000".to_owned();
        if reader.rest().first() == Some(&b'#') {
            reader.u8()?;
            state = String::from_utf8_lossy(reader.bytes(5)?).into_owned();
        }
        let message = String::from_utf8_lossy(reader.rest()).trim_end_matches(['.', ' ']).to_owned();
        Some(ErrorPacket { code, state, message })
    }
}

/// Returns whether a packet ends a list of columns or rows.
#[inline]
pub(super) fn is_end(packet: &[u8]) -> bool {
    packet.first() == Some(&0xfe) && packet.len() < 9
}

/// The parts of a result's column that this crate needs ("Protocol::ColumnDefinition41").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Name in the result (alias).
    pub name: String,
    /// Collation id of the values as sent.
    pub collation: u16,
    /// Largest length in bytes.
    pub length: u32,
    /// Type code (`MYSQL_TYPE_*`).
    pub kind: u8,
    /// Column flags.
    pub flags: u16,
    /// Digits after the point.
    pub decimals: u8,
}

impl ColumnDefinition {
    /// Reads one definition.
    pub fn parse(packet: &[u8]) -> Option<ColumnDefinition> {
        let mut reader = Reader::new(packet);
        for _catalog_schema_table_original in 0..4 {
            reader.length_encoded_bytes()?;
        }
        let name = String::from_utf8_lossy(reader.length_encoded_bytes()?).into_owned();
        reader.length_encoded_bytes()?;
        // MariaDB sends extended metadata here only to clients that ask for it, and this client does not.
        let mut fixed = Reader::new(reader.length_encoded_bytes()?);
        Some(ColumnDefinition {
            name,
            collation: fixed.u16()?,
            length: fixed.u32()?,
            kind: fixed.u8()?,
            flags: fixed.u16()?,
            decimals: fixed.u8()?,
        })
    }
}

/// One row in the receive buffer; cells are taken from left to right.
#[derive(Clone, Copy, Debug)]
pub struct TextRow<'a> {
    reader: Reader<'a>,
}

impl<'a> TextRow<'a> {
    /// Creates a row at the first cell of a row packet.
    pub fn new(packet: &'a [u8]) -> TextRow<'a> {
        TextRow { reader: Reader::new(packet) }
    }

    /// Takes the next cell: `Some(None)` is NULL, `None` means that the row is too short or malformed.
    #[inline]
    pub fn cell(&mut self) -> Option<Option<&'a [u8]>> {
        if self.reader.rest().first() == Some(&0xfb) {
            self.reader.u8()?;
            return Some(None);
        }
        Some(Some(self.reader.length_encoded_bytes()?))
    }
}

/// A small result in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    rows: Vec<Vec<Option<Vec<u8>>>>,
}

impl Table {
    /// Creates an empty result.
    pub fn new(columns: Vec<String>) -> Table {
        Table { columns, rows: Vec::new() }
    }

    /// Appends a row packet, and returns whether it has as many cells as there are columns.
    pub fn push(&mut self, packet: &[u8]) -> bool {
        let mut row = TextRow::new(packet);
        let mut cells = Vec::with_capacity(self.columns.len());
        for _ in &self.columns {
            match row.cell() {
                Some(cell) => cells.push(cell.map(<[u8]>::to_vec)),
                None => return false,
            }
        }
        self.rows.push(cells);
        row.reader.is_empty()
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether the result has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the rows in their order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { columns: &self.columns, cells })
    }

    /// Returns the first row, if there is one.
    pub fn first(&self) -> Option<Row<'_>> {
        self.rows().next()
    }
}

/// A row of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Option<Vec<u8>>],
}

impl<'a> Row<'a> {
    /// Returns a cell as text; `None` if it is NULL or not UTF-8, or if there is no such column.
    pub fn text(&self, index: usize) -> Option<&'a str> {
        self.bytes(index).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// Returns the bytes of a cell; `None` if it is NULL, or if there is no such column.
    pub fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        self.cells.get(index)?.as_deref()
    }

    /// Returns the cell of the column with this name, in any case, as text.
    pub fn named(&self, name: &str) -> Option<&'a str> {
        self.text(self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_packet_is_read() {
        let error = ErrorPacket::parse(b"\xff\x15\x04#28000Access denied.").unwrap();
        assert_eq!((error.code, error.state.as_str(), error.message.as_str()), (1045, "28000", "Access denied"));
        let early = ErrorPacket::parse(b"\xff\x6a\x04Host '1.2.3.4' is not allowed").unwrap();
        assert_eq!((early.code, early.state.as_str()), (1130, "HY000"));
    }

    #[test]
    fn null_and_empty_cells_differ() {
        let mut row = TextRow::new(b"\xfb\x00\x02ab");
        assert_eq!(row.cell(), Some(None));
        assert_eq!(row.cell(), Some(Some(&b""[..])));
        assert_eq!(row.cell(), Some(Some(&b"ab"[..])));
        assert_eq!(row.cell(), None);
    }

    #[test]
    fn a_row_of_another_width_is_refused() {
        let mut table = Table::new(vec!["a".into()]);
        assert!(!table.push(b""));
        assert!(!table.push(b"\x01x\x01y"));
        assert!(table.push(b"\x01x"));
    }

    proptest! {
        #[test]
        fn any_bytes_do_not_panic(packet: Vec<u8>) {
            let _ = ErrorPacket::parse(&packet);
            let _ = ColumnDefinition::parse(&packet);
            let mut row = TextRow::new(&packet);
            while row.cell().is_some() {}
        }
    }
}
