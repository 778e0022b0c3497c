//! Columns: which encoder prints a column and which schema describes it.
//!
//! Types come from the table map; the description adds what the log lacks (defaults, `FLOAT(M,D)`, MariaDB's UUID, INET
//! and VECTOR types, comments). The mapping is Debezium's in its default modes.

mod default;
mod encoder;
mod label;
mod length;
mod rewrite;
mod spelling;
mod treat;

use bitacora_binlog::{Column, ColumnType, TableMap};

use crate::charset::{BINARY_COLLATION, Charset};
use crate::column_rules::Treatment;
use crate::description::{ColumnDefault, ColumnDescription};
use crate::error::{EncodeError, PlanError};
use crate::json::write_string;
use crate::logged::LoggedTable;
use crate::options::{Connector, DebeziumForm, NullWithDefault, PlanOptions};
use crate::schema::{Field, Kind, Schema};
use crate::scratch::Scratch;
use encoder::{Encoder, Temporal};
use label::Label;
use spelling::allowed;
pub(crate) use spelling::spelled;

/// A column of a plan.
#[derive(Debug, Clone)]
pub(crate) struct ColumnPlan {
    /// Its place in the images.
    pub index: usize,
    /// Name.
    pub name: String,
    /// What stands in front of its values.
    pub label: Label,
    encoder: Encoder,
    /// What a value is printed as that Debezium's types cannot hold.
    unrepresentable: Vec<u8>,
    /// What NULL is printed as.
    null: Vec<u8>,
    /// Schema of its values.
    pub schema: Schema,
    /// What an operator should know of a rule for the column: a clause that begins with its name.
    pub note: Option<String>,
}

/// Where a column is printed. Rules for columns concern images only: a key is as it is stored, or it would be no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Image,
}

impl ColumnPlan {
    /// Compiles column `index` of a table for a part of its messages; `None` if the column is left out there.
    pub fn compile(
        table: &TableMap,
        index: usize,
        column: &Column,
        description: Option<&ColumnDescription>,
        options: &PlanOptions,
        part: Part,
    ) -> Result<Option<ColumnPlan>, PlanError> {
        let Some(name) = column.name.clone().or_else(|| description.map(|column| column.name.clone())) else {
            return Err(PlanError::NamesUnknown { database: table.database.clone(), table: table.table.clone() });
        };
        let treatment = match part {
            Part::Key => Treatment::Plain,
            Part::Image if !options.columns.prints(&table.database, &table.table, &name) => return Ok(None),
            Part::Image => options.columns.treatment(&table.database, &table.table, &name),
        };
        let context = Context { table, name: &name, column, description, options };
        let (encoder, schema) = context.map()?;
        let is_nullable = column.nullable && !table.primary_key.iter().any(|part| part.column as usize == index);
        let mut schema = if is_nullable { schema.optional() } else { schema };
        if let Some(description) = description
            && let Some(default) = default::value(&schema, description, column)
        {
            schema.default = Some(default);
        }
        // Debezium's MariaDB parser keeps comments, the MySQL one drops them unless told otherwise.
        if let (Connector::Mariadb, Some(comment)) = (options.connector, description.and_then(|d| d.comment.as_deref()))
            && !comment.is_empty()
        {
            schema.doc = Some(comment.to_owned());
        }
        let label = Label::new(&name);
        let null = match (&schema.default, options.null_with_default) {
            (Some(default), NullWithDefault::Replace) if has_literal(description) => default::printed(&schema, default),
            _ => b"null".to_vec(),
        };
        let unrepresentable = match &schema.default {
            _ if is_nullable => null.clone(),
            Some(default) => default::printed(&schema, default),
            None => encoder.zero().to_vec(),
        };
        let mut plan = ColumnPlan { index, name, label, encoder, unrepresentable, null, schema, note: None };
        plan.treat(treatment, options.form, length::characters(column, description));
        Ok(Some(plan))
    }

    /// Compiles the columns of a table's images, without those that are left out and those that the server hides.
    pub fn images(
        table: &TableMap,
        logged: &LoggedTable<'_>,
        options: &PlanOptions,
    ) -> Result<Vec<ColumnPlan>, PlanError> {
        let mut columns = Vec::with_capacity(table.columns.len());
        for (index, column) in table.columns.iter().enumerate() {
            if !logged.is_hidden(index) {
                let described = logged.description(index);
                columns.extend(ColumnPlan::compile(table, index, column, described, options, Part::Image)?);
            }
        }
        Ok(columns)
    }

