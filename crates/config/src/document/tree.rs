//! The tree, and why a file is none.

/// Nesting deeper than this is refused; real files have three levels.
pub(super) const MAX_DEPTH: usize = 32;

/// A value in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// One-based line where the value starts.
    pub(crate) line: usize,
    /// What stands there.
    pub(crate) content: Content,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
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
pub(crate) struct Entry {
    /// The key's text.
    pub(crate) key: String,
    /// One-based line of the key.
    pub(crate) line: usize,
    /// The value.
    pub(crate) value: Node,
}

/// Why a file is not a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// One-based line.
    pub(crate) line: usize,
    /// What the parser found, without a final stop.
    pub(crate) message: String,
}

impl SyntaxError {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Self {
        SyntaxError { line, message: message.into() }
    }
}
