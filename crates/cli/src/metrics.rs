//! Serves `/metrics` on an address of its own, for a process without the embedded broker, or if a monitor should not
//! read the broker's admin REST.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use bitacora_broker::metrics_page;
use bitacora_engine::Figures;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::arguments::address;
use crate::failure::Failure;

/// Serves the figures of the sources for as long as the process runs, and prints the address.
///
/// # Errors
/// One sentence if `listen` is not an address, or cannot be listened on.
pub(crate) async fn serve(listen: &str, figures: Figures) -> Result<(), Failure> {
    let listener = TcpListener::bind(address(listen, "the metrics")?).await;
    let unusable = |error| Failure::new(format!("{listen} cannot be used for the metrics ({error}); choose another"));
    let listener = listener.map_err(unusable)?;
    println!("metrics: http://{}/metrics", listener.local_addr().map_err(unusable)?);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(figures));
    let registry = Arc::new(registry);
    let page = move || {
        let registry = Arc::clone(&registry);
        async move { metrics_page(&[&registry]) }
    };
    let router = Router::new().route("/metrics", get(page));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}
