//! Options for rows whose message no broker takes.

use bitacora_change::MESSAGE_BYTES_MAX;

use super::spec::{Choice, Effect, OptionSpec};
use crate::large_rows::Policy;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "bitacora.large.rows.policy",
        Effect::Choice(&[
            Choice::new("stop", |draft| draft.large_rows.policy = Policy::Stop),
            Choice::new("dead_letter", |draft| draft.large_rows.policy = Policy::DeadLetter),
            Choice::new("truncate", |draft| draft.large_rows.policy = Policy::Truncate),
        ]),
        "What happens to a row whose message no broker takes (our own option): the source stops and names the row; a \
        dead letter that names the row takes its place; or the columns of `bitacora.large.rows.columns` are cut in \
        this row. Messages above the broker's maximum size travel in chunks and do not count.",
    )
    .toml(&["large_rows.policy"])
    .default("stop"),
    OptionSpec::new(
        "bitacora.large.rows.max.bytes",
        Effect::Integer {
            min: 1_024,
            max: MESSAGE_BYTES_MAX,
            set: |draft, number| draft.large_rows.max_bytes = number,
        },
        "Size of key, value and properties in bytes, before compression, from which a message counts as one that no \
        broker takes; lower it if consumers cannot hold as much (our own option). A message counts too if its key and \
        properties exceed a quarter of the broker's maximum message size.",
    )
    .toml(&["large_rows.max_bytes"])
    .default("2000000000"),
    OptionSpec::new(
        "bitacora.large.rows.columns",
        Effect::List(|draft, list| draft.large_rows.columns(&list)),
        "Columns that `truncate` cuts: regular expressions on `database.table.column` (our own option).",
    )
    .toml(&["large_rows.columns"]),
    OptionSpec::new(
        "bitacora.large.rows.chars",
        Effect::Integer {
            min: 0,
            max: 1_000_000_000,
            set: |draft, number| draft.large_rows.chars = u32::try_from(number).unwrap_or(u32::MAX),
        },
        "Characters, or bytes of a binary column, that `truncate` leaves (our own option).",
    )
    .toml(&["large_rows.chars"])
    .default("1000"),
    OptionSpec::new(
        "bitacora.large.rows.dead.letter.topic",
        Effect::Text(|draft, text| {
            draft.large_rows.dead_letter_topic = Some(text).filter(|text| !text.is_empty());
            Ok(())
        }),
        "Topic of the dead letters of large rows; without it the table's own topic with `.dead-letter` appended (our \
        own option).",
    )
    .toml(&["large_rows.dead_letter_topic"]),
];
