//! One image: the width pass, and cells by column.

use crate::{bitmap::bit, error::Error, table::Width};

/// Where a column's value lies in the images of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    const ABSENT: Self = Self { start: u32::MAX, end: 0 };
    const NULL: Self = Self { start: u32::MAX, end: 1 };
}

/// Reusable buffers for the places of the columns of one row.
#[derive(Debug, Default)]
pub struct RowScratch {
    pub(super) before: Vec<Span>,
    pub(super) after: Vec<Span>,
}

impl RowScratch {
    /// Creates an empty scratch; it grows to the widest table met.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn prepare(&mut self, column_count: usize) {
        self.before.clear();
        self.before.resize(column_count, Span::ABSENT);
        self.after.clear();
        self.after.resize(column_count, Span::ABSENT);
    }
}

/// The value of a column in an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell<'s> {
    /// The image does not hold the column (`binlog_row_image` MINIMAL or NOBLOB), or the table has no such column.
    Absent,
    /// NULL.
    Null,
    /// The stored bytes, without the length prefix of the types that have one; [`crate::value`] reads them.
    Value(&'s [u8]),
}

/// A row before or after the change.
#[derive(Clone, Copy, Debug)]
pub struct Image<'s> {
    bytes: &'s [u8],
    spans: &'s [Span],
}

impl<'s> Image<'s> {
    pub(super) fn new(bytes: &'s [u8], spans: &'s [Span]) -> Self {
        Self { bytes, spans }
    }

    /// Returns the cell of column `index` (from 0).
    #[inline]
    pub fn column(&self, index: usize) -> Cell<'s> {
        let Some(&Span { start, end }) = self.spans.get(index) else { return Cell::Absent };
        if start == u32::MAX {
            return if end == 0 { Cell::Absent } else { Cell::Null };
        }
        match self.bytes.get(start as usize..end as usize) {
            Some(value) => Cell::Value(value),
            None => Cell::Absent,
        }
    }

    /// Returns the number of columns of the table.
    pub fn column_count(&self) -> usize {
        self.spans.len()
    }
}

/// Notes where each column of the image at `position` lies and returns the position behind it.
pub(super) fn index(
    images: &[u8],
    position: usize,
    widths: &[Width],
    present: Option<&[u8]>,
    spans: &mut [Span],
) -> Result<usize, (Error, usize)> {
    let present_count = match present {
        None => widths.len(),
        Some(bitmap) => bitmap.iter().map(|byte| byte.count_ones() as usize).sum(),
    };
    let null_bytes = present_count.div_ceil(8);
    let Some((nulls, _)) = images.get(position..).and_then(|rest| rest.split_at_checked(null_bytes)) else {
        return Err(truncated(images, position, null_bytes));
    };
    let at = position + null_bytes;
    // Most rows have every column and no NULL; then no bit has to be tested for a column.
    match present {
        None if !has_null(nulls, present_count) => walk(images, at, widths, spans, |_| None),
        None => walk(images, at, widths, spans, |column| bit(nulls, column).then_some(Span::NULL)),
        Some(bitmap) => {
            let mut ordinal = 0;
            walk(images, at, widths, spans, |column| {
                if !bit(bitmap, column) {
                    return Some(Span::ABSENT);
                }
                let is_null = bit(nulls, ordinal);
                ordinal += 1;
                is_null.then_some(Span::NULL)
            })
        }
    }
}

/// Returns whether one of the first `count` bits is set. MariaDB also sets the unused bits behind them.
fn has_null(nulls: &[u8], count: usize) -> bool {
    match nulls.split_last() {
        Some((last, full)) => {
            let unused = nulls.len() * 8 - count;
            last << unused != 0 || full.iter().any(|byte| *byte != 0)
        }
        None => false,
    }
}

/// Goes over the columns; `without_value` says which have no bytes.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the images of one event are below 4 GiB")]
fn walk(
    images: &[u8],
    mut at: usize,
    widths: &[Width],
    spans: &mut [Span],
    mut without_value: impl FnMut(usize) -> Option<Span>,
) -> Result<usize, (Error, usize)> {
    for (column, (width, span)) in widths.iter().zip(spans.iter_mut()).enumerate() {
        if let Some(known) = without_value(column) {
            *span = known;
            continue;
        }
        let (prefix, length) = match *width {
            Width::Fixed(bytes) => (0, usize::from(bytes)),
            Width::Prefix1 => match images.get(at) {
                Some(&length) => (1, usize::from(length)),
                None => return Err(truncated(images, at, 1)),
            },
            Width::Prefix2 => match images.get(at..at + 2) {
                Some(&[a, b]) => (2, usize::from(u16::from_le_bytes([a, b]))),
                _ => return Err(truncated(images, at, 2)),
            },
            Width::Prefix3 => match images.get(at..at + 3) {
                Some(&[a, b, c]) => (3, u32::from_le_bytes([a, b, c, 0]) as usize),
                _ => return Err(truncated(images, at, 3)),
            },
            Width::Prefix4 => match images.get(at..at + 4) {
                Some(&[a, b, c, d]) => (4, u32::from_le_bytes([a, b, c, d]) as usize),
                _ => return Err(truncated(images, at, 4)),
            },
        };
        let start = at + prefix;
        let end = start.saturating_add(length);
        if end > images.len() {
            return Err(truncated(images, start, length));
        }
        // The images of one event are below 4 GiB: the header's length is 32 bits and inflating has the same cap.
        *span = Span { start: start as u32, end: end as u32 };
        at = end;
    }
    Ok(at)
}

#[cold]
fn truncated(images: &[u8], at: usize, needed: usize) -> (Error, usize) {
    let available = images.len().saturating_sub(at);
    (Error::Truncated { what: "a value of a row image", needed, available }, at)
}
