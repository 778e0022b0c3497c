//! Rows events: which rows changed, before and after.
//!
//! Body (MySQL source documentation, "Rows_event"): table id (6 bytes), flags u16, in v2 and in MariaDB's v2 an extra
//! part (u16 length that counts itself), column count (length-encoded), a bitmap of present columns (two in an update:
//! before and after), then the images: for each row a bitmap of NULLs over the *present* columns, then the values that
//! are not NULL, each as its type's [`Width`](crate::table::Width) says. An update row is two images.
//!
//! Reading does one pass over each image that notes where each column lies; nothing is allocated for a row once
//! [`RowScratch`] has grown to the widest table.

mod image;

pub use image::{Cell, Image, RowScratch};

use crate::{error::Error, table::TableMap};
use std::sync::Arc;

/// What happened to the rows of an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RowsKind {
    /// New rows: only an after image.
    Insert,
    /// Changed rows: both images.
    Update,
    /// Removed rows: only a before image.
    Delete,
}

/// The rows of one event; all of one table.
#[derive(Clone, Copy, Debug)]
pub struct RowsEvent<'a> {
    /// What happened.
    pub kind: RowsKind,
    /// The table.
    pub table: &'a Arc<TableMap>,
    /// See the `FLAG_` constants.
    pub flags: u16,
    /// Extra row information of v2 events, undecoded (NDB, partitions); empty without.
    pub extra: &'a [u8],
    pub(crate) before_present: Option<&'a [u8]>,
    pub(crate) after_present: Option<&'a [u8]>,
    pub(crate) images: &'a [u8],
    pub(crate) images_offset: u32,
    pub(crate) origin: Origin,
}

/// Where an event stands, for the errors of its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) kind: crate::EventType,
    pub(crate) next_position: u32,
}

impl<'a> RowsEvent<'a> {
    /// The last rows event of its statement.
    pub const FLAG_STATEMENT_END: u16 = 0x1;
    /// The statement ran without foreign key checks.
    pub const FLAG_NO_FOREIGN_KEY_CHECKS: u16 = 0x2;
    /// The statement ran without unique checks.
    pub const FLAG_NO_UNIQUE_CHECKS: u16 = 0x4;
    /// The rows have a value for each column of the table.
    pub const FLAG_COMPLETE_ROWS: u16 = 0x8;

    /// Creates an event from images that no server sent (rows of a snapshot, see [`crate::encode`]), with all columns
    /// present.
    pub fn from_images(kind: RowsKind, table: &'a Arc<TableMap>, images: &'a [u8]) -> Self {
        let event = match kind {
            RowsKind::Insert => crate::EventType::WRITE_ROWS,
            RowsKind::Update => crate::EventType::UPDATE_ROWS,
            RowsKind::Delete => crate::EventType::DELETE_ROWS,
        };
        Self {
            kind,
            table,
            flags: Self::FLAG_STATEMENT_END | Self::FLAG_COMPLETE_ROWS,
            extra: &[],
            before_present: None,
            after_present: None,
            images,
            images_offset: 0,
            origin: Origin { kind: event, next_position: 0 },
        }
    }

    /// Returns whether this is the last rows event of its statement.
    pub fn is_statement_end(&self) -> bool {
        self.flags & Self::FLAG_STATEMENT_END != 0
    }

    /// Returns whether some column is absent from the images of that side (`binlog_row_image` is not FULL).
    pub fn is_partial(&self) -> bool {
        self.before_present.is_some() || self.after_present.is_some()
    }

    /// Returns the bytes of all images together, inflated where the event is compressed.
    pub fn image_bytes(&self) -> &'a [u8] {
        self.images
    }

    /// Starts reading the rows; `scratch` is reused from event to event.
    pub fn reader<'s>(&'s self, scratch: &'s mut RowScratch) -> RowsReader<'s> {
        scratch.prepare(self.table.columns.len());
        RowsReader { event: self, scratch, position: 0, index: 0 }
    }
}

/// Reads the rows of an event one after the other.
#[derive(Debug)]
pub struct RowsReader<'s> {
    event: &'s RowsEvent<'s>,
    scratch: &'s mut RowScratch,
    position: usize,
    index: u32,
}

/// One changed row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'s> {
    /// The row as it was; `None` for an insert.
    pub before: Option<Image<'s>>,
    /// The row as it is; `None` for a delete.
    pub after: Option<Image<'s>>,
    /// Bytes from the start of the event's body (behind the header) to the row's first image; in a compressed event the
    /// inflated bytes count.
    pub byte_offset: u32,
    /// Number of the row in its event, from 0.
    pub index: u32,
}

impl RowsReader<'_> {
    /// Reads the next row; `None` at the exact end of the event.
    ///
    /// # Errors
    /// When the images do not fit the table map; the reader then stays where it is.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        let event = self.event;
        if self.position >= event.images.len() {
            return Ok(None);
        }
        let start = self.position;
        let (before, after) = match event.kind {
            RowsKind::Insert => (false, true),
            RowsKind::Update => (true, true),
            RowsKind::Delete => (true, false),
        };
        let widths = event.table.widths();
        let mut position = start;
        if before {
            position = image::index(event.images, position, widths, event.before_present, &mut self.scratch.before)
                .map_err(|fault| self.locate(fault))?;
        }
        if after {
            position = image::index(event.images, position, widths, event.after_present, &mut self.scratch.after)
                .map_err(|fault| self.locate(fault))?;
        }
        if position == start {
            return Err(self.locate((
                Error::Invalid { what: "a row of no bytes in an event of", value: event.images.len() as u64 },
                start,
            )));
        }
        self.position = position;
        let index = self.index;
        self.index = index.wrapping_add(1);
        let scratch = &*self.scratch;
        Ok(Some(Row {
            before: before.then(|| Image::new(event.images, &scratch.before)),
            after: after.then(|| Image::new(event.images, &scratch.after)),
            byte_offset: event.images_offset.wrapping_add(u32::try_from(start).unwrap_or(u32::MAX)),
            index,
        }))
    }

    #[cold]
    fn locate(&self, (cause, at): (Error, usize)) -> Error {
        Error::Event {
            kind: self.event.origin.kind,
            next_position: self.event.origin.next_position,
            offset: at.saturating_add(self.event.images_offset as usize).saturating_add(crate::header::HEADER_BYTES),
            cause: Box::new(cause),
        }
    }
}
