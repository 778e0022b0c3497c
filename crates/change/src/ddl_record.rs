//! Records of the schema-change topic, whose name is the prefix: what a statement did to tables.
//!
//! Such records are rare, so they are built as JSON trees; their bytes are Debezium's. Labels, defaults and comments
//! are written as between the quotes of `SHOW CREATE TABLE`, so that a reader can put them into a statement.

use serde_json::{Value, json};

use crate::column::spelled;
use crate::description::{ColumnDefault, ColumnDescription, TableDescription};
use crate::event_context::EventContext;
use crate::json::write_base64;
use crate::message::{MessageBuffer, WholeMessage};
use crate::options::{Connector, DebeziumForm, PlanOptions, ValueFormat};
use crate::schema::{
    Field, KeyValueEncoding, KeyValueSchema, Kind, MessageSchema, Schema, SchemaPart, avro_definition, connect_json,
};
use crate::source_block::{Precision, SourceBlock};

/// What happened to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableChangeType {
    /// It is new.
    Create,
    /// It looks different or has another name.
    Alter,
    /// It is gone.
    Drop,
}

/// A change of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableChange {
    /// What happened.
    pub kind: TableChangeType,
    /// Database of the table.
    pub database: String,
    /// Table.
    pub table: String,
    /// The table after the change; `None` if it is gone.
    pub description: Option<TableDescription>,
}

/// A statement that changed tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// Database; the record's key.
    pub database: String,
    /// Tables of the statement, comma-separated.
    pub table: Option<String>,
    /// Text of the statement.
    pub ddl: String,
    /// What it did to each table.
    pub changes: Vec<TableChange>,
}

/// Writes the records of one source.
#[derive(Debug, Clone)]
pub struct DdlRecordEncoder {
    options: PlanOptions,
    key_schema: Schema,
    value_schema: Schema,
    message_schema: MessageSchema,
}

impl DdlRecordEncoder {
    /// Prepares the schemas.
    pub fn new(options: &PlanOptions) -> Self {
        let (key_schema, value_schema) = (key_schema(options), value_schema(options));
        let message_schema = match options.value_format {
            ValueFormat::Json => KeyValueSchema {
                encoding: KeyValueEncoding::Separated,
                key: SchemaPart::json(avro_definition(&key_schema)),
                value: SchemaPart::json(avro_definition(&value_schema)),
            },
            ValueFormat::JsonWithEnvelope => KeyValueSchema {
                encoding: KeyValueEncoding::Inline,
                key: SchemaPart::bytes(),
                value: SchemaPart::bytes(),
            },
        };
        let message_schema = MessageSchema::KeyValue(message_schema);
        DdlRecordEncoder { options: options.clone(), key_schema, value_schema, message_schema }
    }

    /// Returns the name of the topic.
    pub fn topic(&self) -> &str {
        &self.options.topic_prefix
    }

    /// Returns the schema that the sink registers for the topic.
    pub fn message_schema(&self) -> &MessageSchema {
        &self.message_schema
    }

    /// Appends the record of a statement.
    pub fn encode(&self, change: &SchemaChange, context: &EventContext<'_>, out: &mut MessageBuffer) {
        let key = json!({ "databaseName": change.database }).to_string();
        let value = self.value(change, context);
        match self.options.value_format {
            ValueFormat::Json => {
                out.push(&WholeMessage { key: Some(key.as_bytes()), value: Some(&value), ..WholeMessage::default() });
            }
            ValueFormat::JsonWithEnvelope => {
                let wrap = |schema: &Schema, payload: &[u8]| {
                    let mut wrapped = format!("{{\"schema\":{},\"payload\":", connect_json(schema)).into_bytes();
                    wrapped.extend_from_slice(payload);
                    wrapped.push(b'}');
                    wrapped
                };
                let key = wrap(&self.key_schema, key.as_bytes());
                let mut payload = Vec::new();
                for half in [&key, &wrap(&self.value_schema, &value)] {
                    payload.extend_from_slice(&u32::try_from(half.len()).unwrap_or(u32::MAX).to_be_bytes());
                    payload.extend_from_slice(half);
                }
                let mut text = Vec::new();
                write_base64(&key, &mut text);
                out.push(&WholeMessage { key: Some(&text), value: Some(&payload), ..WholeMessage::default() });
            }
        }
    }

