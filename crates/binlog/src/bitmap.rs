//! Bits of the log's bitmaps.

/// Returns whether bit `index` of a little-endian bitmap is set; bits beyond the end are not.
#[inline]
pub(crate) fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// Returns bit `index` of a bitmap whose bytes begin with their highest bit, or `beyond` for a bit behind the end.
pub(crate) fn bit_from_top(bitmap: &[u8], index: usize, beyond: bool) -> bool {
    if index / 8 >= bitmap.len() { beyond } else { bit(bitmap, index / 8 * 8 + 7 - index % 8) }
}
