//! Columns of a table map.

/// The type code of a column, as MySQL's `enum_field_types` numbers them, with ENUM and SET already told apart from
/// CHAR.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ColumnType(pub u8);

macro_rules! column_types {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl ColumnType {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Returns the name of the constant, or `None` for an unknown code.
            pub fn name(self) -> Option<&'static str> {
                match self.0 { $($code => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

column_types! {
    /// DECIMAL before MySQL 5.0; never met in a v4 log.
    DECIMAL = 0;
    /// TINYINT, BOOL: 1 byte.
    TINY = 1;
    /// SMALLINT: 2 bytes.
    SHORT = 2;
    /// INT: 4 bytes.
    LONG = 3;
    /// FLOAT: 4 bytes, IEEE 754.
    FLOAT = 4;
    /// DOUBLE: 8 bytes, IEEE 754.
    DOUBLE = 5;
    /// NULL: no bytes.
    NULL = 6;
    /// TIMESTAMP before MySQL 5.6: 4 bytes.
    TIMESTAMP = 7;
    /// BIGINT: 8 bytes.
    LONGLONG = 8;
    /// MEDIUMINT: 3 bytes.
    INT24 = 9;
    /// DATE: 3 bytes.
    DATE = 10;
    /// TIME before MySQL 5.6: 3 bytes.
    TIME = 11;
    /// DATETIME before MySQL 5.6: 8 bytes.
    DATETIME = 12;
    /// YEAR: 1 byte.
    YEAR = 13;
    /// DATE under its internal code: 3 bytes.
    NEWDATE = 14;
    /// VARCHAR and VARBINARY: 1 or 2 bytes of length, then the bytes.
    VARCHAR = 15;
    /// BIT: big-endian bytes.
    BIT = 16;
    /// TIMESTAMP: 4 bytes and the fraction.
    TIMESTAMP2 = 17;
    /// DATETIME: 5 bytes and the fraction.
    DATETIME2 = 18;
    /// TIME: 3 bytes and the fraction.
    TIME2 = 19;
    /// The array of a multi-valued index; only inside functional indexes.
    TYPED_ARRAY = 20;
    /// MariaDB's `COMPRESSED` text and blob: as BLOB, the bytes carry their own compression header.
    BLOB_COMPRESSED = 140;
    /// MariaDB's `COMPRESSED` VARCHAR: as VARCHAR, the bytes carry their own compression header.
    VARCHAR_COMPRESSED = 141;
    /// Internal code of this crate, never in a log: a JSON column of a snapshot, stored like BLOB with the server's own
    /// JSON text.
    JSON_TEXT = 200;
    /// VECTOR of MySQL: 4 bytes of length, then 32-bit floats.
    VECTOR = 242;
    /// JSON in MySQL's binary form: 4 bytes of length, then the document.
    JSON = 245;
    /// DECIMAL: packed digits.
    NEWDECIMAL = 246;
    /// ENUM: 1 or 2 bytes, little-endian, index from 1.
    ENUM = 247;
    /// SET: 1 to 8 bytes, little-endian, a bit for each label.
    SET = 248;
    /// TINYBLOB where a server does not write BLOB.
    TINY_BLOB = 249;
    /// MEDIUMBLOB where a server does not write BLOB.
    MEDIUM_BLOB = 250;
    /// LONGBLOB where a server does not write BLOB.
    LONG_BLOB = 251;
    /// Every TEXT and BLOB: 1 to 4 bytes of length, then the bytes.
    BLOB = 252;
    /// VARCHAR of old tables.
    VAR_STRING = 253;
    /// CHAR and BINARY (and MariaDB's UUID, INET4, INET6): 1 or 2 bytes of length, then the bytes, trailing pad bytes
    /// cut.
    STRING = 254;
    /// Every geometry: 1 to 4 bytes of length, SRID u32, WKB.
    GEOMETRY = 255;
}

impl ColumnType {
    /// Returns whether the column holds integers, which may be UNSIGNED.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::TINY | Self::SHORT | Self::INT24 | Self::LONG | Self::LONGLONG)
    }
}

/// Returns the bytes in which an ENUM of so many labels is stored.
pub fn enum_bytes(labels: usize) -> u16 {
    if labels > 255 { 2 } else { 1 }
}

/// Returns the bytes in which a SET of so many labels is stored.
pub fn set_bytes(labels: usize) -> u16 {
    match labels {
        0..=8 => 1,
        9..=16 => 2,
        17..=24 => 3,
        25..=32 => 4,
        _ => 8,
    }
}

/// Returns the number of a type of geometry in FULL metadata, by its SQL name in any case; `None` for other types.
pub fn geometry_type(name: &str) -> Option<u32> {
    const NAMES: [&str; 8] = [
        "GEOMETRY",
        "POINT",
        "LINESTRING",
        "POLYGON",
        "MULTIPOINT",
        "MULTILINESTRING",
        "MULTIPOLYGON",
        "GEOMETRYCOLLECTION",
    ];
    let name = if name.eq_ignore_ascii_case("GEOMCOLLECTION") { "GEOMETRYCOLLECTION" } else { name };
    (0..).zip(NAMES).find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(number, _)| number)
}

/// One column of a table.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Column {
    /// Type of the stored value.
    pub kind: ColumnType,
    /// Detail of the type, normalised; read it through [`Column::max_bytes`], [`Column::precision`] and their like.
    /// VARCHAR, VAR_STRING, STRING: most bytes · BLOB, JSON, GEOMETRY, VECTOR, JSON_TEXT: bytes of the length prefix ·
    /// NEWDECIMAL: precision × 256 + scale · BIT: bits · ENUM, SET: stored bytes · TIME2, DATETIME2, TIMESTAMP2:
    /// fractional digits · FLOAT, DOUBLE: stored bytes · others 0.
    pub meta: u16,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether the column is UNSIGNED; false where the server does not say ([`super::TableMap::signedness_known`]).
    pub unsigned: bool,
    /// Name; only with `binlog_row_metadata=FULL`.
    pub name: Option<String>,
    /// Collation id of a character, ENUM or SET column (63 is `binary`); ENUM and SET only with FULL metadata.
    pub collation: Option<u32>,
    /// Labels of an ENUM or SET in the column's character set; only with FULL metadata.
    pub labels: Vec<Vec<u8>>,
    /// Geometry type (0 geometry, 1 point, … 7 geometrycollection); only with FULL metadata.
    pub geometry_type: Option<u32>,
    /// False for an INVISIBLE column (true where the server does not say).
    pub visible: bool,
    /// Dimension of a VECTOR of MySQL.
    pub vector_dimension: Option<u32>,
}

impl Column {
    /// Creates a nullable, signed, visible column without metadata.
    pub fn new(kind: ColumnType, meta: u16) -> Self {
        Self {
            kind,
            meta,
            nullable: true,
            unsigned: false,
            name: None,
            collation: None,
            labels: Vec::new(),
            geometry_type: None,
            visible: true,
            vector_dimension: None,
        }
    }

    /// Returns the maximum length in bytes of a VARCHAR or CHAR value.
    pub fn max_bytes(&self) -> u16 {
        self.meta
    }

    /// Returns the number of digits of a DECIMAL.
    pub fn precision(&self) -> u8 {
        self.meta.to_be_bytes()[0]
    }

    /// Returns the number of digits behind the point of a DECIMAL.
    pub fn scale(&self) -> u8 {
        self.meta.to_be_bytes()[1]
    }

    /// Returns the number of fractional digits of a temporal column, 0 to 6.
    pub fn fractional_digits(&self) -> u8 {
        match self.kind {
            ColumnType::TIME2 | ColumnType::DATETIME2 | ColumnType::TIMESTAMP2 => self.meta.to_le_bytes()[0],
            _ => 0,
        }
    }

    /// Bits of a BIT column, 1 to 64.
    pub fn bits(&self) -> u16 {
        self.meta
    }

    /// Returns how the value lies in a row image; `None` for a type that cannot stand there.
    pub fn width(&self) -> Option<Width> {
        let prefix = |bytes: u16| match bytes {
            1 => Some(Width::Prefix1),
            2 => Some(Width::Prefix2),
            3 => Some(Width::Prefix3),
            4 => Some(Width::Prefix4),
            _ => None,
        };
        let by_length = |most: u16| if most > 255 { Width::Prefix2 } else { Width::Prefix1 };
        let fraction = self.meta.div_ceil(2);
        Some(match self.kind {
            ColumnType::NULL => Width::Fixed(0),
            ColumnType::TINY | ColumnType::YEAR => Width::Fixed(1),
            ColumnType::SHORT => Width::Fixed(2),
            ColumnType::INT24 | ColumnType::DATE | ColumnType::NEWDATE | ColumnType::TIME => Width::Fixed(3),
            ColumnType::LONG | ColumnType::FLOAT | ColumnType::TIMESTAMP => Width::Fixed(4),
            ColumnType::LONGLONG | ColumnType::DOUBLE | ColumnType::DATETIME => Width::Fixed(8),
            ColumnType::TIMESTAMP2 if self.meta <= 6 => Width::Fixed(4 + fraction),
            ColumnType::DATETIME2 if self.meta <= 6 => Width::Fixed(5 + fraction),
            ColumnType::TIME2 if self.meta <= 6 => Width::Fixed(3 + fraction),
            ColumnType::NEWDECIMAL => Width::Fixed(crate::value::decimal_bytes(self.precision(), self.scale())?),
            ColumnType::BIT if (1..=64).contains(&self.meta) => Width::Fixed(self.meta.div_ceil(8)),
            ColumnType::ENUM if (1..=2).contains(&self.meta) => Width::Fixed(self.meta),
            ColumnType::SET if (1..=8).contains(&self.meta) => Width::Fixed(self.meta),
            ColumnType::VARCHAR | ColumnType::VARCHAR_COMPRESSED | ColumnType::VAR_STRING | ColumnType::STRING => {
                by_length(self.meta)
            }
            ColumnType::BLOB
            | ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::BLOB_COMPRESSED
            | ColumnType::JSON
            | ColumnType::JSON_TEXT
            | ColumnType::GEOMETRY
            | ColumnType::VECTOR => prefix(self.meta)?,
            _ => return None,
        })
    }
}

/// How a value lies in a row image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// Always that many bytes.
    Fixed(u16),
    /// One byte of length, then the value.
    Prefix1,
    /// Two bytes of length, then the value.
    Prefix2,
    /// Three bytes of length, then the value.
    Prefix3,
    /// Four bytes of length, then the value.
    Prefix4,
}
