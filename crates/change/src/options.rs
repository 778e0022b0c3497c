//! What a plan is compiled with.

use crate::column_rules::ColumnRules;
use crate::naming::{escaped_table_topic, table_topic};

/// The Debezium connector whose events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connector {
    /// `io.debezium.connector.mysql`.
    Mysql,
    /// `io.debezium.connector.mariadb`.
    Mariadb,
}

impl Connector {
    /// Returns the value of `source.connector`.
    pub fn name(self) -> &'static str {
        match self {
            Connector::Mysql => "mysql",
            Connector::Mariadb => "mariadb",
        }
    }

    /// Returns the package of the connector's own schemas.
    pub fn package(self) -> &'static str {
        match self {
            Connector::Mysql => "io.debezium.connector.mysql",
            Connector::Mariadb => "io.debezium.connector.mariadb",
        }
    }
}

/// The Debezium line whose event form is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DebeziumForm {
    /// 1.9.7.Final, as inside Pulsar's connector: no `ts_us`, `ts_ns`; FLOAT as double.
    V1_9,
    /// 3.6.1.Final.
    V3_6,
}

impl DebeziumForm {
    /// Returns the value of `source.version`.
    pub fn version(self) -> &'static str {
        match self {
            DebeziumForm::V1_9 => "1.9.7.Final",
            DebeziumForm::V3_6 => "3.6.1.Final",
        }
    }
}

/// How a message holds key and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueFormat {
    /// JSON payloads without schema, KeyValue SEPARATED.
    Json,
    /// JSON with schema and payload, KeyValue INLINE (`json-with-envelope`).
    JsonWithEnvelope,
}

/// Whether a delete is followed by a message without value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tombstones {
    /// A delete is followed by one.
    Emit,
    /// None.
    Omit,
}

/// How NULL is printed in a column that has a DEFAULT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NullWithDefault {
    /// As null.
    Keep,
    /// As the default, which is what Kafka Connect's JSON converter does unless told otherwise.
    Replace,
}

/// What becomes of tables whose topics have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TopicCollision {
    /// The source stops and names them.
    #[default]
    Stop,
    /// They share the topic.
    Mix,
    /// Topics are named so that no two tables share one.
    Escape,
}

/// What a plan is compiled with.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// Whose events are written.
    pub connector: Connector,
    /// Which line's form.
    pub form: DebeziumForm,
    /// First part of topic and schema names; `source.name`.
    pub topic_prefix: String,
    /// How key and value are held.
    pub value_format: ValueFormat,
    /// Whether deletes have tombstones.
    pub tombstones: Tombstones,
    /// How NULL is printed in a column with a DEFAULT.
    pub null_with_default: NullWithDefault,
    /// Which columns are printed, masked or cut.
    pub columns: ColumnRules,
    /// What becomes of tables whose topics have the same name.
    pub topic_collision: TopicCollision,
}

impl PlanOptions {
    /// Returns the name of a table's topic.
    pub fn table_topic(&self, database: &str, table: &str) -> String {
        match self.topic_collision {
            TopicCollision::Stop | TopicCollision::Mix => table_topic(&self.topic_prefix, database, table),
            TopicCollision::Escape => escaped_table_topic(&self.topic_prefix, database, table),
        }
    }
}
