//! Lo que dice el servicio de salud: si la API contesta.

use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::sidecar::api::Api;

/// Cada cuánto se pregunta a la API.
const CADA: Duration = Duration::from_secs(2);
/// El servidor entero, y su servicio.
const NOMBRES: [&str; 2] = ["", "vuelos.Vuelos"];

/// Pregunta a la API una y otra vez, y se lo dice al servicio de salud.
pub(crate) async fn vigilar(api: Api, informe: HealthReporter) {
    let mut antes = None;
    loop {
        let responde = api.responde().await;
        if antes != Some(responde) {
            let estado = if responde { ServingStatus::Serving } else { ServingStatus::NotServing };
            for nombre in NOMBRES {
                informe.set_service_status(nombre, estado).await;
            }
            tracing::info!(responde, "la API");
            antes = Some(responde);
        }
        tokio::time::sleep(CADA).await;
    }
}

/// Dice que ya no se sirve nada, lo que termina las llamadas que vigilan.
pub(crate) async fn despedir(informe: &mut HealthReporter) {
    for nombre in NOMBRES {
        informe.set_service_status(nombre, ServingStatus::NotServing).await;
        informe.clear_service_status(nombre).await;
    }
}
