//! The client: opens producers, consumers and readers, and asks a broker what it knows about topics.

use std::sync::Arc;

use bitacora_pulsar_wire::proto::{
    CommandGetSchema, CommandGetTopicsOfNamespace, CommandPartitionedTopicMetadata, PartitionedLookupType, Schema,
    TopicsMode,
};
use bitacora_pulsar_wire::{Command, ServerError, TopicName};
use bytes::Bytes;

use crate::cluster::Cluster;
use crate::config::ClientConfig;
use crate::consumer::{Consumer, ConsumerOptions, Reader, ReaderOptions};
use crate::error::Error;
use crate::producer::{Producer, ProducerOptions};

/// Whether asking for the partitions of a topic may create it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoCreation {
    /// As the broker's policy says.
    Allowed,
    /// Never; brokers before 3.3 cannot be asked this way.
    Never,
}

/// A schema of a topic and its version.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicSchema {
    /// The schema.
    pub schema: Schema,
    /// Its version, eight bytes.
    pub version: Bytes,
}

/// A client of one broker or cluster. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Client {
    cluster: Arc<Cluster>,
}

impl Client {
    /// Creates a client; nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::ServiceUrl`].
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        Ok(Self { cluster: Arc::new(Cluster::new(config)?) })
    }

    /// Returns the configuration.
    pub fn config(&self) -> &ClientConfig {
        self.cluster.config()
    }

    /// Connects to the service URL and returns the broker's version text.
    ///
    /// # Errors
    /// No connection, or refused credentials.
    pub async fn check(&self) -> Result<String, Error> {
        Ok(self.cluster.service_connection().await?.server_version().to_owned())
    }

    /// Opens a producer.
    ///
    /// # Errors
    /// What the broker refuses, or [`Error::Timeout`] when it cannot be reached for the operation timeout.
    pub async fn producer(&self, options: ProducerOptions) -> Result<Producer, Error> {
        Box::pin(Producer::open(Arc::clone(&self.cluster), options)).await
    }

    /// Opens a consumer on a topic without partitions or on one partition.
    ///
    /// # Errors
    /// What the broker refuses, or [`Error::Timeout`] when it cannot be reached for the operation timeout.
    pub async fn consumer(&self, options: ConsumerOptions) -> Result<Consumer, Error> {
        Box::pin(Consumer::open(Arc::clone(&self.cluster), options)).await
    }

    /// Opens a reader on a topic without partitions or on one partition.
    ///
    /// # Errors
    /// What the broker refuses, or [`Error::Timeout`] when it cannot be reached for the operation timeout.
    pub async fn reader(&self, options: ReaderOptions) -> Result<Reader, Error> {
        Box::pin(Reader::open(Arc::clone(&self.cluster), options)).await
    }

    /// Returns the count of partitions, 0 for a topic without.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn partitions(&self, topic: &TopicName, auto_creation: AutoCreation) -> Result<u32, Error> {
        const WHAT: &str = "PARTITIONED_METADATA";
        let connection = self.cluster.service_connection().await?;
        if auto_creation == AutoCreation::Never
            && !connection.features().supports_get_partitioned_metadata_without_auto_creation()
        {
            return Err(Error::Protocol { reason: "it cannot tell the partitions of a topic without creating it" });
        }
        let answer = connection
            .request(WHAT, |request_id| CommandPartitionedTopicMetadata {
                topic: topic.to_string(),
                request_id,
                metadata_auto_creation_enabled: Some(auto_creation == AutoCreation::Allowed),
                ..Default::default()
            })
            .await?;
        match answer {
            Command::PartitionedTopicMetadataResponse(response) => match response.response() {
                PartitionedLookupType::Success => Ok(response.partitions()),
                PartitionedLookupType::Failed => {
                    Err(Error::server(WHAT, response.error.unwrap_or_default(), response.message.unwrap_or_default()))
                }
            },
            _ => Err(Error::unexpected_answer()),
        }
    }

    /// Returns the canonical names of the topics of `tenant/namespace`, each partition by its own name.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn topics(&self, namespace: &str) -> Result<Vec<String>, Error> {
        let connection = self.cluster.service_connection().await?;
        let answer = connection
            .request("GET_TOPICS_OF_NAMESPACE", |request_id| CommandGetTopicsOfNamespace {
                request_id,
                namespace: namespace.to_owned(),
                mode: Some(TopicsMode::Persistent as i32),
                ..Default::default()
            })
            .await?;
        match answer {
            Command::GetTopicsOfNamespaceResponse(response) => Ok(response.topics),
            _ => Err(Error::unexpected_answer()),
        }
    }

    /// Returns the schema of a topic: the given version, or the newest. `None` when the topic has none.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn schema(&self, topic: &TopicName, version: Option<Bytes>) -> Result<Option<TopicSchema>, Error> {
        const WHAT: &str = "GET_SCHEMA";
        let connection = self.cluster.topic_connection(topic).await?;
        let answer = connection
            .request(WHAT, |request_id| CommandGetSchema {
                request_id,
                topic: topic.to_string(),
                schema_version: version,
            })
            .await?;
        let Command::GetSchemaResponse(response) = answer else {
            return Err(Error::unexpected_answer());
        };
        if let Some(error) = response.error_code {
            let error = Error::server(WHAT, error, response.error_message.unwrap_or_default());
            let is_missing = error.server_error() == Some(ServerError::TopicNotFound);
            return if is_missing { Ok(None) } else { Err(error) };
        }
        let version = response.schema_version.unwrap_or_default();
        Ok(response.schema.map(|schema| TopicSchema { schema, version }))
    }
}
