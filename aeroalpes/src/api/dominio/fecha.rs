//! Momentos en UTC, al segundo: lo que guarda la base de datos, y la única forma en que la API los lee y escribe.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

const FORMA: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Un momento entre 1970 y 9999, como `2022-11-22T13:10:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fecha(DateTime);

impl Fecha {
    /// Lee esa única forma; lo demás no es una fecha.
    pub(crate) fn leer(texto: &str) -> Option<Fecha> {
        let fecha = Fecha(DateTime::strptime(FORMA, texto).ok()?);
        // El analizador también toma números más cortos, signos y segundos intercalares; lo que vuelve a imprimir
        // distinto no era la forma.
        (fecha.0.year() >= 1970 && fecha.to_string() == texto).then_some(fecha)
    }

    /// Corta la hora de un reloj en el segundo, para que la fila, el evento y la respuesta digan lo mismo. Un reloj
    /// anterior a 1970 cuenta como 1970; uno más allá del calendario, como su final.
    pub(crate) fn de_reloj(momento: SystemTime) -> Fecha {
        let transcurrido = momento.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let segundos = i64::try_from(transcurrido.as_secs()).unwrap_or(i64::MAX);
        let instante = jiff::Timestamp::from_second(segundos).unwrap_or(jiff::Timestamp::MAX);
        let fecha = Offset::UTC.to_datetime(instante);
        Fecha(fecha.with().subsec_nanosecond(0).build().unwrap_or(fecha))
    }

    /// Devuelve los milisegundos desde 1970.
    pub(crate) fn milisegundos(self) -> i64 {
        Offset::UTC.to_timestamp(self.0).map_or(0, jiff::Timestamp::as_millisecond)
    }

    /// Devuelve el momento como lo dice un reloj.
    pub(crate) fn reloj(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.milisegundos()).unwrap_or(0))
    }
}

impl fmt::Display for Fecha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime(FORMA))
    }
}

impl Serialize for Fecha {
    fn serialize<S: Serializer>(&self, serializador: S) -> Result<S::Ok, S::Error> {
        serializador.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Fecha;

    #[test]
    fn una_sola_forma_se_lee_y_se_escribe() {
        for texto in ["2022-11-22T13:10:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T00:00:00Z"] {
            assert_eq!(Fecha::leer(texto).unwrap().to_string(), texto);
        }
    }

    #[test]
    fn lo_demas_no_es_una_fecha() {
        for texto in [
            "",
            "2022-11-22",
            "2022-11-22T13:10:00",
            "2022-11-22T13:10:00+00:00",
            "2022-11-22T13:10:00.5Z",
            "2022-11-22 13:10:00Z",
            "2022-1-22T13:10:00Z",
            "2022-02-30T13:10:00Z",
            "2022-11-22T24:00:00Z",
            "2022-11-22T13:10:60Z",
            " 2022-11-22T13:10:00Z",
            "+2022-11-22T13:10:00Z",
            "1969-12-31T23:59:59Z",
            "12022-11-22T13:10:00Z",
            "2022-11-22T13:10:00Zx",
        ] {
            assert_eq!(Fecha::leer(texto), None, "{texto}");
        }
    }

    #[test]
    fn el_reloj_se_corta_en_el_segundo() {
        let fecha = Fecha::de_reloj(UNIX_EPOCH + Duration::from_millis(1_669_122_600_999));
        assert_eq!(fecha.to_string(), "2022-11-22T13:10:00Z");
        assert_eq!(fecha.milisegundos(), 1_669_122_600_000);
        assert_eq!(fecha.reloj(), UNIX_EPOCH + Duration::from_secs(1_669_122_600));
    }
}
