//! A value as written, before the option that takes it is known.

use bitacora_change::NameList;

use super::document::{Content, Entry, Node};

/// Texts by their names.
pub(crate) type Texts = Vec<(String, String)>;

/// Texts, or lists of texts, by their names.
pub(crate) type Fields = Vec<(String, NameList)>;

/// A value as written.
pub(crate) enum Raw {
    Text(String),
    List(Vec<String>),
    Map(Texts),
    /// Tables with texts or lists of texts.
    Tables(Vec<Fields>),
    /// No value, or a nested one. Only options without effect accept it.
    Other,
}

impl Raw {
    pub(crate) fn of(node: &Node) -> Raw {
        match &node.content {
            Content::Scalar(text) => Raw::Text(text.clone()),
            Content::List(items) if items.iter().any(|item| matches!(item.content, Content::Mapping(_))) => {
                items.iter().map(table).collect::<Option<Vec<_>>>().map_or(Raw::Other, Raw::Tables)
            }
            Content::List(items) => {
                let texts = items.iter().map(|item| match &item.content {
                    Content::Scalar(text) => Some(text.clone()),
                    _ => None,
                });
                texts.collect::<Option<Vec<_>>>().map_or(Raw::Other, Raw::List)
            }
            Content::Mapping(entries) => {
                let mut texts = Vec::new();
                if flatten(entries, "", &mut texts) { Raw::Map(texts) } else { Raw::Other }
            }
            Content::Null => Raw::Other,
        }
    }
}

/// Returns the texts of a table in a list; `None` if the table holds anything else.
fn table(node: &Node) -> Option<Fields> {
    let Content::Mapping(entries) = &node.content else { return None };
    let field = |entry: &Entry| {
        Some(match &entry.value.content {
            Content::Scalar(text) => (entry.key.clone(), NameList::Text(text.clone())),
            Content::List(items) => {
                let texts = items.iter().map(|item| match &item.content {
                    Content::Scalar(text) => Some(text.clone()),
                    _ => None,
                });
                (entry.key.clone(), NameList::Entries(texts.collect::<Option<Vec<_>>>()?))
            }
            Content::Mapping(_) | Content::Null => return None,
        })
    };
    entries.iter().map(field).collect()
}

/// Adds the texts of a mapping by their dotted names, and returns whether the mapping holds only texts.
fn flatten(entries: &[Entry], above: &str, texts: &mut Vec<(String, String)>) -> bool {
    entries.iter().all(|entry| {
        let name = if above.is_empty() { entry.key.clone() } else { format!("{above}.{}", entry.key) };
        match &entry.value.content {
            Content::Scalar(text) => {
                texts.push((name, text.clone()));
                true
            }
            Content::Mapping(inner) => flatten(inner, &name, texts),
            Content::List(_) | Content::Null => false,
        }
    })
}
