//! A seeded mutator for the fuzz tests: the same inputs on every run, more of them with `BITACORA_FUZZ_ITERATIONS`.
//!
//! Each target has a corpus (from the golden logs) and a function that must not panic. Input number `n` depends only on
//! `n` and the corpus, so a failure names the number that brings it back.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::cast_possible_truncation, reason = "random bytes, and sizes of small inputs")]

/// Inputs per target: `BITACORA_FUZZ_ITERATIONS`, or a number that takes about a second.
pub(crate) fn iterations() -> u64 {
    std::env::var("BITACORA_FUZZ_ITERATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

/// SplitMix64: small, seeded, good enough to pick places and bytes.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }
}

/// Changes `input` in one to eight places.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    const EDGES: [u64; 12] =
        [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 0x7fff_ffff, 0xffff_ffff, 0xffff_ffff_ffff_ffff];
    for _ in 0..=random.below(8) {
        let at = random.below(input.len() + 1);
        match random.below(9) {
            0 | 1 if at < input.len() => input[at] ^= 1 << random.below(8),
            2 if at < input.len() => input[at] = random.next() as u8,
            3 => {
                let edge = EDGES[random.below(EDGES.len())].to_le_bytes();
                let width = [1, 2, 4, 8][random.below(4)];
                for (slot, byte) in input.iter_mut().skip(at).zip(&edge[..width]) {
                    *slot = *byte;
                }
            }
            4 => input.truncate(at),
            5 => {
                let end = (at + random.below(16)).min(input.len());
                input.drain(at..end);
            }
            6 => {
                let count = random.below(16);
                let byte = random.next() as u8;
                input.splice(at..at, std::iter::repeat_n(byte, count));
            }
            7 => {
                let from = random.below(other.len() + 1);
                let end = (from + random.below(64)).min(other.len());
                input.splice(at..at, other[from..end].iter().copied());
            }
            _ => {
                let from = random.below(input.len() + 1);
                let end = (from + random.below(32)).min(input.len());
                let copy = input[from..end].to_vec();
                for (slot, byte) in input.iter_mut().skip(at).zip(copy) {
                    *slot = byte;
                }
            }
        }
    }
}

/// Runs `target` over mutations of the corpus (number of the corpus entry, input). A panic is reported with the number
/// of the input.
pub(crate) fn fuzz(corpus: &[Vec<u8>], mut target: impl FnMut(usize, &[u8])) {
    assert!(!corpus.is_empty(), "a target needs a corpus");
    for iteration in 0..iterations() {
        let mut random = Random::new(iteration);
        let entry = random.below(corpus.len());
        let other = random.below(corpus.len());
        let mut input = corpus[entry].clone();
        mutate(&mut input, &corpus[other], &mut random);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(entry, &input)));
        assert!(result.is_ok(), "input number {iteration} made from corpus entry {entry} panics: {input:02x?}");
    }
}

/// Gives an event its own length in the header.
pub(crate) fn fix_length(event: &mut [u8]) {
    let length = event.len() as u32;
    if let Some(slot) = event.get_mut(9..13) {
        slot.copy_from_slice(&length.to_le_bytes());
    }
}
