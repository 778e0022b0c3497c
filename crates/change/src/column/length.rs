//! The length of a column as Debezium knows it. It decides where a hash is cut and whether a text can be cut.

use bitacora_binlog::{Column, ColumnType};

use crate::charset::{charset_of_collation, max_character_bytes};
use crate::description::ColumnDescription;

/// Returns the length of a column in characters, bytes or digits; `None` where its type has no length. The description
/// has precedence over the log, except for TEXT and BLOB: there the server uses a given length only to choose a type,
/// and stores longer values too.
pub(super) fn characters(column: &Column, description: Option<&ColumnDescription>) -> Option<u32> {
    let described = description.and_then(|description| description.length);
    match column.kind {
        ColumnType::STRING | ColumnType::VARCHAR | ColumnType::VAR_STRING => {
            if description
                .is_some_and(|description| matches!(description.type_name.as_str(), "UUID" | "INET4" | "INET6"))
            {
                return None;
            }
            described.or_else(|| {
                let charset = description.and_then(|description| description.charset.as_deref());
                let charset = column.collation.and_then(charset_of_collation).or(charset).unwrap_or("binary");
                Some(u32::from(column.max_bytes()) / max_character_bytes(charset))
            })
        }
        ColumnType::BLOB | ColumnType::TINY_BLOB | ColumnType::MEDIUM_BLOB | ColumnType::LONG_BLOB => None,
        ColumnType::JSON | ColumnType::JSON_TEXT | ColumnType::BLOB_COMPRESSED => None,
        // An ENUM value is the index of one label; a SET has at most all labels and the commas between them, each
        // counted as one character.
        ColumnType::ENUM => Some(1),
        ColumnType::SET => {
            let labels = column.labels.len().max(description.map_or(0, |description| description.labels.len()));
            u32::try_from(labels).ok().map(|labels| (2 * labels).saturating_sub(1))
        }
        ColumnType::TIMESTAMP2 | ColumnType::DATETIME2 | ColumnType::TIME2 => {
            Some(u32::from(column.fractional_digits())).filter(|digits| *digits > 0)
        }
        _ => described,
    }
}
