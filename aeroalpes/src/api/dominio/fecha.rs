//! Moments in UTC, to the second: what the database keeps, and the one form in which the API reads and writes them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::DateTime;
use jiff::tz::Offset;

const FORMA: &str = "%Y-%m-%dT%H:%M:%SZ";

/// A moment between 1970 and 9999, as `2022-11-22T13:10:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fecha(DateTime);

impl Fecha {
    /// Reads the one form; anything else is none.
    pub fn leer(texto: &str) -> Option<Fecha> {
        let fecha = Fecha(DateTime::strptime(FORMA, texto).ok()?);
        // The parser also takes shorter numbers, signs and leap seconds; what it prints again differently was not the form.
        (fecha.0.year() >= 1970 && fecha.to_string() == texto).then_some(fecha)
    }

    /// Cuts a clock's time to the second, so that the row, the event and the answer show the same. A clock before
    /// 1970 counts as 1970, one beyond the calendar as its end.
    pub fn de_reloj(momento: SystemTime) -> Fecha {
        let since = momento.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let timestamp = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
        let fecha = Offset::UTC.to_datetime(timestamp);
        Fecha(fecha.with().subsec_nanosecond(0).build().unwrap_or(fecha))
    }

    /// Returns milliseconds since 1970.
    pub fn milisegundos(self) -> i64 {
        Offset::UTC.to_timestamp(self.0).map_or(0, jiff::Timestamp::as_millisecond)
    }

    /// Returns the moment as a clock tells it.
    pub fn reloj(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.milisegundos()).unwrap_or(0))
    }
}

impl fmt::Display for Fecha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date(), self.0.time());
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())?;
        write!(f, "T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Fecha;

    #[test]
    fn una_sola_forma_se_lee_y_se_escribe() {
        for text in ["2022-11-22T13:10:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T00:00:00Z"] {
            assert_eq!(Fecha::leer(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn lo_demas_no_es_una_fecha() {
        for text in [
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
            assert_eq!(Fecha::leer(text), None, "{text}");
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
