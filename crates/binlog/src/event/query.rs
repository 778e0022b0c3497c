//! QUERY: thread u32, execution time u32, length of the database name u8, error u16, length of the status variables
//! u16, the variables, the database and a NUL, the statement. MariaDB's QUERY_COMPRESSED holds the statement compressed
//! (module `compressed`).
//!
//! EXECUTE_LOAD_QUERY, a LOAD DATA or LOAD XML that is logged as a statement, has between the length of the status
//! variables and the variables: file id u32 (the file's content stands in earlier events), start u32 and end u32 of the
//! file's name in the statement, what happens to duplicates u8 (MySQL source documentation, "Execute_load_query_event";
//! MariaDB Knowledge Base, "EXECUTE_LOAD_QUERY_EVENT").
//!
//! Status variables are a code (u8) and a value whose form the code fixes (MySQL source documentation, "Query_event");
//! what follows an unknown code cannot be read, as in the servers.

use crate::{cursor::Cursor, error::Error};

/// A statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query<'a> {
    /// Connection that ran it.
    pub thread_id: u32,
    /// Seconds that it ran.
    pub execution_seconds: u32,
    /// Error number with which it ended, 0 without.
    pub error_code: u16,
    /// Default database (not necessarily that of the statement's tables).
    pub database: &'a [u8],
    /// The statement in the client's character set.
    pub sql: &'a [u8],
    /// Session settings that matter to the statement.
    pub status: StatusVariables<'a>,
}

impl<'a> Query<'a> {
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        Self::read_around(cursor, 0)
    }

    /// Reads an EXECUTE_LOAD_QUERY event; what it says of the file is passed over.
    pub(crate) fn read_execute_load(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        const FILE_BYTES: usize = 4 + 4 + 4 + 1;
        Self::read_around(cursor, FILE_BYTES)
    }

    /// Reads a query whose post-header has some more bytes than that of QUERY.
    fn read_around(cursor: &mut Cursor<'a>, more_bytes: usize) -> Result<Self, Error> {
        const WHAT: &str = "a query event";
        let thread_id = cursor.u32(WHAT)?;
        let execution_seconds = cursor.u32(WHAT)?;
        let database_bytes = cursor.u8(WHAT)?;
        let error_code = cursor.u16(WHAT)?;
        let status_bytes = cursor.u16(WHAT)?;
        cursor.take(more_bytes, WHAT)?;
        let status = StatusVariables(cursor.take(usize::from(status_bytes), "the status variables of a query")?);
        let database = cursor.take(usize::from(database_bytes), WHAT)?;
        cursor.take(1, WHAT)?;
        Ok(Self { thread_id, execution_seconds, error_code, database, sql: cursor.rest(), status })
    }
}

/// The status variables of a statement, undecoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatusVariables<'a>(&'a [u8]);

