//! Which partition a key belongs to.

/// Returns the partition that Pulsar's Java and Go producers choose for a key (`JavaStringHash`).
///
/// The key is the text that is stored: base64 of the bytes for KeyValue SEPARATED messages.
pub fn partition_of_key(key: &str, partition_count: u32) -> u32 {
    let hash = key.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    (hash & i32::MAX).cast_unsigned() % partition_count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_like_javas_strings() {
        // "hello".hashCode() = 99162322; "polygenelubricants".hashCode() = -2147483648, whose sign bit is cleared.
        assert_eq!(partition_of_key("hello", 1000), 322);
        assert_eq!(partition_of_key("polygenelubricants", 7), 0);
        assert_eq!(partition_of_key("", 5), 0);
        assert_eq!(partition_of_key("x", 0), 0);
    }
}
