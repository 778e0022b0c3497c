//! Errors of the crates below as errors of the engine.

use bitacora_pulsar::Error as ClientError;
use bitacora_pulsar_wire::ServerError;
use bitacora_source::{Error as SourceError, ErrorClass as SourceClass};

use super::{EngineError, ErrorKind};

/// Remedy where a table changed in a way that the strategy of its topic's namespace does not allow.
const ALLOW_SCHEMAS: &str = "let the namespace take every change of a table: pulsar-admin namespaces \
    set-schema-compatibility-strategy --compatibility ALWAYS_COMPATIBLE, or schema_compatibility_strategy of the \
    embedded broker";

const ONE_ENGINE: &str = "run one engine of this name only, or give one of them another name";

impl From<SourceError> for EngineError {
    fn from(error: SourceError) -> EngineError {
        let kind = match error.class() {
            SourceClass::Retry => ErrorKind::ServerAway,
            SourceClass::FixConfiguration => ErrorKind::ServerRefuses,
            SourceClass::Stop => ErrorKind::ServerData,
        };
        let (what, remedy) = (error.to_string(), error.remedy());
        EngineError::new(kind, what.trim_end_matches('.')).remedy(remedy.trim_end_matches('.')).quoted(error)
    }
}

impl From<ClientError> for EngineError {
    fn from(error: ClientError) -> EngineError {
        let kind = match (&error, error.server_error()) {
            (ClientError::TopicBehind { .. }, _) => ErrorKind::TopicBehind,
            (_, Some(ServerError::IncompatibleSchema)) => ErrorKind::SchemaRefused,
            (_, Some(ServerError::ProducerFenced)) => ErrorKind::Fenced,
            (ClientError::ServiceUrl { .. } | ClientError::Tls { .. } | ClientError::Credentials { .. }, _) => {
                ErrorKind::Configuration
            }
            (error, _) if error.is_retryable() => ErrorKind::BrokerAway,
            _ => ErrorKind::BrokerRefuses,
        };
        let failure = EngineError::new(kind, error.to_string());
        match kind {
            ErrorKind::SchemaRefused => failure.remedy(ALLOW_SCHEMAS),
            ErrorKind::Fenced => failure.remedy(ONE_ENGINE),
            _ => failure,
        }
        .quoted(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorClass;

    fn check(message: &str, class: ErrorClass) {
        let error = ClientError::Server { what: "x", error: ServerError::TopicNotFound, message: message.to_owned() };
        assert_eq!(EngineError::from(error).class(), class);
    }

    #[test]
    fn a_pulsar_that_has_not_made_its_namespaces_is_waited_for() {
        check("Namespace not found", ErrorClass::Retry);
        check("Topic not found", ErrorClass::Stop);
    }
}
