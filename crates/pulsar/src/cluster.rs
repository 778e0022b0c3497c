//! The brokers behind one service address: open connections, and which broker serves a topic.
//!
//! Clients, producers and consumers share it, and it knows none of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bitacora_pulsar_wire::proto::{CommandLookupTopic, LookupType};
use bitacora_pulsar_wire::{Command, TopicName};

use crate::backoff::Backoff;
use crate::config::{ClientConfig, Endpoint};
use crate::connection::{Connection, Target};
use crate::error::Error;
use crate::service_url::{ServiceUrl, TlsUse};

/// Most redirections of a lookup from one broker to another.
const MAX_REDIRECTS: usize = 20;

/// The brokers behind one service address.
#[derive(Debug)]
pub(crate) struct Cluster {
    config: ClientConfig,
    service: Target,
    // A std mutex: held for a map access only, never across an await.
    pool: Mutex<HashMap<Target, Arc<Connection>>>,
    next_name: AtomicU64,
}

impl Cluster {
    /// Reads the service address; nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::ServiceUrl`].
    pub(crate) fn new(config: ClientConfig) -> Result<Self, Error> {
        let service = match &config.endpoint {
            Endpoint::Local(_) => Target::Local,
            Endpoint::Url(url) => Target::Broker { dial: ServiceUrl::parse(url)?, behind_proxy: None },
        };
        Ok(Self { config, service, pool: Mutex::default(), next_name: AtomicU64::new(0) })
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Returns a connection to the service address itself, for requests that any broker answers.
    pub(crate) async fn service_connection(&self) -> Result<Arc<Connection>, Error> {
        self.connection(&self.service).await
    }

    /// Finds the broker that serves a topic and returns a connection to it.
    pub(crate) async fn topic_connection(&self, topic: &TopicName) -> Result<Arc<Connection>, Error> {
        const WHAT: &str = "LOOKUP";
        let mut target = self.service.clone();
        let mut authoritative = false;
        for _ in 0..MAX_REDIRECTS {
            let connection = self.connection(&target).await?;
            let answer = connection
                .request(WHAT, |request_id| CommandLookupTopic {
                    topic: topic.to_string(),
                    request_id,
                    authoritative: Some(authoritative),
                    advertised_listener_name: self.config.listener_name.clone(),
                    ..Default::default()
                })
                .await?;
            let Command::LookupTopicResponse(response) = answer else {
                return Err(Error::unexpected_answer());
            };
            match LookupType::try_from(response.response.unwrap_or(LookupType::Failed as i32)) {
                Ok(LookupType::Connect) if self.service == Target::Local => return Ok(connection),
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

    /// Chooses the plain or the TLS address of a lookup's answer, and whether to connect to it or to the proxy.
    fn target(&self, urls: [Option<&str>; 2], through_proxy: bool) -> Result<Target, Error> {
        let Target::Broker { dial: service, .. } = &self.service else {
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

    /// Returns the pooled connection to a broker, or opens one.
    async fn connection(&self, target: &Target) -> Result<Arc<Connection>, Error> {
        if let Some(open) = self.pooled(target) {
            return Ok(open);
        }
        let opened = Connection::open(target, &self.config).await?;
        // Another task may have connected meanwhile; then its connection is used, and this one is dropped.
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        match pool.get(target).filter(|open| !open.is_closed()) {
            Some(open) => Ok(Arc::clone(open)),
            None => {
                pool.insert(target.clone(), Arc::clone(&opened));
                Ok(opened)
            }
        }
    }

    fn pooled(&self, target: &Target) -> Option<Arc<Connection>> {
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.get(target).filter(|open| !open.is_closed()).cloned()
    }

    /// Returns a fresh back-off with the configured waiting times.
    pub(crate) fn backoff(&self) -> Backoff {
        let ms = std::time::Duration::from_millis;
        Backoff::new(ms(self.config.backoff_first_ms), ms(self.config.backoff_max_ms))
    }

    /// Returns a name not used before by this process.
    pub(crate) fn unique_name(&self, prefix: &str) -> String {
        let number = self.next_name.fetch_add(1, Ordering::Relaxed);
        format!("{prefix}-{:08x}-{number}", rand::random::<u32>())
    }
}
