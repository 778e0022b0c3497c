//! Parses a configuration file into a tree with line numbers.
//!
//! Both file formats (YAML of Pulsar IO, our own TOML) become the same tree of mappings, lists and scalars. A scalar
//! keeps the text as it is in the file, so `3306`, `"3306"` and `'3306'` mean the same, and a password that looks
//! like a number keeps its leading zeros. Each key and each value knows its line, for messages.

mod toml;
mod tree;
mod yaml;

pub(super) use self::toml::parse as parse_toml;
pub(super) use self::tree::{Content, Entry, Node};
pub(super) use self::yaml::parse as parse_yaml;
