//! GET_SCHEMA and GET_OR_CREATE_SCHEMA.

use bitacora_pulsar_wire::{
    proto::{
        CommandGetOrCreateSchema, CommandGetOrCreateSchemaResponse, CommandGetSchema, CommandGetSchemaResponse,
        KeyValue, Schema, ServerError,
    },
    schema::{version_bytes, version_number},
};

use super::Session;
use crate::{
    refused::Refused,
    schema::{SchemaInfo, SchemaVersion},
};

impl Session {
    pub(super) async fn get_schema(&self, command: CommandGetSchema) {
        let request_id = command.request_id;
        self.push(match self.find_schema(&command).await {
            Ok(found) => CommandGetSchemaResponse {
                request_id,
                schema: Some(wire(&found.info)),
                schema_version: Some(version_bytes(found.version)),
                ..CommandGetSchemaResponse::default()
            },
            Err(refused) => CommandGetSchemaResponse {
                request_id,
                error_code: Some(refused.code as i32),
                error_message: Some(refused.message),
                ..CommandGetSchemaResponse::default()
            },
        });
    }

    async fn find_schema(&self, command: &CommandGetSchema) -> Result<SchemaVersion, Refused> {
        let name = self.shared.catalog.parse(&command.topic)?;
        let wanted = match &command.schema_version {
            None => None,
            Some(bytes) => Some(
                version_number(bytes)
                    .ok_or_else(|| Refused::new(ServerError::IncompatibleSchema, "a schema version has 8 bytes"))?,
            ),
        };
        let history = self.shared.catalog.schema_history(&name).await?;
        let found = wanted.map_or_else(|| history.latest(), |version| history.get(version));
        found.cloned().ok_or_else(|| Refused::new(ServerError::TopicNotFound, "the topic has no such schema"))
    }

    pub(super) async fn get_or_create_schema(&self, command: CommandGetOrCreateSchema) {
        let request_id = command.request_id;
        self.push(match self.create_schema(&command).await {
            Ok(version) => CommandGetOrCreateSchemaResponse {
                request_id,
                schema_version: Some(version_bytes(version)),
                ..CommandGetOrCreateSchemaResponse::default()
            },
            Err(refused) => CommandGetOrCreateSchemaResponse {
                request_id,
                error_code: Some(refused.code as i32),
                error_message: Some(refused.message),
                ..CommandGetOrCreateSchemaResponse::default()
            },
        });
    }

    async fn create_schema(&self, command: &CommandGetOrCreateSchema) -> Result<u64, Refused> {
        let name = self.shared.catalog.parse(&command.topic)?;
        self.shared.catalog.register_schema(&name, &SchemaInfo::from_wire(&command.schema)).await
    }
}

fn wire(info: &SchemaInfo) -> Schema {
    let properties = info.properties.iter().map(|(key, value)| KeyValue { key: key.clone(), value: value.clone() });
    Schema {
        name: info.name.clone(),
        schema_data: info.data.clone().into(),
        schema_type: info.kind.0,
        properties: properties.collect(),
    }
}
