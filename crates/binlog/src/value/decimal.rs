//! DECIMAL.

/// Stored bytes of a DECIMAL of that precision and scale; `None` where MySQL has no such type.
pub const fn decimal_bytes(precision: u8, scale: u8) -> Option<u16> {
    const DIGIT_BYTES: [u16; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
    if precision == 0 || precision > 81 || scale > precision {
        return None;
    }
    let whole = (precision - scale) as usize;
    let scale = scale as usize;
    #[allow(clippy::indexing_slicing, reason = "a remainder of nine is below ten, and the function is const")]
    let bytes = whole as u16 / 9 * 4 + DIGIT_BYTES[whole % 9] + scale as u16 / 9 * 4 + DIGIT_BYTES[scale % 9];
    Some(bytes)
}
