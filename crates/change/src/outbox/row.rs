//! A row of an outbox table while its message is made.

use bitacora_binlog::Image;
use serde_json::Value;

use super::cells::Cells;
use super::columns::Columns;
use super::template::Source;
use crate::error::EncodeError;
use crate::event_context::EventContext;
use crate::scratch::Scratch;

/// Why a row has no message.
#[derive(Debug)]
pub(super) enum Failure {
    /// The row can be read, but no message can be made of it; the text is the reason.
    Unmappable(String),
    /// The row cannot be read.
    Broken(EncodeError),
}

impl Failure {
    /// Creates the failure of a payload that should be JSON.
    pub(super) fn not_json(error: serde_json::Error) -> Failure {
        Failure::Unmappable(format!("the payload is no JSON ({error})"))
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        Failure::Broken(error)
    }
}

/// Reads the values of one row.
pub(super) struct RowReader<'p, 's> {
    pub cells: &'p Cells,
    pub columns: &'p Columns,
    pub image: &'p Image<'p>,
    pub context: &'p EventContext<'p>,
    pub scratch: &'s mut Scratch,
    /// The payload as JSON, parsed when it is first asked for.
    document: Option<Value>,
}

impl<'p, 's> RowReader<'p, 's> {
    /// Creates a reader of the row that `image` holds.
    pub(super) fn new(
        cells: &'p Cells,
        columns: &'p Columns,
        image: &'p Image<'p>,
        context: &'p EventContext<'p>,
        scratch: &'s mut Scratch,
    ) -> Self {
        RowReader { cells, columns, image, context, scratch, document: None }
    }

    /// Returns the message's properties: `id` and the headers. A column that is NULL has none.
    pub(super) fn properties(&mut self) -> Result<Vec<(String, String)>, EncodeError> {
        let mut properties = Vec::new();
        let id = [("id", self.columns.id)];
        let headers = self.columns.headers.iter().map(|(name, index)| (name.as_str(), *index));
        for (name, index) in id.into_iter().chain(headers) {
            if let Some(text) = self.text(index)? {
                properties.push((name.to_owned(), text));
            }
        }
        Ok(properties)
    }

    /// Returns the event's time, or now if the row has none; milliseconds since 1970.
    pub(super) fn time_ms(&mut self) -> Result<i64, Failure> {
        let now_ms = self.context.now_us.div_euclid(1_000);
        let Some((index, clock)) = self.columns.time else { return Ok(now_ms) };
        match self.cells.value(self.image, index, self.scratch)? {
            Value::Null => Ok(now_ms),
            value => clock
                .milliseconds(&value)
                .ok_or_else(|| Failure::Unmappable("the column of the event's time holds no time".to_owned())),
        }
    }

    /// Returns a column as text; `None` for NULL.
    pub(super) fn text(&mut self, index: usize) -> Result<Option<String>, EncodeError> {
        self.cells.text(self.image, index, self.scratch)
    }

    /// Returns whether the payload is NULL or a text without a character above U+0020.
    pub(super) fn is_empty(&mut self) -> Result<bool, Failure> {
        Ok(match self.payload()? {
            Value::Null => true,
            Value::String(text) => text.chars().all(|character| character <= ' '),
            _ => false,
        })
    }

    /// Returns the payload column's value.
    pub(super) fn payload(&mut self) -> Result<Value, Failure> {
        Ok(self.cells.value(self.image, self.columns.payload, self.scratch)?)
    }

    /// Returns the payload column as text.
    pub(super) fn payload_text(&mut self) -> Result<String, Failure> {
        let text = self.text(self.columns.payload)?;
        text.ok_or_else(|| Failure::Unmappable("the payload is NULL".to_owned()))
    }

    /// Appends the payload column's JSON.
    pub(super) fn write_payload(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.write(self.columns.payload, out)
    }

    /// Appends a column's JSON.
    pub(super) fn write(&mut self, index: usize, out: &mut Vec<u8>) -> Result<(), Failure> {
        Ok(self.cells.write(self.image, index, self.scratch, out)?)
    }

    /// Returns the value that a template's source stands for.
    pub(super) fn look_up(&mut self, source: &Source) -> Result<Value, Failure> {
        match source {
            Source::Column(name) => match self.cells.index(name) {
                Some(index) => Ok(self.cells.value(self.image, index, self.scratch)?),
                None => Err(Failure::Unmappable(format!("there is no column {name}"))),
            },
            Source::Payload(path) => {
                let document = self.document()?;
                let mut place = document;
                for step in path {
                    place = place
                        .get(step.as_str())
                        .ok_or_else(|| Failure::Unmappable(format!("the payload has no member {}", path.join("."))))?;
                }
                Ok(place.clone())
            }
            Source::Time => Ok(self.time_ms()?.into()),
            Source::Commit => Ok(self.context.source_timestamp_us.div_euclid(1_000).into()),
            Source::Now => Ok(self.context.now_us.div_euclid(1_000).into()),
        }
    }

    fn document(&mut self) -> Result<&Value, Failure> {
        let document = match self.document.take() {
            Some(document) => document,
            None => serde_json::from_str(&self.payload_text()?).map_err(Failure::not_json)?,
        };
        Ok(self.document.insert(document))
    }
}
