//! LZ4 blocks of messages whose writer knows where they repeat.
//!
//! A general compressor looks for repetitions at every byte. The writer of change events knows where they are: at the
//! start of every message, and at each constant part of it. It names these places ([`Landmark`]). This encoder compares
//! each landmark with the previous one of the same name; equal bytes become a match, which grows in both directions as
//! far as the bytes agree, across values too. Only long stretches between matches are searched in the general way.
//! Landmarks are hints: a wrong one costs a comparison, never a wrong block.
//!
//! Format: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>. A block is a run of sequences: token (length
//! of the literals, length of the match), literals, `u16` distance of the match; the last one has literals only.

/// A place in a message that probably repeats the previous place of the same name: the name, which is any small number,
/// and the offset in bytes.
pub type Landmark = (u16, u32);

/// The landmarks of a body of several messages, as their writers name them, and where each message begins.
#[derive(Debug, Default)]
pub(super) struct Hints {
    messages: Vec<MessageHints>,
    /// Of all messages, each place counted from the start of its payload.
    places: Vec<Landmark>,
}

#[derive(Debug, Clone, Copy)]
struct MessageHints {
    start: u32,
    payload_at: u32,
    /// Count of its places.
    count: u32,
}

impl Hints {
    /// Keeps the landmarks, if there are any, of a message that begins at `start` in the body.
    #[expect(clippy::cast_possible_truncation, reason = "a block is below the size of a frame, which has 32 bits")]
    pub(super) fn add(&mut self, landmarks: &[Landmark], start: usize, payload_at: usize) {
        if !landmarks.is_empty() {
            let (start, payload_at, count) = (start as u32, payload_at as u32, landmarks.len() as u32);
            self.messages.push(MessageHints { start, payload_at, count });
            self.places.extend_from_slice(landmarks);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.places.clear();
    }
}

/// Matches are at least this long.
const MATCH_MIN: usize = 4;
/// Index of the landmark at the start of every message; those that the writer names follow.
const MESSAGE_START: usize = 0;
/// Greatest distance of a match.
const DISTANCE_MAX: usize = u16::MAX as usize;
/// The last bytes of a block are literals, and no match begins in the last twelve.
const LAST_LITERALS: usize = 5;
const LAST_MATCH: usize = 12;
/// The count in a token that means that more bytes of the count follow.
const TOKEN_FULL: usize = 15;
/// Shortest match that the search takes; a shorter one costs more time than it saves bytes, and can hide a longer one.
const SEARCHED_MATCH_MIN: usize = 6;
/// Shortest stretch that is searched.
const SEARCHED_BYTES: usize = 64;
/// Literals up to this size are copied as one block of this size.
const COPIED_AT_ONCE: usize = 32;
/// Most bytes of a sequence with up to `COPIED_AT_ONCE` literals and counts of one byte.
const SHORT_SEQUENCE: usize = 2 + COPIED_AT_ONCE + 3;
/// Knuth's multiplicative hashing: 2^64 divided by the golden ratio.
const HASH_FACTOR: u64 = 0x9e37_79b1_85eb_ca87;
/// Places that the search remembers, as a power of two.
const TABLE_BITS: u32 = 12;
/// The search begins with every byte and skips more bytes the longer it finds nothing.
const STEP_SHIFT: usize = 6;

/// An encoder with reusable tables.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    /// Where each landmark was seen last, plus one.
    last: Vec<u32>,
    /// Where six bytes of each hash were seen last by the search, plus one.
    table: Vec<u32>,
}

impl Encoder {
    /// Compresses `body`, which has less than 2 GiB, and returns the size of the block at the front of `out`.
    ///
    /// `out` grows to the largest size that the block can have, so `None`, for a block that does not fit, never occurs.
    pub(super) fn compress(&mut self, body: &[u8], hints: &Hints, out: &mut Vec<u8>) -> Option<usize> {
        let bound = lz4_flex::block::get_maximum_output_size(body.len()) + SHORT_SEQUENCE;
        if out.len() < bound {
            out.resize(bound, 0);
        }
        self.last.fill(0);
        self.table.clear();
        self.table.resize(1 << TABLE_BITS, 0);
        let mut block = Block { body, anchor: 0, out, written: 0 };
        let mut places = hints.places.as_slice();
        for message in &hints.messages {
            let (own, rest) = places.split_at_checked(message.count as usize)?;
            places = rest;
            self.landmark(&mut block, MESSAGE_START, message.start)?;
            for &(name, at) in own {
                let at = message.payload_at.wrapping_add(at);
                self.landmark(&mut block, usize::from(name) + MESSAGE_START + 1, at)?;
            }
        }
        let last_match = last_match(body);
        if last_match > block.anchor + SEARCHED_BYTES {
            self.search(&mut block, last_match)?;
        }
        block.finish()
    }