/// One status variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StatusVariable<'a> {
    /// Session options (bit set).
    Flags2(u32),
    /// `sql_mode` as its bit set.
    SqlMode(u64),
    /// Catalog, always `std`.
    Catalog(&'a [u8]),
    /// `auto_increment_increment` and `auto_increment_offset`.
    AutoIncrement(u16, u16),
    /// `character_set_client`, `collation_connection`, `collation_server` as collation ids.
    Charset {
        /// Character set of the statement text.
        client: u16,
        /// `collation_connection`.
        connection: u16,
        /// `collation_server`.
        server: u16,
    },
    /// `time_zone`.
    TimeZone(&'a [u8]),
    /// `lc_time_names`.
    LcTimeNames(u16),
    /// `collation_database`.
    DatabaseCharset(u16),
    /// Tables that a multi-table update changes (bit set).
    TableMapForUpdate(u64),
    /// User and host that a stored program or an event runs as.
    Invoker {
        /// User.
        user: &'a [u8],
        /// Host.
        host: &'a [u8],
    },
    /// Microseconds of the statement's start.
    Microseconds(u32),
    /// `explicit_defaults_for_timestamp`.
    ExplicitDefaultsForTimestamp(bool),
    /// XID of an atomic DDL.
    DdlXid(u64),
    /// `default_collation_for_utf8mb4`.
    DefaultCollationForUtf8mb4(u16),
    /// `sql_require_primary_key`.
    RequirePrimaryKey(u8),
    /// `default_table_encryption`.
    DefaultTableEncryption(u8),
    /// XID of MariaDB.
    MariadbXid(u64),
    /// A code that names databases changed, MariaDB's `GTID_FLAGS3`, and others without use here; `value` is undecoded.
    Other {
        /// Code.
        code: u8,
        /// Bytes.
        value: &'a [u8],
    },
}

impl<'a> StatusVariables<'a> {
    /// Returns the bytes as they lie in the event.
    pub fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Iterates over the variables up to the first unknown code or damage.
    pub fn iter(&self) -> impl Iterator<Item = StatusVariable<'a>> + 'a {
        let mut cursor = Cursor::new(self.0);
        std::iter::from_fn(move || if cursor.is_empty() { None } else { read_variable(&mut cursor).ok().flatten() })
    }

    /// Returns `sql_mode` of the session as its bit set.
    pub fn sql_mode(&self) -> Option<u64> {
        self.iter().find_map(|variable| if let StatusVariable::SqlMode(mode) = variable { Some(mode) } else { None })
    }

    /// Returns the collation id whose character set the statement text is in.
    pub fn client_collation(&self) -> Option<u16> {
        self.iter().find_map(|v| if let StatusVariable::Charset { client, .. } = v { Some(client) } else { None })
    }
}

fn read_variable<'a>(cursor: &mut Cursor<'a>) -> Result<Option<StatusVariable<'a>>, Error> {
    const WHAT: &str = "a status variable";
    let short = |cursor: &mut Cursor<'a>| {
        let length = cursor.u8(WHAT)?;
        cursor.take(usize::from(length), WHAT)
    };
    Ok(Some(match cursor.u8(WHAT)? {
        0 => StatusVariable::Flags2(cursor.u32(WHAT)?),
        1 => StatusVariable::SqlMode(cursor.u64(WHAT)?),
        2 => {
            let catalog = short(cursor)?;
            cursor.take(1, WHAT)?;
            StatusVariable::Catalog(catalog)
        }
        3 => StatusVariable::AutoIncrement(cursor.u16(WHAT)?, cursor.u16(WHAT)?),
        4 => StatusVariable::Charset {
            client: cursor.u16(WHAT)?,
            connection: cursor.u16(WHAT)?,
            server: cursor.u16(WHAT)?,
        },
        5 => StatusVariable::TimeZone(short(cursor)?),
        6 => StatusVariable::Catalog(short(cursor)?),
        7 => StatusVariable::LcTimeNames(cursor.u16(WHAT)?),
        8 => StatusVariable::DatabaseCharset(cursor.u16(WHAT)?),
        9 => StatusVariable::TableMapForUpdate(cursor.u64(WHAT)?),
        10 => StatusVariable::Other { code: 10, value: cursor.take(4, WHAT)? },
        11 => StatusVariable::Invoker { user: short(cursor)?, host: short(cursor)? },
        12 => {
            let start = *cursor;
            let count = cursor.u8(WHAT)?;
            // 254 stands for "more databases than are listed".
            for _ in 0..if count == 254 { 0 } else { count } {
                while cursor.u8(WHAT)? != 0 {}
            }
            let used = cursor.offset() - start.offset();
            StatusVariable::Other { code: 12, value: { start }.take(used, WHAT)? }
        }
        13 => {
            let [a, b, c] = cursor.array(WHAT)?;
            StatusVariable::Microseconds(u32::from_le_bytes([a, b, c, 0]))
        }
        16 => StatusVariable::ExplicitDefaultsForTimestamp(cursor.u8(WHAT)? != 0),
        17 => StatusVariable::DdlXid(cursor.u64(WHAT)?),
        18 => StatusVariable::DefaultCollationForUtf8mb4(cursor.u16(WHAT)?),
        19 => StatusVariable::RequirePrimaryKey(cursor.u8(WHAT)?),
        20 => StatusVariable::DefaultTableEncryption(cursor.u8(WHAT)?),
        128 => StatusVariable::Microseconds({
            let [a, b, c] = cursor.array(WHAT)?;
            u32::from_le_bytes([a, b, c, 0])
        }),
        129 => StatusVariable::MariadbXid(cursor.u64(WHAT)?),
        130 => StatusVariable::Other { code: 130, value: cursor.take(2, WHAT)? },
        _ => return Ok(None),
    }))
}
