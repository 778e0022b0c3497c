//! The multi-byte sets of East Asia: the WHATWG's decoders, after the sequences that the servers map to other
//! characters.

use encoding_rs::{CoderResult, Encoding};

use super::exceptions::{self, Exception};

/// How many bytes a character has, by its first bytes.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// Two from 0x81.
    TwoBytes,
    /// Two, but 0xA1 to 0xDF are characters of one byte.
    ShiftJis,
    /// Two, but three behind 0x8F.
    Euc,
    /// Two, but four where the second byte is a digit.
    Gb18030,
}

/// A multi-byte character set.
#[derive(Debug)]
pub struct MultiByte {
    encoding: &'static Encoding,
    layout: Layout,
    exceptions: &'static [Exception],
}

pub(super) static BIG5: MultiByte =
    MultiByte { encoding: encoding_rs::BIG5, layout: Layout::TwoBytes, exceptions: exceptions::BIG5 };
pub(super) static CP932: MultiByte =
    MultiByte { encoding: encoding_rs::SHIFT_JIS, layout: Layout::ShiftJis, exceptions: exceptions::CP932 };
pub(super) static SJIS: MultiByte =
    MultiByte { encoding: encoding_rs::SHIFT_JIS, layout: Layout::ShiftJis, exceptions: exceptions::SJIS };
pub(super) static EUCJPMS: MultiByte =
    MultiByte { encoding: encoding_rs::EUC_JP, layout: Layout::Euc, exceptions: exceptions::EUCJPMS };
pub(super) static UJIS: MultiByte =
    MultiByte { encoding: encoding_rs::EUC_JP, layout: Layout::Euc, exceptions: exceptions::UJIS };
pub(super) static EUCKR: MultiByte =
    MultiByte { encoding: encoding_rs::EUC_KR, layout: Layout::TwoBytes, exceptions: exceptions::EUCKR };
pub(super) static GB2312: MultiByte =
    MultiByte { encoding: encoding_rs::GBK, layout: Layout::TwoBytes, exceptions: exceptions::GB2312 };
pub(super) static GBK: MultiByte =
    MultiByte { encoding: encoding_rs::GBK, layout: Layout::TwoBytes, exceptions: exceptions::GBK };
pub(super) static GB18030: MultiByte =
    MultiByte { encoding: encoding_rs::GB18030, layout: Layout::Gb18030, exceptions: exceptions::GB18030 };

impl MultiByte {
    /// Returns the name of the WHATWG's encoding.
    pub(super) fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// Decodes `bytes` and passes the characters to `take` in pieces.
    pub(super) fn decode(&self, bytes: &[u8], mut take: impl FnMut(&str)) {
        let mut rest = bytes;
        // Runs without an exception go to the decoder in one piece.
        while let Some((run, character, behind)) = self.next_exception(rest) {
            self.decode_run(run, &mut take);
            take(character.encode_utf8(&mut [0; 4]));
            rest = behind;
        }
        self.decode_run(rest, take);
    }

    /// Returns what stands before the first exception, its character, and what stands behind it.
    fn next_exception<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], char, &'a [u8])> {
        if self.exceptions.is_empty() {
            return None;
        }
        let mut at = 0;
        loop {
            let (before, rest) = bytes.split_at_checked(at)?;
            let length = self.layout.length(rest)?;
            if length > 1
                && let Some((sequence, behind)) = rest.split_at_checked(length)
                && let Some(character) = self.exception(sequence)
            {
                return Some((before, character, behind));
            }
            at += length;
        }
    }

    fn exception(&self, sequence: &[u8]) -> Option<char> {
        let sequence = sequence.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let index = self.exceptions.partition_point(|(first, _, _)| *first <= sequence).checked_sub(1)?;
        let (first, character, count) = self.exceptions.get(index)?;
        let distance = sequence - first;
        (distance < u32::from(*count)).then(|| char::from_u32(u32::from(*character) + distance)).flatten()
    }

    /// Decodes through a buffer on the stack, so that a text allocates nothing.
    fn decode_run(&self, mut bytes: &[u8], mut take: impl FnMut(&str)) {
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let mut buffer = [0; 512];
        loop {
            let (result, read, written, _) = decoder.decode_to_utf8(bytes, &mut buffer, true);
            take(std::str::from_utf8(buffer.get(..written).unwrap_or_default()).unwrap_or_default());
            if result == CoderResult::InputEmpty {
                return;
            }
            bytes = bytes.get(read..).unwrap_or_default();
        }
    }
}

impl Layout {
    /// Returns the length in bytes of the first character; `None` at the end.
    fn length(self, rest: &[u8]) -> Option<usize> {
        let lead = *rest.first()?;
        Some(match self {
            _ if matches!(lead, 0..=0x80 | 0xff) => 1,
            Layout::ShiftJis if matches!(lead, 0xa0..=0xdf) => 1,
            Layout::Euc if lead == 0x8f => 3,
            Layout::Gb18030 if rest.get(1).is_some_and(u8::is_ascii_digit) => 4,
            _ => 2,
        })
    }
}
