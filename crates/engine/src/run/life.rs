//! What a source is made of while it lives, and how each part of its life ends.

use std::sync::Arc;
use std::time::Duration;

use bitacora_config::SourceConfig;
use bitacora_pulsar::{Client, Endpoint};
use bitacora_source::Error as SourceError;
use bitacora_source::ddl::Catalog;
use bitacora_source::replication::ReplicaOptions;
use tokio::sync::watch;

use super::base::Base;
use super::clock::now_ms;
use super::status::SourceStatus;
use crate::checkpoint::{Checkpoint, CheckpointStore, Epoch};
use crate::error::{EngineError, ErrorClass};
use crate::metrics::SourceMetrics;
use crate::notices::Notices;
use crate::pipeline::proofs::Proofs;
use crate::sink::names::ProducerNames;
use crate::sink::pulsar::PulsarSink;

/// Everything a source needs while it lives.
pub(super) struct Life {
    pub(super) config: Arc<SourceConfig>,
    pub(super) replica: ReplicaOptions,
    pub(super) endpoint: Endpoint,
    pub(super) metrics: Arc<SourceMetrics>,
    /// What was said of the configuration.
    pub(super) notices: Notices,
    /// Shapes of tables that were proven since the source began.
    pub(super) proofs: Proofs,
    pub(super) status: watch::Sender<SourceStatus>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Life {
    /// Begins a base; its epoch is stored before the first message that carries it.
    pub(super) fn begin_base(&self, store: &CheckpointStore, server: &str) -> Result<Base, EngineError> {
        let epoch = Epoch::random();
        store.begin_epoch(epoch, now_ms())?;
        Ok(Base { server: server.to_owned(), epoch: Some(epoch) })
    }

    /// The names of the producers of a base.
    pub(super) fn names(&self, store: &CheckpointStore, base: &Base) -> Result<ProducerNames, EngineError> {
        Ok(ProducerNames::new(&self.config.name, base.epoch, store.epochs()?))
    }

    pub(super) fn client(&self) -> Result<Client, EngineError> {
        Ok(Client::new(self.config.client(self.endpoint.clone()))?)
    }

    pub(super) fn sink(&self, store: &CheckpointStore, base: &Base) -> Result<PulsarSink, EngineError> {
        let runtime = tokio::runtime::Handle::current();
        let marks = store.marks()?;
        PulsarSink::new(self.client()?, runtime, &self.config.topic_namespace, self.names(store, base)?, marks)
    }

    /// Asks the server until it answers; `None` if the source was stopped meanwhile.
    ///
    /// # Errors
    /// Those that no other try can mend, and the last one once the tries are used up.
    pub(super) async fn until_answered<T, F>(&mut self, ask: impl Fn() -> F) -> Result<Option<T>, EngineError>
    where
        F: Future<Output = Result<T, SourceError>>,
    {
        let mut backoff = self.backoff();
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => EngineError::from(error),
            };
            let pause = backoff.next().filter(|_| error.class() == ErrorClass::Retry);
            let Some(pause) = pause else { return Err(error) };
            tracing::warn!(source = %self.config.name, pause_ms = pause.as_millis(), "{error}");
            if self.pause(pause).await {
                return Ok(None);
            }
        }
    }

    /// Waits; true if the source was stopped.
    pub(super) async fn pause(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => false,
            _ = self.stopped.wait_for(|stopped| *stopped) => true,
        }
    }
}

/// What the checks said.
pub(super) enum Checked {
    /// The source may start.
    Ready {
        /// Which server it is.
        server: String,
    },
    /// The server does not have what the checkpoint asks for, and a new snapshot is wanted then.
    Unusable,
    /// The source was stopped before the server answered.
    Stopped,
}

/// How the stream ended.
pub(super) enum Streamed {
    /// The source was stopped.
    Ended,
    /// The address leads to another server; everything that was read from the former one is delivered.
    OtherServer,
    /// The server's log is not the one that was read; what was read from the former one is delivered.
    OtherLog,
    /// The server refuses the position, for this reason.
    Refused(EngineError),
}

/// What the stream begins with.
pub(super) struct Resume {
    pub(super) checkpoint: Checkpoint,
    pub(super) catalog: Arc<Catalog>,
}

/// What the comparison with the topics says.
pub(super) enum Compared {
    /// The stream may begin here.
    Ready(Resume),
    /// Messages are lost, and a new snapshot is wanted then.
    Unusable,
    /// The address leads to another server meanwhile, which lacks what is needed.
    CheckAgain,
    /// The source was stopped meanwhile.
    Stopped,
}
