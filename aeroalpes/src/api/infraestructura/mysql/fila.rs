//! Rows of `reservas_itinerarios` and back: a tree of itineraries is laid out leg by leg, each with its place.

use crate::api::dominio::{Itinerario, Leg, Odo, Pasajero, Segmento};

/// One leg and its place in the reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fila<L> {
    /// Itinerary, odo, segment and leg, each counted from 0.
    pub(super) orden: [i32; 4],
    pub(super) leg: L,
}

/// Lays out the legs in order.
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

/// Builds the tree again out of rows in the order of their places, and of passengers with the place of their itinerary.
pub(super) fn itinerarios(filas: Vec<Fila<Leg>>, pasajeros: &[(i32, Pasajero)]) -> Vec<Itinerario> {
    let mut itinerarios: Vec<Itinerario> = Vec::new();
    let mut antes = None;
    for Fila { orden, leg } in filas {
        let [i, o, s, _] = orden;
        if antes.is_none_or(|[ai, _, _, _]: [i32; 4]| ai != i) {
            let suyos = pasajeros.iter().filter(|(orden, _)| *orden == i).map(|(_, pasajero)| *pasajero);
            itinerarios.push(Itinerario { odos: Vec::new(), pasajeros: suyos.collect() });
            antes = None;
        }
        let Some(itinerario) = itinerarios.last_mut() else { continue };
        if antes.is_none_or(|[_, ao, _, _]| ao != o) {
            itinerario.odos.push(Odo { segmentos: Vec::new() });
            antes = None;
        }
        let Some(odo) = itinerario.odos.last_mut() else { continue };
        if antes.is_none_or(|[_, _, as_, _]| as_ != s) {
            odo.segmentos.push(Segmento { legs: Vec::new() });
        }
        if let Some(segmento) = odo.segmentos.last_mut() {
            segmento.legs.push(leg);
        }
        antes = Some(orden);
    }
    itinerarios
}

#[cfg(test)]
mod tests {
    use super::{Fila, filas, itinerarios};
    use crate::api::dominio::{Aeropuerto, Fecha, Itinerario, Leg, Odo, Pasajero, Segmento};

    /// Every shape of up to two itineraries, odos, segments and legs comes back as it was.
    #[test]
    fn el_arbol_se_reconstruye() {
        let aeropuerto = |codigo: String| Aeropuerto { nombre: Some(format!("de {codigo}")), codigo };
        let mut number = 0;
        for shape in 0..16_usize {
            let count = |level: usize| 1 + (shape >> level & 1);
            let mut leg = || {
                number += 1;
                let fecha = Fecha::leer("2022-11-22T13:10:00Z").unwrap();
                let (origen, destino) = (aeropuerto(format!("O{number}")), aeropuerto(format!("D{number}")));
                Leg { fecha_salida: fecha, fecha_llegada: fecha, origen, destino }
            };
            let mut segmento = || Segmento { legs: (0..count(0)).map(|_| leg()).collect() };
            let mut odo = || Odo { segmentos: (0..count(1)).map(|_| segmento()).collect() };
            let mut itinerario = |pasajeros| Itinerario { odos: (0..count(2)).map(|_| odo()).collect(), pasajeros };
            let tree: Vec<_> = (0..count(3))
                .map(|place| itinerario(vec![Pasajero::Adulto, Pasajero::Menor][place..].to_vec()))
                .collect();
            let rows = filas(&tree).into_iter().map(|fila| Fila { orden: fila.orden, leg: fila.leg.clone() }).collect();
            let passengers: Vec<_> = (0..)
                .zip(&tree)
                .flat_map(|(place, itinerario)| itinerario.pasajeros.iter().map(move |pasajero| (place, *pasajero)))
                .collect();
            assert_eq!(itinerarios(rows, &passengers), tree, "shape {shape}");
        }
    }
}