    /// Tries a match of a landmark with the previous one of the same name.
    #[inline(always)]
    fn landmark(&mut self, block: &mut Block<'_>, name: usize, at: u32) -> Option<()> {
        let before = self.last_place(name, at);
        let at = at as usize;
        if at < block.anchor || at > last_match(block.body) {
            return Some(());
        }
        let Some(found) = before.and_then(|before| find(block.body, block.anchor, at, before)) else {
            return Some(());
        };
        if found.at - block.anchor >= SEARCHED_BYTES {
            self.search(block, found.at)?;
        }
        block.sequence(&found)
    }

    /// Remembers the place of a landmark and returns the previous one of the same name.
    fn last_place(&mut self, index: usize, at: u32) -> Option<usize> {
        if index >= self.last.len() {
            self.last.resize(index + 1, 0);
        }
        let place = self.last.get_mut(index)?;
        std::mem::replace(place, at.wrapping_add(1)).checked_sub(1).map(|before| before as usize)
    }

    /// Looks for repetitions between the end of the last match and `end`.
    #[expect(clippy::cast_possible_truncation, reason = "a block is below the size of a frame, which has 32 bits")]
    fn search(&mut self, block: &mut Block<'_>, end: usize) -> Option<()> {
        let mut at = block.anchor;
        let mut step = 1 << STEP_SHIFT;
        while at + SEARCHED_MATCH_MIN <= end {
            let here = six(block.body, at)?;
            let place = self.table.get_mut((here.wrapping_mul(HASH_FACTOR) >> (64 - TABLE_BITS)) as usize)?;
            let before = std::mem::replace(place, at as u32 + 1).checked_sub(1).map(|before| before as usize);
            match before.filter(|before| at - before <= DISTANCE_MAX && six(block.body, *before) == Some(here)) {
                Some(before) => {
                    let (next, next_before) = (at + SEARCHED_MATCH_MIN, before + SEARCHED_MATCH_MIN);
                    let bytes = SEARCHED_MATCH_MIN + equal_bytes(block.body, next, next_before, end);
                    block.sequence(&Match { at, distance: at - before, bytes })?;
                    at += bytes;
                    step = 1 << STEP_SHIFT;
                }
                None => {
                    at += step >> STEP_SHIFT;
                    step += 1;
                }
            }
        }
        Some(())
    }
}

/// Returns the last place of a body where a match may begin.
fn last_match(body: &[u8]) -> usize {
    body.len().saturating_sub(LAST_MATCH)
}

/// Bytes at `at` that equal the bytes `distance` in front of them.
struct Match {
    at: usize,
    distance: usize,
    bytes: usize,
}

/// Compares two places and extends the equal bytes in both directions, backwards not beyond `anchor`.
#[inline]
fn find(body: &[u8], anchor: usize, at: usize, before: usize) -> Option<Match> {
    let distance = at.checked_sub(before).filter(|distance| (1..=DISTANCE_MAX).contains(distance))?;
    let ahead = equal_bytes(body, at, before, body.len() - LAST_LITERALS);
    if ahead < MATCH_MIN {
        return None;
    }
    let behind = equal_bytes_behind(body, at, before, at - anchor);
    Some(Match { at: at - behind, distance, bytes: ahead + behind })
}

/// Counts the bytes in front of `at`, at most `limit`, that equal those in front of `before`.
#[inline]
fn equal_bytes_behind(body: &[u8], at: usize, before: usize, limit: usize) -> usize {
    let mut count = 0;
    while count < limit {
        let eight = |end: usize| body.get(..end - count)?.last_chunk().map(|eight| u64::from_le_bytes(*eight));
        let (Some(left), Some(right)) = (eight(at), eight(before)) else { break };
        let equal = ((left ^ right).leading_zeros() / 8) as usize;
        count += equal;
        if equal < 8 {
            break;
        }
    }
    count.min(limit)
}

