//! The length of a column as Debezium knows it, on which it depends how far a hash is cut and whether a text can be cut.

use bitacora_binlog::{Column, ColumnType};

use crate::charset::{charset_of_collation, max_character_bytes};
use crate::description::ColumnDescription;

/// Characters, bytes or digits of a column; `None` where its type has no length. What DDL says goes before what the log
/// says, but for TEXT and BLOB: the server makes another type of a length there and keeps longer values than that.
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
        // The place of a label, and the most labels with their commas, each counted as one.
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
