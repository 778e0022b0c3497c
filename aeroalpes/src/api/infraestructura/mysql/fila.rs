//! De itinerarios a filas de `reservas_itinerarios` y de vuelta: el árbol se extiende leg a leg, cada uno con su lugar.

use crate::api::dominio::{Itinerario, Leg, Odo, Pasajero, Segmento};

/// Un leg y su lugar en la reserva.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fila<L> {
    /// Itinerario, odo, segmento y leg, cada uno contado desde 0.
    pub(super) orden: [i32; 4],
    pub(super) leg: L,
}

/// Extiende los legs en orden.
pub(super) fn filas(itinerarios: &[Itinerario]) -> Vec<Fila<&Leg>> {
    let mut filas = Vec::new();
    for (i, itinerario) in (0..).zip(itinerarios) {
        for (o, odo) in (0..).zip(&itinerario.odos) {
            for (s, segmento) in (0..).zip(&odo.segmentos) {
                for (l, leg) in (0..).zip(&segmento.legs) {
                    filas.push(Fila { orden: [i, o, s, l], leg });
                }
            }
        }
    }
    filas
}

/// Reconstruye el árbol de las filas, en el orden de sus lugares, y de los pasajeros con el lugar de su itinerario.
pub(super) fn itinerarios(filas: &[Fila<Leg>], pasajeros: &[(i32, Pasajero)]) -> Vec<Itinerario> {
    let segmento = |filas: &[Fila<Leg>]| Segmento { legs: filas.iter().map(|fila| fila.leg.clone()).collect() };
    let odo = |filas: &[Fila<Leg>]| Odo { segmentos: grupos(filas, 2, segmento) };
    let itinerario = |filas: &[Fila<Leg>]| {
        let lugar = filas.first().map(|fila| fila.orden[0]);
        let suyos = pasajeros.iter().filter(|(de, _)| Some(*de) == lugar).map(|(_, pasajero)| *pasajero);
        Itinerario { odos: grupos(filas, 1, odo), pasajeros: suyos.collect() }
    };
    grupos(filas, 0, itinerario)
}

/// Hace algo de cada grupo de filas seguidas con el mismo lugar en un nivel.
fn grupos<T>(filas: &[Fila<Leg>], nivel: usize, hacer: impl Fn(&[Fila<Leg>]) -> T) -> Vec<T> {
    filas.chunk_by(|una, otra| una.orden.get(nivel) == otra.orden.get(nivel)).map(hacer).collect()
}

#[cfg(test)]
mod tests {
    use super::{Fila, filas, itinerarios};
    use crate::api::dominio::{Aeropuerto, Fecha, Itinerario, Leg, Odo, Pasajero, Segmento, TipoPasajero};

    /// Toda forma de hasta dos itinerarios, odos, segmentos y legs vuelve como era.
    #[test]
    fn el_arbol_se_reconstruye() {
        let aeropuerto = |codigo: String| Aeropuerto { nombre: Some(format!("de {codigo}")), codigo };
        let mut numero = 0;
        for forma in 0..16_usize {
            let cuenta = |nivel: usize| 1 + (forma >> nivel & 1);
            let mut leg = || {
                numero += 1;
                let fecha = Fecha::leer("2022-11-22T13:10:00Z").unwrap();
                let (origen, destino) = (aeropuerto(format!("O{numero}")), aeropuerto(format!("D{numero}")));
                Leg { fecha_salida: fecha, fecha_llegada: fecha, origen, destino }
            };
            let mut segmento = || Segmento { legs: (0..cuenta(0)).map(|_| leg()).collect() };
            let mut odo = || Odo { segmentos: (0..cuenta(1)).map(|_| segmento()).collect() };
            let mut itinerario = |pasajeros| Itinerario { odos: (0..cuenta(2)).map(|_| odo()).collect(), pasajeros };
            let arbol: Vec<_> = (0..cuenta(3))
                .map(|lugar| {
                    itinerario(
                        [TipoPasajero::Adulto, TipoPasajero::Menor].map(|tipo| Pasajero { tipo })[lugar..].to_vec(),
                    )
                })
                .collect();
            let propia = |fila: Fila<&Leg>| Fila { orden: fila.orden, leg: fila.leg.clone() };
            let filas: Vec<_> = filas(&arbol).into_iter().map(propia).collect();
            let viajeros: Vec<_> = (0..)
                .zip(&arbol)
                .flat_map(|(lugar, itinerario)| itinerario.pasajeros.iter().map(move |pasajero| (lugar, *pasajero)))
                .collect();
            assert_eq!(itinerarios(&filas, &viajeros), arbol, "forma {forma}");
        }
    }
}
