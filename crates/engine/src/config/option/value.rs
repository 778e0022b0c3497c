//! How values of columns are written.

use super::OptionSpec;

const DEFAULT_ONLY: &str = "only the default form of these values is implemented";
const PROPAGATE: &str = "parameters of the source type in schemas are not implemented yet";
const MASKS: &str = "masking and truncating columns is not implemented yet, and their plain values would be published";
const OWN_CODE: &str = "own code for values cannot be loaded";

pub(super) const OPTIONS: &[OptionSpec] = &[
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
    OptionSpec::refused("column.mask.*", &[], MASKS),
    OptionSpec::refused("column.truncate.*", &[], MASKS),
];