    fn value(&self, change: &SchemaChange, context: &EventContext<'_>) -> Vec<u8> {
        let options = &self.options;
        let table = change.table.as_deref();
        let source = SourceBlock::new(
            options.connector,
            options.form,
            &options.topic_prefix,
            &change.database,
            table,
            Precision::Millisecond,
        );
        let mut value = b"{\"source\":".to_vec();
        source.write(context, &mut value);
        if options.form == DebeziumForm::V3_6 {
            value.extend_from_slice(format!(",\"ts_ms\":{}", context.now_us.div_euclid(1_000)).as_bytes());
        }
        let changes: Vec<Value> = change.changes.iter().map(|change| table_change(change, options)).collect();
        let rest = json!({
            "databaseName": change.database,
            "schemaName": null,
            "ddl": change.ddl,
            "tableChanges": changes,
        });
        // The rest is an object of its own, whose opening brace becomes the comma behind the source.
        value.push(b',');
        value.extend_from_slice(rest.to_string().as_bytes().get(1..).unwrap_or_default());
        value
    }
}

fn table_change(change: &TableChange, options: &PlanOptions) -> Value {
    let kind = match change.kind {
        TableChangeType::Create => "CREATE",
        TableChangeType::Alter => "ALTER",
        TableChangeType::Drop => "DROP",
    };
    json!({
        "type": kind,
        "id": format!("{}.{}", identifier(&change.database), identifier(&change.table)),
        "table": change.description.as_ref().map(|description| table(description, options)),
    })
}

/// Returns a name in the quotes of standard SQL.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn table(description: &TableDescription, options: &PlanOptions) -> Value {
    let columns: Vec<Value> = description
        .columns
        .iter()
        .enumerate()
        .map(|(index, described)| column(described, index + 1, options))
        .collect();
    json!({
        "defaultCharsetName": description.default_charset,
        "primaryKeyColumnNames": description.primary_key,
        "columns": columns,
        "comment": comment(description.comment.as_deref(), options),
    })
}

/// Returns the comment, which only the MariaDB connector records by default.
fn comment(comment: Option<&str>, options: &PlanOptions) -> Value {
    json!(comment.filter(|_| options.connector == Connector::Mariadb).map(spelled))
}

fn column(column: &ColumnDescription, position: usize, options: &PlanOptions) -> Value {
    // Debezium's MySQL parser takes ON UPDATE CURRENT_TIMESTAMP for AUTO_INCREMENT, and calls nothing else generated.
    let is_numbered = column.is_auto_increment || column.is_updated_to_now && options.connector == Connector::Mysql;
    let mut value = json!({
        "name": column.name,
        "jdbcType": jdbc_type(&column.type_name),
        "nativeType": null,
        "typeName": column.type_name,
        "typeExpression": column.type_name,
        "charsetName": column.charset,
        "length": length(column),
        "scale": column.scale,
        "position": position,
        "optional": column.is_nullable,
        "autoIncremented": is_numbered,
        "generated": is_numbered,
        "comment": comment(column.comment.as_deref(), options),
    });
    if options.form == DebeziumForm::V3_6
        && let Some(object) = value.as_object_mut()
    {
        object.insert("defaultValueExpression".into(), json!(default_expression(column)));
        let labels = column.labels.iter().map(|label| format!("'{}'", spelled(label)));
        let labels: Option<Vec<String>> = (!column.labels.is_empty()).then(|| labels.collect());
        object.insert("enumValues".into(), json!(labels));
    }
    value
}

/// Returns the length that Debezium gives a column: of an ENUM one character, of a SET one for each label and for each
/// comma between them.
fn length(column: &ColumnDescription) -> Option<u32> {
    match column.type_name.as_str() {
        "ENUM" => Some(1),
        "SET" => u32::try_from((column.labels.len() * 2).saturating_sub(1)).ok(),
        _ => column.length,
    }
}

/// Returns the default as it stands in the statement: of a text what is between its quotes, of a bit or hexadecimal
/// literal its digits. For `CURRENT_TIMESTAMP` it is the epoch; another expression has none.
fn default_expression(column: &ColumnDescription) -> Option<String> {
    match &column.default {
        ColumnDefault::Absent | ColumnDefault::Null => None,
        ColumnDefault::Expression(text) => is_clock(text).then(|| "1970-01-01 00:00:00".to_owned()),
        ColumnDefault::Literal(text) => {
            // Only a column without characters can have a bit literal; elsewhere this is a text that looks like one.
            let digits = |kind: &str| {
                text.strip_prefix(kind).and_then(|rest| rest.strip_suffix('\'')).filter(|_| column.charset.is_none())
            };
            Some(digits("b'").or_else(|| digits("x'")).map_or_else(|| spelled(text), str::to_owned))
        }
    }
}