/// Counts the bytes from `at` up to `end` that equal those from `before`.
///
/// Most matches are short, so the first sixteen bytes are compared in words and only the rest in blocks.
#[inline]
fn equal_bytes(body: &[u8], at: usize, before: usize, end: usize) -> usize {
    let left = body.get(at..end).unwrap_or_default();
    let right = body.get(before..).and_then(|right| right.get(..left.len())).unwrap_or_default();
    match (left.split_first_chunk::<16>(), right.split_first_chunk::<16>()) {
        (Some((first, left)), Some((second, right))) => {
            let difference = u128::from_le_bytes(*first) ^ u128::from_le_bytes(*second);
            if difference == 0 { 16 + equal_blocks(left, right) } else { (difference.trailing_zeros() / 8) as usize }
        }
        _ => equal_prefix(left, right),
    }
}

/// Counts the equal bytes at the front of two slices of one length.
fn equal_blocks(left: &[u8], right: &[u8]) -> usize {
    let blocks = left.as_chunks::<32>().0.iter().zip(right.as_chunks::<32>().0);
    let count = 32 * blocks.take_while(|(left, right)| left == right).count();
    let (left, right) = (left.get(count..).unwrap_or_default(), right.get(count..).unwrap_or_default());
    count + equal_prefix(left, right)
}

/// Counts the equal bytes at the front of two slices, word by word.
fn equal_prefix(left: &[u8], right: &[u8]) -> usize {
    let mut count = 0;
    for (left, right) in left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0) {
        let difference = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if difference != 0 {
            return count + (difference.trailing_zeros() / 8) as usize;
        }
        count += 8;
    }
    let tails = left.iter().zip(right).skip(count);
    count + tails.take_while(|(left, right)| left == right).count()
}

/// Returns six bytes as a number; eight bytes must be there.
fn six(body: &[u8], at: usize) -> Option<u64> {
    body.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight) << 16)
}

/// The block that is being written: the sequences up to `anchor` of the body.
struct Block<'a> {
    body: &'a [u8],
    anchor: usize,
    out: &'a mut [u8],
    written: usize,
}

