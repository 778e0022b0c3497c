//! Options for the values of columns.

use super::spec::{Effect, OptionSpec};

const DEFAULT_ONLY: &str = "only the default form of these values is implemented";
const PROPAGATE: &str = "parameters of the source type in schemas are not implemented yet";
const OWN_CODE: &str = "custom code for values cannot be loaded";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "column.mask.*",
        Effect::Rules {
            keyed: |draft, key, columns| draft.columns.mask_by_key(key, columns),
            table: |draft, texts| draft.columns.mask_by_table(texts),
        },
        "Columns of text to mask, as regular expressions on `database.table.column`. `column.mask.with.<N>.chars` \
        prints N asterisks, also for NULL. `column.mask.hash.<algorithm>.with.salt.<salt>` prints the salted hash of \
        the text as Java serialises it, in hexadecimal digits and cut to the column's length; `column.mask.hash.v2.…` \
        hashes the text's UTF-8. In `bitacora.toml`: `{ columns = \"…\", chars = N }` or `{ columns = \"…\", hash = \
        \"SHA-256\", salt = \"…\" }`, which hashes the UTF-8 unless `hash_version = 1`. A salt may be `${env:NAME}`. \
        Columns in a key and columns of other types keep their plain values, and the log names them. A mask takes \
        precedence over a truncation.",
    )
    .toml(&["columns.mask"]),
    OptionSpec::new(
        "column.truncate.*",
        Effect::Rules {
            keyed: |draft, key, columns| draft.columns.truncate_by_key(key, columns),
            table: |draft, texts| draft.columns.truncate_by_table(texts),
        },
        "Columns to cut, as regular expressions on `database.table.column`: `column.truncate.to.<N>.chars`; in \
        `bitacora.toml`: `{ columns = \"…\", chars = N }`. Texts are cut to N UTF-16 units, as Java counts \
        characters; in the form 3.6, bytes are cut to N bytes. Other types stay as they are.",
    )
    .toml(&["columns.truncate"]),
    OptionSpec::refused("decimal.handling.mode", &["precise"], DEFAULT_ONLY),
    OptionSpec::refused("bigint.unsigned.handling.mode", &["long"], DEFAULT_ONLY),
    OptionSpec::refused("binary.handling.mode", &["bytes"], DEFAULT_ONLY),
    OptionSpec::refused("time.precision.mode", &["adaptive_time_microseconds"], DEFAULT_ONLY),
    OptionSpec::refused("enable.time.adjuster", &["true"], DEFAULT_ONLY),
    OptionSpec::refused("include.schema.comments", &["false"], "comments in schemas are not implemented yet"),
    OptionSpec::refused("unavailable.value.placeholder", &["__debezium_unavailable_value"], DEFAULT_ONLY)
        .aliases(&["toasted.value.placeholder"]),
    OptionSpec::refused("column.propagate.source.type", &[""], PROPAGATE),
    OptionSpec::refused("datatype.propagate.source.type", &[""], PROPAGATE),
    OptionSpec::refused("converters", &[""], OWN_CODE),
    OptionSpec::refused("post.processors", &[""], OWN_CODE),
];
