//! The admin REST API: what tools and tests need of it.

use bitacora_pulsar_wire::TopicName;
use reqwest::{Client as Http, Method, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::config::Auth;
use crate::error::Error;

/// A client of the admin REST of a broker.
#[derive(Debug, Clone)]
pub struct Admin {
    http: Http,
    base: String,
    auth: Auth,
}

/// A schema as REST shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AdminSchema {
    /// Version, from 0.
    pub version: i64,
    /// Type, such as `KEY_VALUE`.
    #[serde(rename = "type")]
    pub schema_type: String,
    /// Definition as text; for KeyValue schemas JSON with `key` and `value`.
    pub data: String,
    /// Properties.
    #[serde(default)]
    pub properties: serde_json::Map<String, Value>,
}

impl Admin {
    /// Creates a client for a base URL such as `http://127.0.0.1:8080`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::Admin`] when the HTTP client cannot be set up.
    pub fn new(base_url: &str, auth: Auth) -> Result<Self, Error> {
        let base = base_url.trim_end_matches('/').to_owned();
        // A proxy of the environment is meant for the internet, not for one's own broker.
        let http = Http::builder().no_proxy().build().map_err(|error| failed(&base, &error))?;
        Ok(Self { http, base, auth })
    }

    /// Checks that the broker reports itself as healthy.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn health(&self) -> Result<(), Error> {
        self.send(self.request(Method::GET, "/admin/v2/brokers/health")).await.map(drop)
    }

    /// Returns the topics of `tenant/namespace`, each partition by its own name.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn topics(&self, namespace: &str) -> Result<Vec<String>, Error> {
        self.read(self.request(Method::GET, &format!("/admin/v2/persistent/{namespace}"))).await
    }

    /// Creates a topic without partitions.
    ///
    /// # Errors
    /// [`Error::Admin`], with status 409 when it exists.
    pub async fn create_topic(&self, topic: &TopicName) -> Result<(), Error> {
        self.send(self.request(Method::PUT, &path(topic, ""))).await.map(drop)
    }

    /// Deletes a topic and, with it, its subscriptions, even while clients are connected.
    ///
    /// # Errors
    /// [`Error::Admin`], with status 404 when there is none.
    pub async fn delete_topic(&self, topic: &TopicName) -> Result<(), Error> {
        self.send(self.request(Method::DELETE, &path(topic, "?force=true"))).await.map(drop)
    }

    /// Creates a topic with partitions.
    ///
    /// # Errors
    /// [`Error::Admin`], with status 409 when it exists.
    pub async fn create_partitions(&self, topic: &TopicName, count: u32) -> Result<(), Error> {
        self.send(self.request(Method::PUT, &path(topic, "/partitions")).json(&count)).await.map(drop)
    }

    /// Returns the count of partitions, 0 for a topic without.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn partitions(&self, topic: &TopicName) -> Result<u32, Error> {
        #[derive(Deserialize)]
        struct Partitions {
            partitions: u32,
        }
        let partitions: Partitions = self.read(self.request(Method::GET, &path(topic, "/partitions"))).await?;
        Ok(partitions.partitions)
    }

    /// Returns the statistics of a topic.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn stats(&self, topic: &TopicName) -> Result<Value, Error> {
        self.read(self.request(Method::GET, &path(topic, "/stats"))).await
    }

    /// Ends the broker's work on a topic, so that it is loaded again by the next client.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn unload(&self, topic: &TopicName) -> Result<(), Error> {
        self.send(self.request(Method::PUT, &path(topic, "/unload"))).await.map(drop)
    }

    /// Returns the newest schema of a topic, or `None`.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn schema(&self, topic: &TopicName) -> Result<Option<AdminSchema>, Error> {
        match self.read(self.request(Method::GET, &schema_path(topic, "schema"))).await {
            Ok(schema) => Ok(Some(schema)),
            Err(Error::Admin { status: Some(404), .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns all versions of a topic's schema, oldest first.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn schemas(&self, topic: &TopicName) -> Result<Vec<AdminSchema>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct All {
            get_schema_responses: Vec<AdminSchema>,
        }
        let all: All = self.read(self.request(Method::GET, &schema_path(topic, "schemas"))).await?;
        Ok(all.get_schema_responses)
    }

    /// Switches deduplication of a namespace on.
    ///
    /// # Errors
    /// [`Error::Admin`].
    pub async fn enable_deduplication(&self, namespace: &str) -> Result<(), Error> {
        let path = format!("/admin/v2/namespaces/{namespace}/deduplication");
        self.send(self.request(Method::POST, &path).json(&true)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let answer = self.send(request).await?;
        let url = answer.url().to_string();
        let body = answer.bytes().await.map_err(|error| failed(&url, &error))?;
        serde_json::from_slice(&body).map_err(|error| Error::Admin { url, status: None, reason: error.to_string() })
    }

    async fn send(&self, request: RequestBuilder) -> Result<reqwest::Response, Error> {
        let request = match (&self.auth, self.auth.data()?) {
            (Auth::Token(_) | Auth::TokenFile(_), Some(token)) => request.bearer_auth(token),
            (Auth::Basic { user, password }, _) => request.basic_auth(user, Some(password)),
            _ => request,
        };
        let answer = request.send().await.map_err(|error| failed(&self.base, &error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let url = answer.url().to_string();
        let body = answer.text().await.unwrap_or_default();
        Err(Error::Admin { url, status: Some(status.as_u16()), reason: reason(status.as_u16(), &body) })
    }
}

/// Returns the reason of an error answer: Pulsar's `{"reason": …}`, or the beginning of any other text.
fn reason(status: u16, body: &str) -> String {
    let told = serde_json::from_str::<Value>(body)
        .ok()
        .and_then(|body| body.get("reason").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_else(|| body.chars().take(200).collect());
    if told.is_empty() { format!("HTTP status {status}") } else { format!("HTTP status {status}: {told}") }
}

fn failed(url: &str, error: &dyn std::error::Error) -> Error {
    // The innermost source of a reqwest error says what happened.
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    Error::Admin { url: url.to_owned(), status: None, reason: innermost.to_string() }
}

fn path(topic: &TopicName, suffix: &str) -> String {
    let domain = topic.domain().as_str();
    format!("/admin/v2/{domain}/{}/{}{suffix}", topic.full_namespace(), percent_encoded(topic.local_name()))
}

fn schema_path(topic: &TopicName, what: &str) -> String {
    format!("/admin/v2/schemas/{}/{}/{what}", topic.full_namespace(), percent_encoded(topic.local_name()))
}

/// Encodes everything but RFC 3986's unreserved characters.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn topics_are_encoded_into_one_path_segment() {
        let topic = TopicName::parse("a/b/c d?é").unwrap();
        assert_eq!(path(&topic, "/stats"), "/admin/v2/persistent/a/b/c%20d%3F%C3%A9/stats");
    }

    #[test]
    fn the_servers_reason_is_shown() {
        assert_eq!(reason(409, r#"{"reason":"exists"}"#), "HTTP status 409: exists");
        assert_eq!(reason(502, "<html>"), "HTTP status 502: <html>");
        assert_eq!(reason(404, ""), "HTTP status 404");
    }
}