impl Block<'_> {
    /// Writes the literals in front of a match, and the match.
    #[inline]
    fn sequence(&mut self, found: &Match) -> Option<()> {
        match self.short_sequence(found) {
            Some(written) => {
                self.written += written;
                self.anchor = found.at + found.bytes;
                Some(())
            }
            None => self.any_sequence(found),
        }
    }

    /// Writes a sequence whose counts take at most a byte each, which most do. The bounds are checked once for the
    /// whole sequence instead of for each part. Returns its size.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a match is at most DISTANCE_MAX away, and the counts take a byte each"
    )]
    fn short_sequence(&mut self, found: &Match) -> Option<usize> {
        let (literals, extra) = (found.at - self.anchor, found.bytes - MATCH_MIN);
        if literals > COPIED_AT_ONCE || extra >= TOKEN_FULL + 255 {
            return None;
        }
        let source = self.body.get(self.anchor..)?.first_chunk::<COPIED_AT_ONCE>()?;
        let target = self.out.get_mut(self.written..)?.first_chunk_mut::<SHORT_SEQUENCE>()?;
        let distance = (found.distance as u16).to_le_bytes();
        let mut at = 1;
        if literals >= TOKEN_FULL {
            *target.get_mut(at)? = (literals - TOKEN_FULL) as u8;
            at += 1;
        }
        *target.first_mut()? = ((literals.min(TOKEN_FULL) << 4) | extra.min(TOKEN_FULL)) as u8;
        *target.get_mut(at..)?.first_chunk_mut()? = *source;
        at += literals;
        *target.get_mut(at..)?.first_chunk_mut()? = distance;
        at += 2;
        if extra >= TOKEN_FULL {
            *target.get_mut(at)? = (extra - TOKEN_FULL) as u8;
            at += 1;
        }
        Some(at)
    }

    /// Writes a sequence with counts of any size.
    fn any_sequence(&mut self, found: &Match) -> Option<()> {
        let extra = found.bytes - MATCH_MIN;
        self.literals(found.at, extra)?;
        let distance = u16::try_from(found.distance).ok()?;
        self.out.get_mut(self.written..)?.first_chunk_mut().map(|two| *two = distance.to_le_bytes())?;
        self.written += 2;
        self.rest_of_count(extra)?;
        self.anchor = found.at + found.bytes;
        Some(())
    }

    /// Writes the rest as literals and returns the size of the block.
    fn finish(mut self) -> Option<usize> {
        self.literals(self.body.len(), 0)?;
        Some(self.written)
    }

    /// Writes a token and the literals up to `end`.
    #[expect(clippy::cast_possible_truncation, reason = "two counts of four bits")]
    fn literals(&mut self, end: usize, match_count: usize) -> Option<()> {
        let count = end - self.anchor;
        self.byte(((count.min(TOKEN_FULL) << 4) | match_count.min(TOKEN_FULL)) as u8)?;
        self.rest_of_count(count)?;
        let source = self.body.get(self.anchor..)?;
        let target = self.out.get_mut(self.written..)?;
        match (source.first_chunk::<COPIED_AT_ONCE>(), target.first_chunk_mut::<COPIED_AT_ONCE>()) {
            (Some(source), Some(target)) if count <= COPIED_AT_ONCE => *target = *source,
            _ => target.get_mut(..count)?.copy_from_slice(source.get(..count)?),
        }
        self.written += count;
        Some(())
    }

    /// Writes the part of a count that does not fit into the token.
    #[expect(clippy::cast_possible_truncation, reason = "the rest is below 255")]
    fn rest_of_count(&mut self, count: usize) -> Option<()> {
        if let Some(mut rest) = count.checked_sub(TOKEN_FULL) {
            while rest >= 255 {
                self.byte(255)?;
                rest -= 255;
            }
            self.byte(rest as u8)?;
        }
        Some(())
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        *self.out.get_mut(self.written)? = byte;
        self.written += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "bodies of the tests are small")]

    use proptest::prelude::*;

    use super::*;

    fn check(encoder: &mut Encoder, body: &[u8], landmarks: &[Landmark]) -> usize {
        let mut out = Vec::new();
        let mut hints = Hints::default();
        for part in landmarks.chunks(3) {
            hints.add(part, part[0].1 as usize, 0);
        }
        let size = encoder.compress(body, &hints, &mut out).unwrap();
        assert!(size <= lz4_flex::block::get_maximum_output_size(body.len()));
        let back = lz4_flex::block::decompress(&out[..size], body.len()).unwrap();
        assert!(back == body);
        size
    }

    #[test]
    fn messages_of_one_form_become_little_more_than_what_differs() {
        let (mut body, mut landmarks) = (Vec::new(), Vec::new());
        for number in 0..200u32 {
            for (name, text) in [(0, "{\"identification\":"), (1, ",\"constant\":\"what every message says\"}")] {
                landmarks.push((name, body.len() as u32));
                body.extend_from_slice(text.as_bytes());
                body.extend_from_slice((number * 7919).to_string().as_bytes());
            }
        }
        let size = check(&mut Encoder::default(), &body, &landmarks);
        assert!(size < 200 * 20, "{size} of {} bytes", body.len());
        let unhinted = check(&mut Encoder::default(), &body, &[]);
        assert!(unhinted < body.len() / 2, "{unhinted} of {} bytes", body.len());
    }

    #[test]
    fn a_repetition_out_of_reach_is_not_used() {
        for distance in [DISTANCE_MAX - 1, DISTANCE_MAX, DISTANCE_MAX + 1] {
            let mut body: Vec<u8> =
                (0..distance as u32 + 40).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            body.copy_within(0..20, distance);
            check(&mut Encoder::default(), &body, &[(3, 0), (3, distance as u32)]);
        }
    }

    proptest! {
        /// Any body can be restored, whatever the landmarks say, also with an encoder that was used before.
        #[test]
        fn every_block_is_read_back(
            parts in prop::collection::vec((0usize..6, 0u16..5), 0..80),
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 6),
            wrong in prop::collection::vec(any::<Landmark>(), 0..20),
            sparse in any::<bool>(),
        ) {
            let mut encoder = Encoder::default();
            let (mut body, mut landmarks) = (Vec::new(), Vec::new());
            for (text, name) in parts {
                landmarks.push((name, body.len() as u32));
                body.extend_from_slice(&texts[text]);
                if sparse {
                    body.extend(std::iter::repeat_n(b'-', 300 * text));
                }
            }
            check(&mut encoder, &body, &landmarks);
            landmarks.extend(wrong.iter().map(|(name, at)| (*name, at % (body.len() as u32 + 2))));
            check(&mut encoder, &body, &landmarks);
            landmarks.sort_by_key(|(_, at)| *at);
            check(&mut encoder, &body, &landmarks);
            check(&mut encoder, &texts[0], &[]);
        }
    }
}
