//! PARTITIONED_METADATA, LOOKUP, GET_TOPICS_OF_NAMESPACE.

use bitacora_pulsar_wire::proto::{
    CommandGetTopicsOfNamespace, CommandGetTopicsOfNamespaceResponse, CommandLookupTopic, CommandLookupTopicResponse,
    CommandPartitionedTopicMetadata, CommandPartitionedTopicMetadataResponse, LookupType, PartitionedLookupType,
    ServerError, TopicsMode,
};

use super::Session;
use crate::refused::Refused;

impl Session {
    pub(super) fn partitions(&self, command: CommandPartitionedTopicMetadata) {
        let may_create = command.metadata_auto_creation_enabled.unwrap_or(true);
        let found = self.shared.catalog.parse(&command.topic).and_then(|name| {
            let count = self.shared.catalog.partitions(&name);
            if count == 0 && !may_create && !self.shared.catalog.exists(&name) {
                return Err(Refused::new(ServerError::TopicNotFound, format!("topic {name} does not exist")));
            }
            Ok(count)
        });
        let request_id = command.request_id;
        self.push(match found {
            Ok(partitions) => CommandPartitionedTopicMetadataResponse {
                partitions: Some(partitions),
                request_id,
                response: Some(PartitionedLookupType::Success as i32),
                ..CommandPartitionedTopicMetadataResponse::default()
            },
            Err(refused) => CommandPartitionedTopicMetadataResponse {
                request_id,
                response: Some(PartitionedLookupType::Failed as i32),
                error: Some(refused.code as i32),
                message: Some(refused.message),
                ..CommandPartitionedTopicMetadataResponse::default()
            },
        });
    }

    pub(super) fn lookup(&self, command: &CommandLookupTopic) {
        let request_id = command.request_id;
        let found = self.shared.catalog.parse(&command.topic).and_then(|_| match command.advertised_listener_name() {
            "" => Ok(self.shared.service_url()),
            // The C++ client keeps its connection only if it finds the phrase "broker do not have … listener".
            name => Err(Refused::new(ServerError::ServiceNotReady, format!("the broker do not have {name} listener"))),
        });
        self.push(match found {
            Ok(url) => CommandLookupTopicResponse {
                broker_service_url: Some(url),
                response: Some(LookupType::Connect as i32),
                request_id,
                authoritative: Some(true),
                // Clients must stay on the URL that they were given, because it works through port maps and tunnels.
                proxy_through_service_url: Some(true),
                ..CommandLookupTopicResponse::default()
            },
            Err(refused) => CommandLookupTopicResponse {
                response: Some(LookupType::Failed as i32),
                request_id,
                error: Some(refused.code as i32),
                message: Some(refused.message),
                ..CommandLookupTopicResponse::default()
            },
        });
    }

    pub(super) fn topics(&self, command: &CommandGetTopicsOfNamespace) {
        let request_id = command.request_id;
        if self.shared.catalog.namespace(&command.namespace).is_none() {
            let message = format!("namespace {} does not exist", command.namespace);
            return self.refuse(request_id, Refused::new(ServerError::TopicNotFound, message));
        }
        let topics = match command.mode() {
            TopicsMode::NonPersistent => Vec::new(),
            TopicsMode::Persistent | TopicsMode::All => self.shared.catalog.topics_of(&command.namespace),
        };
        self.push(CommandGetTopicsOfNamespaceResponse {
            request_id,
            topics,
            filtered: Some(false),
            topics_hash: None,
            changed: Some(true),
        });
    }
}
