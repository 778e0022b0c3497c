//! Debezium's mapping of types, in its default modes: which encoder prints a column and which schema describes it.

use bitacora_binlog::{Column, ColumnType, TableMap};

use super::encoder::{Encoder, Temporal};
use super::spelling::allowed;
use crate::charset::{BINARY_COLLATION, Charset};
use crate::description::ColumnDescription;
use crate::error::PlanError;
use crate::json::write_string;
use crate::options::{DebeziumForm, PlanOptions};
use crate::schema::{Kind, Schema};

/// A column, with what decides its encoder and its schema.
pub(super) struct Mapping<'a> {
    pub table: &'a TableMap,
    pub name: &'a str,
    pub column: &'a Column,
    pub description: Option<&'a ColumnDescription>,
    pub options: &'a PlanOptions,
}

impl Mapping<'_> {
    /// Returns the encoder of the column and the schema of its values, without default and comment.
    ///
    /// # Errors
    /// The type is unknown, or neither the log nor the description tells the charset or the labels.
    pub(super) fn compile(&self) -> Result<(Encoder, Schema), PlanError> {
        let column = self.column;
        let type_name = self.description.map_or("", |column| column.type_name.as_str());
        Ok(match column.kind {
            ColumnType::TINY | ColumnType::SHORT | ColumnType::INT24 | ColumnType::LONG | ColumnType::LONGLONG => {
                self.integer()
            }
            ColumnType::FLOAT => self.float(),
            ColumnType::DOUBLE => (Encoder::Double, Schema::new(Kind::Float64)),
            ColumnType::NEWDECIMAL => self.decimal(),
            ColumnType::BIT if column.bits() == 1 => (Encoder::Boolean, Schema::new(Kind::Boolean)),
            ColumnType::BIT => {
                let schema =
                    Schema::new(Kind::Bytes).logical("io.debezium.data.Bits").parameter("length", column.bits());
                (Encoder::Bits, schema)
            }
            ColumnType::YEAR => (Encoder::Year, Schema::new(Kind::Int32).logical("io.debezium.time.Year")),
            ColumnType::DATE | ColumnType::NEWDATE => {
                (Encoder::Date, Schema::new(Kind::Int32).logical("io.debezium.time.Date"))
            }
            ColumnType::TIME => self.time(Temporal::Old),
            ColumnType::TIME2 => self.time(Temporal::Digits(column.fractional_digits())),
            ColumnType::DATETIME => self.datetime(Temporal::Old),
            ColumnType::DATETIME2 => self.datetime(Temporal::Digits(column.fractional_digits())),
            ColumnType::TIMESTAMP => self.timestamp(Temporal::Old),
            ColumnType::TIMESTAMP2 => self.timestamp(Temporal::Digits(column.fractional_digits())),
            ColumnType::ENUM => self.enumeration()?,
            ColumnType::SET => self.set()?,
            ColumnType::JSON => (Encoder::Json, Schema::new(Kind::String).logical("io.debezium.data.Json")),
            ColumnType::JSON_TEXT => (Encoder::JsonText, Schema::new(Kind::String).logical("io.debezium.data.Json")),
            ColumnType::GEOMETRY if column.geometry_type == Some(1) => (Encoder::Point, point_schema()),
            ColumnType::GEOMETRY => (Encoder::Geometry, geometry_schema()),
            ColumnType::VECTOR => (Encoder::Vector, vector_schema()),
            // MariaDB logs it as a VARBINARY.
            ColumnType::VARCHAR if type_name == "VECTOR" => (Encoder::Vector, vector_schema()),
            ColumnType::STRING if type_name == "UUID" => {
                (Encoder::Uuid, Schema::new(Kind::String).logical("io.debezium.data.Uuid"))
            }
            ColumnType::STRING if type_name == "INET4" => (Encoder::Inet4, Schema::new(Kind::String)),
            ColumnType::STRING if type_name == "INET6" => (Encoder::Inet6, Schema::new(Kind::String)),
            ColumnType::STRING | ColumnType::VARCHAR | ColumnType::VAR_STRING => self.characters()?,
            ColumnType::BLOB | ColumnType::TINY_BLOB | ColumnType::MEDIUM_BLOB | ColumnType::LONG_BLOB => {
                self.characters()?
            }
            ColumnType::VARCHAR_COMPRESSED | ColumnType::BLOB_COMPRESSED => match self.charset()? {
                Some(charset) => (Encoder::InflatedText(charset), Schema::new(Kind::String)),
                None => (Encoder::InflatedBytes, Schema::new(Kind::Bytes)),
            },
            other => {
                return Err(PlanError::UnknownType {
                    database: self.table.database.clone(),
                    table: self.table.table.clone(),
                    column: self.name.to_owned(),
                    code: other.0,
                });
            }
        })
    }

    /// An integer becomes the smallest signed kind from 16 bits on that holds it; BIGINT UNSIGNED wraps.
    fn integer(&self) -> (Encoder, Schema) {
        let (encoder, kind) = match (self.column.kind, self.column.unsigned) {
            (ColumnType::TINY, true) => (Encoder::Unsigned, Kind::Int16),
            (ColumnType::TINY, false) => (Encoder::Signed, Kind::Int16),
            (ColumnType::SHORT, true) => (Encoder::Unsigned, Kind::Int32),
            (ColumnType::SHORT, false) => (Encoder::Signed, Kind::Int16),
            (ColumnType::INT24, true) => (Encoder::Unsigned, Kind::Int32),
            (ColumnType::INT24, false) => (Encoder::Signed, Kind::Int32),
            (ColumnType::LONG, true) => (Encoder::Unsigned, Kind::Int64),
            (ColumnType::LONG, false) => (Encoder::Signed, Kind::Int32),
            (_, true) => (Encoder::UnsignedWrapping, Kind::Int64),
            (_, false) => (Encoder::Signed, Kind::Int64),
        };
        (encoder, Schema::new(kind))
    }

    fn decimal(&self) -> (Encoder, Schema) {
        let (precision, scale) = (self.column.precision(), self.column.scale());
        let schema = Schema::new(Kind::Bytes)
            .logical("org.apache.kafka.connect.data.Decimal")
            .parameter("scale", scale)
            .parameter("connect.decimal.precision", precision);
        (Encoder::Decimal { precision, scale }, schema)
    }

    fn enumeration(&self) -> Result<(Encoder, Schema), PlanError> {
        let labels = self.labels()?;
        let schema = Schema::new(Kind::String).logical("io.debezium.data.Enum").parameter("allowed", allowed(&labels));
        Ok((Encoder::Enum(labels.iter().map(|label| json_string(label)).collect()), schema))
    }

    fn set(&self) -> Result<(Encoder, Schema), PlanError> {
        let labels = self.labels()?;
        let schema =
            Schema::new(Kind::String).logical("io.debezium.data.EnumSet").parameter("allowed", allowed(&labels));
        // A value is one text of several labels, so each label is kept without its quotes.
        let bare = |label: &String| {
            let quoted = json_string(label);
            quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_vec()
        };
        Ok((Encoder::Set(labels.iter().map(bare).collect()), schema))
    }

    /// FLOAT becomes a float; `FLOAT(M,D)`, and every FLOAT in the 1.9 form, a double.
    fn float(&self) -> (Encoder, Schema) {
        let has_scale = self.description.is_some_and(|column| column.scale.is_some());
        if has_scale || self.options.form == DebeziumForm::V1_9 {
            (Encoder::FloatAsDouble, Schema::new(Kind::Float64))
        } else {
            (Encoder::Float, Schema::new(Kind::Float32))
        }
    }

    fn time(&self, stored: Temporal) -> (Encoder, Schema) {
        (Encoder::Time(stored), Schema::new(Kind::Int64).logical("io.debezium.time.MicroTime"))
    }

    fn datetime(&self, stored: Temporal) -> (Encoder, Schema) {
        let name = match stored {
            Temporal::Digits(digits) if digits > 3 => "io.debezium.time.MicroTimestamp",
            _ => "io.debezium.time.Timestamp",
        };
        (Encoder::DateTime(stored), Schema::new(Kind::Int64).logical(name))
    }

    fn timestamp(&self, stored: Temporal) -> (Encoder, Schema) {
        (Encoder::Timestamp(stored), Schema::new(Kind::String).logical("io.debezium.time.ZonedTimestamp"))
    }

    fn characters(&self) -> Result<(Encoder, Schema), PlanError> {
        Ok(match self.charset()? {
            Some(charset) => (Encoder::Text(charset), Schema::new(Kind::String)),
            None if self.column.kind == ColumnType::STRING => {
                (Encoder::PaddedBytes(usize::from(self.column.max_bytes())), Schema::new(Kind::Bytes))
            }
            None => (Encoder::Bytes, Schema::new(Kind::Bytes)),
        })
    }

    /// Returns the character set of the column; `None` for bytes.
    fn charset(&self) -> Result<Option<Charset>, PlanError> {
        let described = || self.description.and_then(|column| column.charset.as_deref()).and_then(Charset::by_name);
        match self.column.collation {
            Some(BINARY_COLLATION) => Ok(None),
            Some(collation) => Charset::by_collation(collation).or_else(described).map(Some).ok_or_else(|| {
                PlanError::UnknownCollation {
                    database: self.table.database.clone(),
                    table: self.table.table.clone(),
                    column: self.name.to_owned(),
                    collation,
                }
            }),
            None => self.described_charset(),
        }
    }

    /// Returns the character set where the log gives none. Without a description it is an error: text that is taken for
    /// bytes would be published as Base64.
    fn described_charset(&self) -> Result<Option<Charset>, PlanError> {
        let (database, table) = (self.table.database.clone(), self.table.table.clone());
        let Some(described) = self.description else { return Err(PlanError::NamesUnknown { database, table }) };
        match described.charset.as_deref() {
            Some("binary") => Ok(None),
            Some(name) => Charset::by_name(name).map(Some).ok_or_else(|| PlanError::UnknownCharset {
                database,
                table,
                column: self.name.to_owned(),
                charset: name.to_owned(),
            }),
            None if is_bytes(&described.type_name) => Ok(None),
            None => Err(PlanError::NamesUnknown { database, table }),
        }
    }

    /// Returns the labels of an ENUM or SET as text.
    fn labels(&self) -> Result<Vec<String>, PlanError> {
        if self.column.labels.is_empty() {
            return match self.description {
                Some(description) if !description.labels.is_empty() => Ok(description.labels.clone()),
                _ => Err(PlanError::NamesUnknown {
                    database: self.table.database.clone(),
                    table: self.table.table.clone(),
                }),
            };
        }
        let charset = self.charset()?.unwrap_or(Charset::Utf8);
        Ok(self.column.labels.iter().map(|label| charset.decode_to_string(label)).collect())
    }
}

