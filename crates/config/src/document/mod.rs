//! A configuration file as a tree with line numbers.
//!
//! Both file formats (YAML of Pulsar IO, our own TOML) become the same tree of mappings, lists and scalars. A scalar is
//! kept as the text that stands in the file, so `3306`, `"3306"` and `'3306'` mean the same, and a password that looks
//! like a number keeps its leading zeros. Each key and each value knows its line, for messages.

mod toml;
mod yaml;

pub(super) use self::toml::parse as parse_toml;
pub(super) use self::yaml::parse as parse_yaml;

/// Nesting deeper than this is refused; real files have three levels.
const MAX_DEPTH: usize = 32;

/// A value in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// One-based line where the value starts.
    pub(super) line: usize,
    /// What stands there.
    pub(super) content: Content,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A key without a value (YAML's `null`, `~` or nothing).
    Null,
    /// Text, number or boolean, as written.
    Scalar(String),
    /// An ordered list.
    List(Vec<Node>),
    /// Entries in the order of the file; a key may appear twice, the reader of the tree reports it.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key's text.
    pub(super) key: String,
    /// One-based line of the key.
    pub(super) line: usize,
    /// The value.
    pub(super) value: Node,
}

/// Why a file is not a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// One-based line.
    pub(super) line: usize,
    /// What the parser found, without a final stop.
    pub(super) message: String,
}

impl SyntaxError {
    fn new(line: usize, message: impl Into<String>) -> Self {
        SyntaxError { line, message: message.into() }
    }
}
