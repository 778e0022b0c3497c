//! What the health service says: whether the API answers.

use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::sidecar::api::Api;

/// How often the API is asked.
const CADA: Duration = Duration::from_secs(2);
/// The whole server, and its service.
const NOMBRES: [&str; 2] = ["", "vuelos.Vuelos"];

/// Asks the API again and again, and tells the health service.
pub(crate) async fn vigilar(api: Api, reporter: HealthReporter) {
    let mut before = None;
    loop {
        let is_up = api.responde().await;
        if before != Some(is_up) {
            let status = if is_up { ServingStatus::Serving } else { ServingStatus::NotServing };
            for name in NOMBRES {
                reporter.set_service_status(name, status).await;
            }
            tracing::info!(is_up, "the API");
            before = Some(is_up);
        }
        tokio::time::sleep(CADA).await;
    }
}

/// Says that nothing is served any more, which ends the calls that watch.
pub(crate) async fn despedir(reporter: &mut HealthReporter) {
    for name in NOMBRES {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
        reporter.clear_service_status(name).await;
    }
}
