//! How a rule for a column changes its plan.
//!
//! As in Debezium, masks concern text (CHAR, VARCHAR, TEXT, ENUM, SET) and truncations everything that is printed as a
//! text, in the 3.6 form bytes too. Columns of other types stay as they are, and a note says so.

use super::ColumnPlan;
use super::encoder::Encoder;
use super::rewrite::Rewrite;
use crate::column_rules::{Mask, Treatment};
use crate::options::DebeziumForm;
use crate::schema::Kind;

impl ColumnPlan {
    /// Applies a rule; `length` is that of the column's type, if it has one.
    pub(super) fn treat(&mut self, treatment: Treatment<'_>, form: DebeziumForm, length: Option<u32>) {
        match treatment {
            Treatment::Plain => {}
            Treatment::Mask(mask) => {
                self.schema.parameters.push(("masked".to_owned(), "true".to_owned()));
                if self.encoder.is_text() {
                    self.mask(mask, length);
                } else {
                    self.note = Some(format!(
                        "{} is published unmasked, because masks change text only; leave the column out instead",
                        self.name
                    ));
                }
            }
            Treatment::Truncate(characters) => self.truncate(characters, form, length),
        }
    }

    fn mask(&mut self, mask: &Mask, length: Option<u32>) {
        match mask {
            Mask::Asterisks(characters) => {
                let mut constant = vec![b'"'];
                constant.extend(std::iter::repeat_n(b'*', *characters as usize));
                constant.push(b'"');
                self.null.clone_from(&constant);
                self.encoder = Encoder::Constant(constant);
            }
            Mask::Hash(hash) => {
                let characters = length.filter(|length| *length > 0).map_or(usize::MAX, |length| length as usize);
                self.rewrite(Rewrite::Hash { hash: hash.clone(), characters });
            }
        }
    }

    fn truncate(&mut self, characters: u32, form: DebeziumForm, length: Option<u32>) {
        if length.is_some_and(|length| length <= characters) {
            return;
        }
        self.schema.parameters.push(("truncateLength".to_owned(), characters.to_string()));
        if self.schema.kind == Kind::String {
            self.rewrite(Rewrite::CutText(characters as usize));
        } else if self.encoder.is_bytes() {
            match form {
                DebeziumForm::V3_6 => self.rewrite(Rewrite::CutBytes(characters as usize)),
                DebeziumForm::V1_9 => {
                    self.note = Some(format!(
                        "{} is published in full, because bytes are not truncated in the form of Debezium 1.9; leave \
                        the column out instead",
                        self.name
                    ));
                }
            }
        }
    }

    fn rewrite(&mut self, rewrite: Rewrite) {
        // What is printed for an unrepresentable value is masked as well; NULL is not.
        if self.unrepresentable.starts_with(b"\"") {
            rewrite.apply(0, &mut Vec::new(), &mut self.unrepresentable);
        }
        let encoder = std::mem::replace(&mut self.encoder, Encoder::Constant(Vec::new()));
        self.encoder = Encoder::Rewritten(Box::new((encoder, rewrite)));
    }
}