    /// Appends the JSON of a stored value.
    pub fn write(&self, bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.encoder.write(bytes, scratch, out) {
            Ok(true) => Ok(()),
            Ok(false) => {
                out.extend_from_slice(&self.unrepresentable);
                Ok(())
            }
            Err(source) => Err(EncodeError::Value { column: self.name.clone(), source }),
        }
    }

    /// Appends what NULL is printed as.
    pub fn write_null(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.null);
    }

    /// The column as a field of a schema.
    pub fn field(&self) -> Field {
        self.schema.clone().field(self.name.as_str())
    }
}

fn has_literal(description: Option<&ColumnDescription>) -> bool {
    description.is_some_and(|column| matches!(column.default, ColumnDefault::Literal(_) | ColumnDefault::Expression(_)))
}

struct Context<'a> {
    table: &'a TableMap,
    name: &'a str,
    column: &'a Column,
    description: Option<&'a ColumnDescription>,
    options: &'a PlanOptions,
}

impl Context<'_> {
    fn map(&self) -> Result<(Encoder, Schema), PlanError> {
        let column = self.column;
        let is_unsigned = column.unsigned;
        let type_name = self.description.map_or("", |column| column.type_name.as_str());
        Ok(match column.kind {
            ColumnType::TINY if is_unsigned => (Encoder::Unsigned, Schema::new(Kind::Int16)),
            ColumnType::TINY => (Encoder::Signed, Schema::new(Kind::Int16)),
            ColumnType::SHORT if is_unsigned => (Encoder::Unsigned, Schema::new(Kind::Int32)),
            ColumnType::SHORT => (Encoder::Signed, Schema::new(Kind::Int16)),
            ColumnType::INT24 if is_unsigned => (Encoder::Unsigned, Schema::new(Kind::Int32)),
            ColumnType::INT24 => (Encoder::Signed, Schema::new(Kind::Int32)),
            ColumnType::LONG if is_unsigned => (Encoder::Unsigned, Schema::new(Kind::Int64)),
            ColumnType::LONG => (Encoder::Signed, Schema::new(Kind::Int32)),
            ColumnType::LONGLONG if is_unsigned => (Encoder::UnsignedWrapping, Schema::new(Kind::Int64)),
            ColumnType::LONGLONG => (Encoder::Signed, Schema::new(Kind::Int64)),
            ColumnType::FLOAT => self.float(),
            ColumnType::DOUBLE => (Encoder::Double, Schema::new(Kind::Float64)),
            ColumnType::NEWDECIMAL => {
                let (precision, scale) = (column.precision(), column.scale());
                let schema = Schema::new(Kind::Bytes)
                    .logical("org.apache.kafka.connect.data.Decimal")
                    .parameter("scale", scale)
                    .parameter("connect.decimal.precision", precision);
                (Encoder::Decimal { precision, scale }, schema)
            }
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
            ColumnType::ENUM => {
                let labels = self.labels()?;
                let schema =
                    Schema::new(Kind::String).logical("io.debezium.data.Enum").parameter("allowed", allowed(&labels));
                (Encoder::Enum(labels.iter().map(|label| json_string(label)).collect()), schema)
            }
            ColumnType::SET => {
                let labels = self.labels()?;
                let schema = Schema::new(Kind::String)
                    .logical("io.debezium.data.EnumSet")
                    .parameter("allowed", allowed(&labels));
                let bare = |label: &String| {
                    let quoted = json_string(label);
                    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_vec()
                };
                (Encoder::Set(labels.iter().map(bare).collect()), schema)
            }
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

    /// FLOAT is a float, but `FLOAT(M,D)` and everything of the 1.9 line a double.
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

    /// The character set of the column; `None` for bytes.
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

    /// The character set where the log gives none: text must not be taken for bytes only because nothing tells the two apart.
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

    /// Labels of an ENUM or SET as text.
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

/// Whether a type of that name holds bytes, which have no character set.
fn is_bytes(type_name: &str) -> bool {
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
