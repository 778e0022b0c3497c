//! The text in front of a column's value.

use crate::json::write_string;

/// A block of this size is always copied: a copy of a size that the compiler knows is a few instructions, any other is
/// a call.
const BLOCK_BYTES: usize = 32;

/// `,"name":`, ready to be copied.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    text: Vec<u8>,
    /// The text with zeros behind it, if it is short enough.
    block: Option<[u8; BLOCK_BYTES]>,
}

impl Label {
    /// Creates the label of a column.
    pub(crate) fn new(name: &str) -> Label {
        let mut text = b",".to_vec();
        write_string(name, &mut text);
        text.push(b':');
        let mut block = [0; BLOCK_BYTES];
        let target = block.get_mut(..text.len());
        let block = target.map(|target| target.copy_from_slice(&text)).map(|()| block);
        Label { text, block }
    }

    /// Appends the label with `separator` at its front: a comma, or the brace that opens the object.
    #[inline]
    pub(crate) fn write(&self, separator: u8, out: &mut Vec<u8>) {
        let start = out.len();
        match &self.block {
            Some(block) => {
                out.extend_from_slice(block);
                out.truncate(start + self.text.len());
            }
            None => out.extend_from_slice(&self.text),
        }
        if let Some(front) = out.get_mut(start) {
            *front = separator;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_names_are_written_alike() {
        for length in 0..70 {
            let name = "ñ\"".repeat(length / 3) + &"n".repeat(length % 3);
            let mut out = b"{".to_vec();
            Label::new(&name).write(b',', &mut out);
            let expected = format!("{{,{}:", serde_json::Value::from(name));
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