/// Returns whether a type of that name holds bytes, which have no character set.
pub(crate) fn is_bytes(type_name: &str) -> bool {
    type_name.ends_with("BINARY") || type_name.ends_with("BLOB")
}

fn json_string(text: &str) -> Vec<u8> {
    let mut quoted = Vec::new();
    write_string(text, &mut quoted);
    quoted
}

fn geometry_schema() -> Schema {
    let fields = vec![Schema::new(Kind::Bytes).field("wkb"), Schema::new(Kind::Int32).optional().field("srid")];
    Schema { doc: Some("Geometry".into()), ..Schema::record("io.debezium.data.geometry.Geometry", fields).version(1) }
}

fn point_schema() -> Schema {
    let fields = vec![
        Schema::new(Kind::Float64).field("x"),
        Schema::new(Kind::Float64).field("y"),
        Schema::new(Kind::Bytes).optional().field("wkb"),
        Schema::new(Kind::Int32).optional().field("srid"),
    ];
    Schema {
        doc: Some("Geometry (POINT)".into()),
        ..Schema::record("io.debezium.data.geometry.Point", fields).version(1)
    }
}

fn vector_schema() -> Schema {
    Schema::new(Kind::Array(Box::new(Schema::new(Kind::Float32)))).logical("io.debezium.data.FloatVector")
}
