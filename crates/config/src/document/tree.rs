//! The tree, and the error of a file that cannot be parsed.

/// Deepest nesting that is accepted. Real files have three levels; the bound keeps recursion from exhausting the stack.
pub(super) const MAX_DEPTH: usize = 32;

/// A value in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// One-based line where the value starts.
    pub(crate) line: usize,
    /// The value.
    pub(crate) content: Content,
}

/// The content of a [`Node`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A key without a value (YAML's `null`, `~` or nothing).
    Null,
    /// Text, number or boolean, as written.
    Scalar(String),
    /// An ordered list.
    List(Vec<Node>),
    /// Entries in the order of the file. A key may appear twice; the code that reads the tree reports it.
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

/// Why a file cannot be parsed.
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
