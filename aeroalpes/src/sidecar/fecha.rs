//! Momentos: los segundos y nanosegundos de protobuf, y el texto de la API `2022-11-22T13:10:00Z`. La API conoce
//! segundos enteros.

use jiff::Timestamp;
use prost_types::Timestamp as Proto;

/// Escribe un momento como la API, sin la fracción de segundo. `None` si no es un momento de los años 1 a 9999.
pub(crate) fn texto(momento: &Proto) -> Option<String> {
    const ANO_1: i64 = -62_135_596_800;
    let en_rango = (0..1_000_000_000).contains(&momento.nanos) && momento.seconds >= ANO_1;
    let instante = en_rango.then(|| Timestamp::from_second(momento.seconds).ok()).flatten()?;
    Some(instante.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Lee un momento con zona horaria.
pub(crate) fn de_texto(texto: &str) -> Option<Proto> {
    let instante: Timestamp = texto.parse().ok()?;
    // Protobuf cuenta los nanosegundos hacia delante desde el segundo de abajo, también antes de 1970.
    let nanos = instante.as_nanosecond().rem_euclid(1_000_000_000);
    let segundos = instante.as_nanosecond().div_euclid(1_000_000_000);
    Some(Proto { seconds: i64::try_from(segundos).ok()?, nanos: i32::try_from(nanos).ok()? })
}

#[cfg(test)]
mod tests {
    use super::{Proto, de_texto, texto};

    #[test]
    fn los_momentos_van_y_vuelven() {
        for (segundos, escrito) in [
            (1_669_122_600, "2022-11-22T13:10:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
        ] {
            let momento = Proto { seconds: segundos, nanos: 0 };
            assert_eq!(texto(&momento).as_deref(), Some(escrito));
            assert_eq!(de_texto(escrito), Some(momento));
        }
        assert_eq!(de_texto("2022-11-22T08:10:00-05:00"), de_texto("2022-11-22T13:10:00Z"));
        assert_eq!(de_texto("1969-12-31T23:59:59.5Z"), Some(Proto { seconds: -1, nanos: 500_000_000 }));
    }

    #[test]
    fn lo_que_no_es_un_momento_no_se_lee() {
        for (segundos, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000), (-62_135_596_801, 0)] {
            assert_eq!(texto(&Proto { seconds: segundos, nanos }), None, "{segundos} {nanos}");
        }
        assert_eq!(de_texto("2022-11-22T13:10:00"), None);
        assert_eq!(de_texto("ayer"), None);
    }
}
