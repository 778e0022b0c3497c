//! `bitacora source localrun`.

use bitacora_config::{Destination, Environment, load_pulsar_io};
use bitacora_engine::Figures;
use bitacora_engine::Source;
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::wire::schema::{KeyValueEncoding, SchemaHalf, key_value};
use bitacora_pulsar::{Client, ClientConfig, Endpoint, ProducerOptions};

use super::{Interrupts, claim};
use crate::arguments::Localrun;
use crate::failure::Failure;
use crate::{metrics, progress};

const DEFAULT_URL: &str = "pulsar://127.0.0.1:6650";

/// Runs one source until it is interrupted or fails.
pub(crate) async fn run(arguments: Localrun) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let config = load_pulsar_io(&arguments.source_config_file, &Environment::of_process())?;
    for note in &config.notes {
        eprintln!("bitacora: {note}");
    }
    let Some(mut source) = config.sources.into_iter().next() else {
        return Err(Failure::new("the file configures no source"));
    };
    if let Some(notice) = source.unused_notice() {
        eprintln!("bitacora: {notice}");
    }
    let url = arguments.broker_service_url.unwrap_or_else(|| match &source.destination {
        Destination::Pulsar { url } => url.clone(),
        _ => DEFAULT_URL.to_owned(),
    });
    arguments.access.replace(&mut source.auth, &mut source.tls_trust_certs_file)?;
    let endpoint = Endpoint::Url(url);
    if let Some(topic) = &arguments.destination_topic_name {
        tokio::select! {
            touched = touch(source.client(endpoint.clone()), topic, &source.topic_namespace) => touched?,
            () = interrupts.asked_to_end() => return Ok(()),
        }
    }
    let _copies = claim(&arguments.data_dir)?;
    let figures = Figures::default();
    if let Some(listen) = arguments.metrics_listen.or(config.metrics) {
        metrics::serve(&listen, figures.clone()).await?;
    }
    let mut running = Source::start(source, endpoint, &arguments.data_dir);
    figures.add(&running);
    let shown = tokio::spawn(progress::show(running.name().to_owned(), running.status()));
    let outcome = tokio::select! {
        ended = running.ended() => ended,
        () = interrupts.asked_to_end() => {
            running.stop();
            running.ended().await
        }
    };
    let _ = shown.await;
    Ok(outcome?)
}

/// Creates the topic that the command names, as Pulsar IO does. Nothing is ever sent to it.
async fn touch(client: ClientConfig, topic: &str, namespace: &str) -> Result<(), Failure> {
    let full = if topic.contains('/') { topic.to_owned() } else { format!("persistent://{namespace}/{topic}") };
    let topic = TopicName::parse(&full).map_err(|error| Failure::new(error.to_string()))?;
    let client = Client::new(client)?;
    let mut options = ProducerOptions::new(topic);
    let bytes = SchemaHalf { name: "Bytes".to_owned(), properties: "{}".to_owned(), ..SchemaHalf::default() };
    options.schema = Some(key_value("KeyValue", &bytes, &bytes, KeyValueEncoding::Inline));
    client.producer(options).await?.close().await?;
    Ok(())
}
