//! Determines which consumer of a Key_Shared subscription owns a key.
//!
//! The hash is Murmur3 x86 32-bit (seed 0, sign bit cleared) modulo 65,536, where 0 becomes 1, as in Pulsar since 4.0.
//! AUTO_SPLIT uses rendezvous hashing: a consumer that joins or leaves moves only its own share of the keys.

use super::consumer::{ConsumerState, KeySharedMode};

/// Sticky hashes are below this number.
pub(crate) const HASH_RANGE: u32 = 65_536;

/// Returns the sticky hash of a key.
pub(crate) fn sticky_hash(key: &[u8]) -> u16 {
    let hash = (murmur3_32(key) & 0x7fff_ffff) % HASH_RANGE;
    u16::try_from(hash).unwrap_or(u16::MAX).max(1)
}

/// Returns the index of the consumer that owns a hash; `None` if no STICKY range covers it or no consumer is connected.
pub(super) fn owner(hash: u16, consumers: &[ConsumerState]) -> Option<usize> {
    let sticky = consumers.iter().any(|c| matches!(c.spec.key_shared, KeySharedMode::Sticky(_)));
    if sticky {
        return consumers.iter().position(|c| match &c.spec.key_shared {
            KeySharedMode::Sticky(ranges) => {
                ranges.iter().any(|&(start, end)| (start..=end).contains(&u32::from(hash)))
            }
            KeySharedMode::AutoSplit => false,
        });
    }
    consumers.iter().enumerate().max_by_key(|(_, c)| weight(hash, c)).map(|(i, _)| i)
}

/// Returns the weight of a consumer for a sticky hash. It is the same by name for consumers of one name; then a hash of
/// the consumer's number and the sticky hash decides, so that each of them gets a share.
fn weight(hash: u16, consumer: &ConsumerState) -> (u32, u32, u64) {
    let mut name = consumer.spec.name.as_bytes().to_vec();
    name.extend_from_slice(&hash.to_be_bytes());
    let number = (u128::from(consumer.key) << 16) | u128::from(hash);
    (murmur3_32(&name), murmur3_32(&number.to_be_bytes()), consumer.key)
}

#[allow(clippy::cast_possible_truncation, reason = "the hash takes the low bits of the length")]
fn murmur3_32(data: &[u8]) -> u32 {
    let mut hash = 0u32;
    let (blocks, tail) = data.as_chunks::<4>();
    for block in blocks {
        hash = (hash ^ scramble(u32::from_le_bytes(*block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = tail.iter().rev().fold(0u32, |acc, b| (acc << 8) | u32::from(*b));
    if !tail.is_empty() {
        hash ^= scramble(rest);
    }
    hash ^= data.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn scramble(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    #[test]
    fn murmur_matches_published_vectors() {
        assert_eq!(murmur3_32(b""), 0);
        assert_eq!(murmur3_32(b"test"), 0xba6b_d213);
        assert_eq!(murmur3_32(b"Hello, world!"), 0xc036_3e43);
    }
}
