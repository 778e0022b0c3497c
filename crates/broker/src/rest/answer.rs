//! What all handlers receive and return.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bitacora_pulsar_wire::{TopicName, proto::ServerError};
use serde_json::json;

use crate::{refused::Refused, shared::Shared};

/// The state that handlers receive.
pub(super) type Broker = State<Arc<Shared>>;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem(pub(super) StatusCode, pub(super) String);

impl Problem {
    pub(super) fn not_found(reason: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, reason.into())
    }

    pub(super) fn conflict(reason: impl Into<String>) -> Self {
        Self(StatusCode::CONFLICT, reason.into())
    }

    pub(super) fn precondition(reason: impl Into<String>) -> Self {
        Self(StatusCode::PRECONDITION_FAILED, reason.into())
    }

    pub(super) fn bad_request(reason: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "reason": self.1 }))).into_response()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.code {
            ServerError::TopicNotFound | ServerError::SubscriptionNotFound => StatusCode::NOT_FOUND,
            ServerError::InvalidTopicName | ServerError::NotAllowedError => StatusCode::PRECONDITION_FAILED,
            ServerError::IncompatibleSchema | ServerError::ConsumerBusy => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, refused.message)
    }
}

/// Returns the topic that the parts of a path name.
pub(super) fn topic_name(shared: &Shared, tenant: &str, namespace: &str, topic: &str) -> Result<TopicName, Problem> {
    Ok(shared.catalog.parse(&format!("persistent://{tenant}/{namespace}/{topic}"))?)
}
