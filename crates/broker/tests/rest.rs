//! The admin REST as its users call it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::{sync::Arc, time::Duration};

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::{ConsumerOptions, Endpoint, ProducerOptions};
use bitacora_pulsar_wire::{OutgoingMessage, TopicName};
use reqwest::{Client, Method};
use serde_json::{Value, json};

struct Rest {
    http: Client,
    base: String,
    broker: Broker,
    _folder: tempfile::TempDir,
}

impl Rest {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut BrokerConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = BrokerConfig::new(folder.path());
        (config.listen, config.http) = (None, Some("127.0.0.1:0".parse().unwrap()));
        change(&mut config);
        let broker = Broker::start(config).await.unwrap();
        let base = format!("http://{}", broker.http_addr().unwrap());
        Self { http: Client::new(), base, broker, _folder: folder }
    }

    /// Calls a path; gives status and body (JSON if it is, else text).
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Returns a client of the binary protocol.
    fn client(&self) -> bitacora_pulsar::Client {
        let connector = self.broker.local_connector();
        let endpoint = Endpoint::Local(Arc::new(move || Ok(connector.connect())));
        bitacora_pulsar::Client::new(bitacora_pulsar::ClientConfig::new(endpoint)).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn check(&self, method: Method, path: &str, body: Option<Value>, expected: u16) {
        let (status, answer) = self.call(method.clone(), path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        if expected >= 400 {
            assert!(answer["reason"].is_string(), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn health_cluster_and_namespaces() {
    let rest = Rest::start().await;
    assert_eq!(rest.get("/admin/v2/brokers/health").await, json!("ok"));
    assert_eq!(rest.get("/admin/v2/clusters").await, json!(["standalone"]));
    assert_eq!(rest.get("/admin/v2/tenants").await, json!(["public", "pulsar"]));
    assert_eq!(rest.get("/admin/v2/namespaces/public").await, json!(["public/default"]));
    rest.check(Method::PUT, "/admin/v2/namespaces/nobody/x", None, 404).await;
    rest.check(Method::PUT, "/admin/v2/tenants/acme", Some(json!({ "allowedClusters": ["standalone"] })), 204).await;
    rest.check(Method::PUT, "/admin/v2/namespaces/acme/x", None, 204).await;
    rest.check(Method::PUT, "/admin/v2/namespaces/acme/x", None, 409).await;
    rest.check(Method::DELETE, "/admin/v2/tenants/acme", None, 409).await;
    rest.check(Method::POST, "/admin/v2/namespaces/acme/x/deduplication", Some(json!(true)), 204).await;
    assert_eq!(rest.get("/admin/v2/namespaces/acme/x").await["deduplicationEnabled"], json!(true));
    let strategy = "/admin/v2/namespaces/acme/x/schemaCompatibilityStrategy";
    rest.check(Method::PUT, strategy, Some(json!("FORWARD")), 204).await;
    rest.check(Method::PUT, strategy, Some(json!("SIDEWAYS")), 412).await;
    assert_eq!(rest.get(strategy).await, json!("FORWARD"));
    rest.check(Method::DELETE, "/admin/v2/namespaces/acme/x", None, 204).await;
    rest.check(Method::DELETE, "/admin/v2/tenants/acme", None, 204).await;
    rest.check(Method::GET, "/admin/v2/functions/public/default", None, 404).await;
    rest.check(Method::POST, "/admin/v2/clusters", None, 405).await;
    rest.broker.shutdown().await.unwrap();
}

#[tokio::test]
async fn topics_partitions_and_lookup() {
    let rest = Rest::start().await;
    let base = "/admin/v2/persistent/public/default";
    rest.check(Method::PUT, &format!("{base}/plain"), None, 204).await;
    rest.check(Method::PUT, &format!("{base}/plain"), None, 409).await;
    rest.check(Method::PUT, &format!("{base}/parts/partitions"), Some(json!(2)), 204).await;
    rest.check(Method::POST, &format!("{base}/parts/partitions"), Some(json!(2)), 422).await;
    rest.check(Method::POST, &format!("{base}/parts/partitions"), Some(json!(3)), 204).await;
    assert_eq!(rest.get(&format!("{base}/parts/partitions")).await["partitions"], json!(3));
    let name = |local: &str| format!("persistent://public/default/{local}");
    let all: Vec<String> = ["parts-partition-0", "parts-partition-1", "parts-partition-2", "plain"].map(name).to_vec();
    assert_eq!(rest.get(base).await, json!(all));
    assert_eq!(rest.get(&format!("{base}/partitioned")).await, json!([name("parts")]));
    assert_eq!(rest.get(&format!("{base}/parts/partitioned-stats")).await["metadata"]["partitions"], json!(3));
    let stats = rest.get(&format!("{base}/plain/stats")).await;
    for key in ["msgInCounter", "storageSize", "publishers", "subscriptions", "deduplicationStatus"] {
        assert!(stats.get(key).is_some(), "{key} in {stats}");
    }
    assert_eq!(rest.get(&format!("{base}/plain/internalStats")).await["lastConfirmedEntry"], json!("0:-1"));
    rest.check(Method::PUT, &format!("{base}/plain/subscription/s"), None, 204).await;
    assert_eq!(rest.get(&format!("{base}/plain/subscriptions")).await, json!(["s"]));
    rest.check(Method::DELETE, &format!("{base}/plain/subscription/s"), None, 204).await;
    rest.check(Method::DELETE, &format!("{base}/plain/subscription/s"), None, 404).await;
    let lookup = rest.get("/lookup/v2/topic/persistent/public/default/na%20me").await;
    for key in ["brokerUrl", "brokerUrlTls", "httpUrl", "httpUrlTls", "nativeUrl"] {
        assert!(lookup[key].is_string(), "{key} in {lookup}");
    }
    rest.check(Method::GET, "/lookup/v2/topic/persistent/no/where/t", None, 404).await;
    rest.check(Method::DELETE, &format!("{base}/parts/partitions"), None, 204).await;
    rest.check(Method::DELETE, &format!("{base}/plain"), None, 204).await;
    rest.check(Method::GET, &format!("{base}/plain/stats"), None, 404).await;
    assert_eq!(rest.get(base).await, json!([]));
    rest.broker.shutdown().await.unwrap();
}

#[tokio::test]
async fn schemas_are_posted_checked_and_shown_with_both_halves() {
    let rest = Rest::start().await;
    let base = "/admin/v2/schemas/public/default/t";
    rest.check(Method::GET, &format!("{base}/schema"), None, 404).await;
    let half = |name: &str| json!({ "type": "record", "name": name, "fields": [{ "name": "id", "type": "int" }] });
    let halves = json!({ "key": half("Key"), "value": half("Value") });
    let posted = json!({
        "type": "KEY_VALUE", "schema": halves.to_string(),
        "properties": { "key.schema.type": "JSON", "value.schema.type": "JSON", "kv.encoding.type": "SEPARATED" },
    });
    rest.check(Method::POST, &format!("{base}/schema"), Some(posted.clone()), 200).await;
    let shown = rest.get(&format!("{base}/schema")).await;
    assert_eq!((&shown["type"], &shown["version"]), (&json!("KEY_VALUE"), &json!(0)));
    assert_eq!(serde_json::from_str::<Value>(shown["data"].as_str().unwrap()).unwrap(), halves);
    assert_eq!(shown["properties"], posted["properties"]);
    let other = json!({ "type": "STRING", "schema": "", "properties": {} });
    let (_, verdict) = rest.call(Method::POST, &format!("{base}/compatibility"), Some(other.clone())).await;
    assert_eq!(verdict, json!({ "compatibility": false, "schemaCompatibilityStrategy": "FULL" }));
    rest.check(Method::POST, &format!("{base}/schema"), Some(other), 409).await;
    assert_eq!(rest.get(&format!("{base}/schemas")).await["getSchemaResponses"].as_array().unwrap().len(), 1);
    rest.check(Method::DELETE, &format!("{base}/schema"), None, 200).await;
    rest.check(Method::GET, &format!("{base}/schema/0"), None, 404).await;
    rest.broker.shutdown().await.unwrap();
}

/// A subscription once missed the messages that were published on a new partition before its first consumer connected:
/// the partition did not have the subscription, which was then created with only new messages.
#[tokio::test]
async fn a_new_partition_keeps_its_messages_for_the_durable_subscriptions_of_the_others() {
    let rest = Rest::start().await;
    let base = "/admin/v2/persistent/public/default/parts";
    let partition = |index: u32| TopicName::parse("parts").unwrap().with_partition(index);
    rest.check(Method::PUT, &format!("{base}/partitions"), Some(json!(1)), 204).await;
    let client = rest.client();
    let options = |index| ConsumerOptions {
        subscription_properties: vec![("team".to_owned(), "billing".to_owned())],
        ..ConsumerOptions::new(partition(index), "s")
    };
    client.consumer(options(0)).await.unwrap().close().await.unwrap();
    rest.check(Method::POST, &format!("{base}/partitions"), Some(json!(2)), 204).await;

    let mut producer = client.producer(ProducerOptions::new(partition(1))).await.unwrap();
    producer.send(&OutgoingMessage { value: Some(b"first"), ..OutgoingMessage::default() }).await.unwrap();
    let mut consumer = client.consumer(options(1)).await.unwrap();
    let message = tokio::time::timeout(Duration::from_secs(10), consumer.receive()).await.expect("a message").unwrap();
    assert_eq!(message.payload, "first");
    let stats = rest.get(&format!("{base}-partition-1/stats")).await;
    assert_eq!(stats["subscriptions"]["s"]["subscriptionProperties"], json!({ "team": "billing" }));
    drop((consumer, producer, client));
    rest.broker.shutdown().await.unwrap();
}

/// A page of any site could once change namespaces and read topics of a broker on the reader's own machine, because the
/// broker checked only the path of a request.
#[tokio::test]
async fn a_foreign_page_and_a_rebound_name_are_refused() {
    let rest = Rest::start_with(|config| config.http_names = vec!["broker.example".to_owned()]).await;
    let port = rest.broker.http_addr().unwrap().port();
    let namespaces = "/admin/v2/namespaces/public/default";
    let topic = "/admin/v2/persistent/public/default/t";
    let ask = |method: Method, path: &str, headers: &[(&'static str, String)]| {
        let mut request = rest.http.request(method, format!("{}{path}", rest.base));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    };
    let host = |name: &str| ("host", format!("{name}:{port}"));
    let origin = |name: &str| ("origin", format!("http://{name}:{port}"));
    for headers in [
        vec![origin("evil.example")],
        vec![("origin", "null".to_owned())],
        vec![("origin", format!("http://localhost:{}", port - 1))],
        vec![host("evil.example")],
        vec![host("evil.example"), origin("evil.example")],
        vec![("sec-fetch-site", "cross-site".to_owned()), ("sec-fetch-mode", "no-cors".to_owned())],
    ] {
        for (method, path) in [(Method::PUT, topic), (Method::GET, namespaces), (Method::DELETE, "/nowhere")] {
            let (status, text) = ask(method.clone(), path, &headers).await;
            assert_eq!(status, 403, "{method} {path} {headers:?}: {text}");
            assert!(text.contains("http_names"), "{text}");
        }
    }
    let (status, _) = ask(Method::GET, topic.trim_end_matches("/t"), &[]).await;
    assert_eq!((status, rest.get(topic.trim_end_matches("/t")).await), (200, json!([])), "nothing was created");

    for (number, headers) in
        [vec![], vec![host("localhost")], vec![host("broker.example")], vec![host("localhost"), origin("127.0.0.1")]]
            .into_iter()
            .enumerate()
    {
        let (status, text) = ask(Method::PUT, &format!("{topic}{number}"), &headers).await;
        assert_eq!(status, 204, "{headers:?}: {text}");
        assert_eq!(ask(Method::GET, namespaces, &headers).await.0, 200, "{headers:?}");
    }
    for path in ["/metrics", "/admin/v2/brokers/health"] {
        assert_eq!(ask(Method::GET, path, &[host("found-by-a-monitor")]).await.0, 200, "{path}");
    }
    rest.broker.shutdown().await.unwrap();
}

/// A subscription's name is any text. A quote or a line break in it once ended the label, and Prometheus refused the
/// whole page.
#[tokio::test]
async fn metrics_stay_readable_whatever_subscriptions_are_called() {
    let rest = Rest::start().await;
    let topic = TopicName::parse("persistent://public/default/t").unwrap();
    for name in ["a\"b", "a\\b", "a\nb 1\n# EOF"] {
        rest.client().consumer(ConsumerOptions::new(topic.clone(), name)).await.unwrap();
    }
    let page = rest.get("/metrics").await;
    let page = page.as_str().unwrap();
    for name in [r#"a\"b"#, r"a\\b", r"a\nb 1\n# EOF"] {
        let line = format!("pulsar_subscription_back_log{{topic=\"{topic}\",subscription=\"{name}\"}} 0");
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert!(page.ends_with("# EOF\n") && page.matches("\n# EOF").count() == 1, "{page}");
}
