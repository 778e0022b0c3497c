//! `bitacora up`.

use std::sync::Arc;

use bitacora_config::{Destination, Environment, load_toml};
use bitacora_engine::Figures;
use bitacora_engine::Source;
use bitacora_pulsar::Endpoint;
use tokio::task::JoinSet;

use super::{Interrupts, claim, start_broker};
use crate::arguments::Up;
use crate::failure::Failure;
use crate::{metrics, progress};

/// Runs broker and sources until interrupted, or until a source fails, which ends them all.
pub(crate) async fn run(arguments: Up) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let config = load_toml(&arguments.config, &Environment::of_process())?;
    for note in &config.notes {
        eprintln!("bitacora: {note}");
    }
    let _copies = claim(&config.data_dir)?;
    let broker = match &config.broker {
        Some(broker) => Some(start_broker(broker, &config.data_dir).await?),
        None => None,
    };
    let figures = Figures::default();
    if let Some(broker) = &broker {
        broker.also_serve(figures.clone());
    }
    if let Some(listen) = &config.metrics {
        metrics::serve(listen, figures.clone()).await?;
    }
    let connector = broker.as_ref().map(bitacora_broker::Broker::local_connector);
    let mut sources = Vec::new();
    let mut shown = JoinSet::new();
    for source in config.sources {
        if let Some(notice) = source.unused_notice() {
            eprintln!("bitacora: {notice}");
        }
        let endpoint = match (&source.destination, &connector) {
            (Destination::Pulsar { url }, _) => Endpoint::Url(url.clone()),
            (_, Some(connector)) => {
                let connector = connector.clone();
                Endpoint::Local(Arc::new(move || Ok(connector.connect())))
            }
            _ => {
                return Err(Failure::new(format!(
                    "source {} delivers into the embedded broker, but there is none; add a [broker] table",
                    source.name
                )));
            }
        };
        let running = Source::start(source, endpoint, &config.data_dir);
        figures.add(&running);
        shown.spawn(progress::show(running.name().to_owned(), running.status()));
        sources.push(running);
    }
    let outcome = until_one_fails(&mut sources, &mut interrupts).await;
    for source in &sources {
        source.stop();
    }
    let mut first = outcome;
    for source in &mut sources {
        if !source.has_ended() {
            let ended = source.ended().await.map_err(Failure::from);
            first = first.and(ended);
        }
    }
    while shown.join_next().await.is_some() {}
    if let Some(broker) = broker {
        broker.shutdown().await?;
    }
    first
}

/// Waits for an interrupt, or for the first source that fails.
async fn until_one_fails(sources: &mut [Source], interrupts: &mut Interrupts) -> Result<(), Failure> {
    let mut statuses = JoinSet::new();
    for (index, source) in sources.iter().enumerate() {
        let mut status = source.status();
        statuses.spawn(async move {
            let failed = status.wait_for(bitacora_engine::SourceStatus::is_failed).await.is_ok();
            (index, failed)
        });
    }
    loop {
        tokio::select! {
            () = interrupts.asked_to_end() => return Ok(()),
            Some(Ok((index, failed))) = statuses.join_next() => {
                if failed && let Some(source) = sources.get_mut(index) {
                    return source.ended().await.map_err(Failure::from);
                }
            }
        }
    }
}
