//! The client: connections, lookups, and what a broker knows about its topics.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bitacora_pulsar_wire::proto::{
    CommandGetSchema, CommandGetTopicsOfNamespace, CommandLookupTopic, CommandPartitionedTopicMetadata, LookupType,
    PartitionedLookupType, Schema, TopicsMode,
};
use bitacora_pulsar_wire::{Command, TopicName};
use bytes::Bytes;

use crate::backoff::Backoff;
use crate::config::{ClientConfig, Endpoint};
use crate::connection::{Connection, Target};
use crate::consumer::{Consumer, ConsumerOptions, Reader, ReaderOptions};
use crate::error::Error;
use crate::producer::{Producer, ProducerOptions};
use crate::service_url::{ServiceUrl, TlsUse};

/// How many brokers may point to the next one before the lookup gives up.
const MAX_REDIRECTS: usize = 20;

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
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ClientConfig,
    service: Target,
    // A std mutex: held for a map access only, never across an await.
    pool: Mutex<HashMap<Target, Arc<Connection>>>,
    next_name: AtomicU64,
}

impl Client {
    /// Creates a client; nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::ServiceUrl`].
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        let service = match &config.endpoint {
            Endpoint::Local(_) => Target::Local,
            Endpoint::Url(url) => Target::Broker { dial: ServiceUrl::parse(url)?, behind_proxy: None },
        };
        let inner = Inner { config, service, pool: Mutex::default(), next_name: AtomicU64::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the configuration.
    pub fn config(&self) -> &ClientConfig {
        &self.inner.config
    }

    /// Connects to the service URL and returns the broker's version text.
    ///
    /// # Errors
    /// No connection, or refused credentials.
    pub async fn check(&self) -> Result<String, Error> {
        Ok(self.connection(&self.inner.service).await?.server_version().to_owned())
    }

    /// Opens a producer.
    ///
    /// # Errors
    /// What the broker refuses, or [`Error::Timeout`] when it cannot be reached for the operation timeout.
    pub async fn producer(&self, options: ProducerOptions) -> Result<Producer, Error> {
        Box::pin(Producer::open(self.clone(), options)).await
    }

    /// Opens a consumer on a topic without partitions or on one partition.
    ///
    /// # Errors
    /// What the broker refuses, or [`Error::Timeout`] when it cannot be reached for the operation timeout.
    pub async fn consumer(&self, options: ConsumerOptions) -> Result<Consumer, Error> {
        Box::pin(Consumer::open(self.clone(), options)).await
    }

    /// Opens a reader on a topic without partitions or on one partition.
    ///
    /// # Errors
    /// What the broker refuses, or [`Error::Timeout`] when it cannot be reached for the operation timeout.
    pub async fn reader(&self, options: ReaderOptions) -> Result<Reader, Error> {
        Box::pin(Reader::open(self.clone(), options)).await
    }

    /// Returns the count of partitions, 0 for a topic without.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn partitions(&self, topic: &TopicName, auto_creation: AutoCreation) -> Result<u32, Error> {
        const WHAT: &str = "PARTITIONED_METADATA";
        let connection = self.connection(&self.inner.service).await?;
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
            _ => Err(unexpected()),
        }
    }

    /// Returns the canonical names of the topics of `tenant/namespace`, each partition by its own name.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn topics(&self, namespace: &str) -> Result<Vec<String>, Error> {
        let connection = self.connection(&self.inner.service).await?;
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
            _ => Err(unexpected()),
        }
    }

    /// Returns the schema of a topic: the given version, or the newest. `None` when the topic has none.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn schema(&self, topic: &TopicName, version: Option<Bytes>) -> Result<Option<TopicSchema>, Error> {
        const WHAT: &str = "GET_SCHEMA";
        let connection = self.topic_connection(topic).await?;
        let answer = connection
            .request(WHAT, |request_id| CommandGetSchema {
                request_id,
                topic: topic.to_string(),
                schema_version: version,
            })
            .await?;
        let Command::GetSchemaResponse(response) = answer else {
            return Err(unexpected());
        };
        if let Some(error) = response.error_code {
            let error = Error::server(WHAT, error, response.error_message.unwrap_or_default());
            let is_missing = error.server_error() == Some(bitacora_pulsar_wire::ServerError::TopicNotFound);
            return if is_missing { Ok(None) } else { Err(error) };
        }
        let version = response.schema_version.unwrap_or_default();
        Ok(response.schema.map(|schema| TopicSchema { schema, version }))
    }

    /// Finds the broker that serves a topic and returns a connection to it.
    pub(crate) async fn topic_connection(&self, topic: &TopicName) -> Result<Arc<Connection>, Error> {
        const WHAT: &str = "LOOKUP";
        let mut target = self.inner.service.clone();
        let mut authoritative = false;
        for _ in 0..MAX_REDIRECTS {
            let connection = self.connection(&target).await?;
            let answer = connection
                .request(WHAT, |request_id| CommandLookupTopic {
                    topic: topic.to_string(),
                    request_id,
                    authoritative: Some(authoritative),
                    advertised_listener_name: self.inner.config.listener_name.clone(),
                    ..Default::default()
                })
                .await?;
            let Command::LookupTopicResponse(response) = answer else {
                return Err(unexpected());
            };
            match LookupType::try_from(response.response.unwrap_or(LookupType::Failed as i32)) {
                Ok(LookupType::Connect) if self.inner.service == Target::Local => return Ok(connection),
                Ok(kind @ (LookupType::Connect | LookupType::Redirect)) => {
                    let urls = [response.broker_service_url.as_deref(), response.broker_service_url_tls.as_deref()];
                    target = self.target(urls, response.proxy_through_service_url())?;
                    if kind == LookupType::Connect {
                        return self.connection(&target).await;
                    }
                    authoritative = response.authoritative();
                }
                _ => {
                    return Err(Error::server(
                        WHAT,
                        response.error.unwrap_or_default(),
                        response.message.unwrap_or_default(),
                    ));
                }
            }
        }
        Err(Error::Protocol { reason: "its brokers point from one to the next without end" })
    }

    /// Chooses between the plain and the TLS address of a lookup's answer, and between dialling it and the proxy.
    fn target(&self, urls: [Option<&str>; 2], through_proxy: bool) -> Result<Target, Error> {
        let Target::Broker { dial: service, .. } = &self.inner.service else {
            return Ok(Target::Local);
        };
        let [plain, tls] = urls.map(|url| url.filter(|url| !url.is_empty()));
        let url = if service.tls == TlsUse::Tls { tls.or(plain) } else { plain.or(tls) };
        let Some(url) = url else {
            return Err(Error::Protocol { reason: "a lookup gave no address" });
        };
        let broker = ServiceUrl::parse(url)?;
        if !through_proxy {
            return Ok(Target::Broker { dial: broker, behind_proxy: None });
        }
        let behind_proxy = broker.addresses.first().map(|address| address.text());
        Ok(Target::Broker { dial: service.clone(), behind_proxy })
    }

    async fn connection(&self, target: &Target) -> Result<Arc<Connection>, Error> {
        if let Some(open) = self.pooled(target) {
            return Ok(open);
        }
        let opened = Connection::open(target, &self.inner.config).await?;
        // Another task may have been faster; then its connection is used and this one ends.
        let mut pool = self.inner.pool.lock().unwrap_or_else(PoisonError::into_inner);
        match pool.get(target).filter(|open| !open.is_closed()) {
            Some(open) => Ok(Arc::clone(open)),
            None => {
                pool.insert(target.clone(), Arc::clone(&opened));
                Ok(opened)
            }
        }
    }

    fn pooled(&self, target: &Target) -> Option<Arc<Connection>> {
        let pool = self.inner.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.get(target).filter(|open| !open.is_closed()).cloned()
    }

    pub(crate) fn backoff(&self) -> Backoff {
        let ms = std::time::Duration::from_millis;
        Backoff::new(ms(self.inner.config.backoff_first_ms), ms(self.inner.config.backoff_max_ms))
    }

    /// Returns a name not used before by this process.
    pub(crate) fn unique_name(&self, prefix: &str) -> String {
        let number = self.inner.next_name.fetch_add(1, Ordering::Relaxed);
        format!("{prefix}-{:08x}-{number}", rand::random::<u32>())
    }
}

pub(crate) fn unexpected() -> Error {
    Error::Protocol { reason: "an answer is not of the kind that was asked for" }
}
