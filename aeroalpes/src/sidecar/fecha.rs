//! Moments: protobuf's seconds and nanoseconds, and the API's text `2022-11-22T13:10:00Z`. The API knows whole seconds.

use jiff::Timestamp;
use prost_types::Timestamp as Proto;

/// Writes a moment as the API does; a part of a second is dropped. `None` when it is no moment of the years 1 to 9999.
pub(crate) fn texto(moment: &Proto) -> Option<String> {
    const YEAR_1: i64 = -62_135_596_800;
    let in_range = (0..1_000_000_000).contains(&moment.nanos) && moment.seconds >= YEAR_1;
    let timestamp = in_range.then(|| Timestamp::from_second(moment.seconds).ok()).flatten()?;
    Some(timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Reads a moment with a time zone.
pub(crate) fn de_texto(text: &str) -> Option<Proto> {
    let timestamp: Timestamp = text.parse().ok()?;
    // Protobuf counts nanoseconds forward from the second below, also before 1970.
    let nanos = timestamp.as_nanosecond().rem_euclid(1_000_000_000);
    let seconds = timestamp.as_nanosecond().div_euclid(1_000_000_000);
    Some(Proto { seconds: i64::try_from(seconds).ok()?, nanos: i32::try_from(nanos).ok()? })
}

#[cfg(test)]
mod tests {
    use super::{Proto, de_texto, texto};

    #[test]
    fn los_momentos_van_y_vuelven() {
        for (seconds, text) in [
            (1_669_122_600, "2022-11-22T13:10:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
        ] {
            let moment = Proto { seconds, nanos: 0 };
            assert_eq!(texto(&moment).as_deref(), Some(text));
            assert_eq!(de_texto(text), Some(moment));
        }
        assert_eq!(de_texto("2022-11-22T08:10:00-05:00"), de_texto("2022-11-22T13:10:00Z"));
        assert_eq!(de_texto("1969-12-31T23:59:59.5Z"), Some(Proto { seconds: -1, nanos: 500_000_000 }));
    }

    #[test]
    fn lo_que_no_es_un_momento_no_se_lee() {
        for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000), (-62_135_596_801, 0)] {
            assert_eq!(texto(&Proto { seconds, nanos }), None, "{seconds} {nanos}");
        }
        assert_eq!(de_texto("2022-11-22T13:10:00"), None);
        assert_eq!(de_texto("ayer"), None);
    }
}