fn is_clock(expression: &str) -> bool {
    let expression = expression.to_ascii_uppercase();
    ["CURRENT_TIMESTAMP", "NOW"].iter().any(|word| expression.starts_with(word))
}

/// Returns the code of `java.sql.Types` that Debezium gives a type.
fn jdbc_type(type_name: &str) -> i32 {
    let base = type_name.strip_suffix(" ZEROFILL").unwrap_or(type_name);
    match base.strip_suffix(" UNSIGNED").unwrap_or(base) {
        "BIGINT" | "INT8" | "SERIAL" => -5,
        "INT" | "INTEGER" | "INT4" | "MEDIUMINT" | "MIDDLEINT" | "INT3" | "YEAR" => 4,
        "SMALLINT" | "INT2" | "TINYINT" | "INT1" => 5,
        "BOOLEAN" | "BOOL" => 16,
        "BIT" => -7,
        "BINARY" => -2,
        "VARBINARY" => -3,
        "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => 2004,
        "NUMERIC" => 2,
        "DECIMAL" | "DEC" | "FIXED" => 3,
        "FLOAT" => 6,
        "REAL" => 7,
        "DOUBLE" | "DOUBLE PRECISION" => 8,
        "CHAR" | "CHARACTER" | "ENUM" | "SET" => 1,
        "NATIONAL VARCHAR" | "NVARCHAR" => -9,
        "NATIONAL CHAR" | "NCHAR" => -15,
        "VARCHAR" | "CHARACTER VARYING" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "LONG VARCHAR" => 12,
        "DATE" => 91,
        "TIME" => 92,
        "DATETIME" => 93,
        "TIMESTAMP" => 2014,
        _ => 1111,
    }
}

fn text() -> Schema {
    Schema::new(Kind::String)
}

/// Schemas of the 3.6 line carry a version, those of the 1.9 line none.
fn versioned(schema: Schema, form: DebeziumForm) -> Schema {
    match form {
        DebeziumForm::V1_9 => schema,
        DebeziumForm::V3_6 => schema.version(1),
    }
}

fn key_schema(options: &PlanOptions) -> Schema {
    let name = format!("{}.SchemaChangeKey", options.connector.package());
    versioned(Schema::record(name, vec![text().field("databaseName")]), options.form)
}

fn value_schema(options: &PlanOptions) -> Schema {
    let form = options.form;
    let change = Schema::record(
        "io.debezium.connector.schema.Change",
        vec![text().field("type"), text().field("id"), table_schema(form).field("table")],
    );
    let changes = Schema::new(Kind::Array(Box::new(versioned(change, form))));
    let mut fields = vec![SourceBlock::schema(options.connector, form).field("source")];
    if form == DebeziumForm::V3_6 {
        fields.push(Schema::new(Kind::Int64).field("ts_ms"));
    }
    fields.extend(["databaseName", "schemaName", "ddl"].map(|name| text().optional().field(name)));
    fields.push(changes.field("tableChanges"));
    versioned(Schema::record(format!("{}.SchemaChangeValue", options.connector.package()), fields), form)
}

fn table_schema(form: DebeziumForm) -> Schema {
    let int = || Schema::new(Kind::Int32);
    let flag = |name: &str| Schema::new(Kind::Boolean).optional().field(name);
    let texts = || Schema::new(Kind::Array(Box::new(text()))).optional();
    let mut columns: Vec<Field> = vec![
        text().field("name"),
        int().field("jdbcType"),
        int().optional().field("nativeType"),
        text().field("typeName"),
        text().optional().field("typeExpression"),
        text().optional().field("charsetName"),
        int().optional().field("length"),
        int().optional().field("scale"),
        int().field("position"),
        flag("optional"),
        flag("autoIncremented"),
        flag("generated"),
        text().optional().field("comment"),
    ];
    if form == DebeziumForm::V3_6 {
        columns.push(text().optional().field("defaultValueExpression"));
        columns.push(texts().field("enumValues"));
    }
    let column = versioned(Schema::record("io.debezium.connector.schema.Column", columns), form);
    let fields = vec![
        text().optional().field("defaultCharsetName"),
        texts().field("primaryKeyColumnNames"),
        Schema::new(Kind::Array(Box::new(column))).field("columns"),
        text().optional().field("comment"),
    ];
    let table = versioned(Schema::record("io.debezium.connector.schema.Table", fields), form);
    match form {
        DebeziumForm::V1_9 => table,
        // A dropped table has none.
        DebeziumForm::V3_6 => table.optional(),
    }
}
