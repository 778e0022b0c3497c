//! Splits the bytes of a socket into packets.
//!
//! A packet has a header of four bytes: length (three bytes, little-endian) and sequence number. A payload of 16 MiB −
//! 1 or more is sent as several packets, all but the last of that full length. The buffer joins the parts in place by
//! moving the later ones over the headers between them. Packets stay where the socket wrote them, so reading one costs
//! no copy. The buffer grows only when bytes have arrived, never because a length was announced.

use std::ops::Range;

/// Largest payload of one packet on the wire. A packet of this length is continued by the next one.
pub(super) const FULL_PACKET: usize = 0xff_ffff;

const HEADER: usize = 4;

/// Most bytes that one read of the socket may give.
pub(super) const READ_BYTES: usize = 1 << 20;

/// Why a packet cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketError {
    /// The joined packet is larger than the limit.
    TooLarge,
}

/// Receive buffer of one connection.
#[derive(Debug, Default)]
pub struct PacketBuffer {
    bytes: Vec<u8>,
    start: usize,
    limit_bytes: usize,
    sequence: u8,
    /// The packet that was taken last.
    last: Range<usize>,
    /// A joined packet that was put back. It cannot be read from its start again, because its headers are overwritten.
    again: Option<Range<usize>>,
}

impl PacketBuffer {
    /// Creates a buffer that refuses packets of more than `limit_bytes`.
    pub fn new(limit_bytes: usize) -> PacketBuffer {
        PacketBuffer { limit_bytes, ..PacketBuffer::default() }
    }

    /// Returns the largest size of a packet.
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// Returns the sequence number of the packet that was taken last.
    pub fn sequence(&self) -> u8 {
        self.sequence
    }

    /// Takes the next packet if all its bytes have arrived. The range is valid until [`PacketBuffer::space`] is called.
    #[inline]
    pub fn take(&mut self) -> Result<Option<Range<usize>>, PacketError> {
        if let Some(again) = self.again.take() {
            return Ok(Some(again));
        }
        let Some((length, sequence)) = self.header(self.start) else { return Ok(None) };
        let first = self.start + HEADER;
        if length < FULL_PACKET {
            if length > self.limit_bytes {
                return Err(PacketError::TooLarge);
            }
            let end = first + length;
            if end > self.bytes.len() {
                return Ok(None);
            }
            self.start = end;
            self.sequence = sequence;
            self.last = first..end;
            return Ok(Some(first..end));
        }
        self.take_joined(first)
    }

    fn take_joined(&mut self, first: usize) -> Result<Option<Range<usize>>, PacketError> {
        // First pass: have all parts arrived, and is their sum within the limit?
        let mut at = self.start;
        let mut total = 0_usize;
        loop {
            let Some((length, _)) = self.header(at) else { return Ok(None) };
            total += length;
            if total > self.limit_bytes {
                return Err(PacketError::TooLarge);
            }
            at += HEADER + length;
            if at > self.bytes.len() {
                return Ok(None);
            }
            if length < FULL_PACKET {
                break;
            }
        }
        // Second pass: move the parts together.
        let mut from = self.start;
        let mut to = first;
        while let Some((length, sequence)) = self.header(from) {
            self.bytes.copy_within(from + HEADER..from + HEADER + length, to);
            self.sequence = sequence;
            to += length;
            from += HEADER + length;
            if length < FULL_PACKET {
                break;
            }
        }
        self.start = from;
        self.last = first..to;
        Ok(Some(first..to))
    }

    /// Returns the bytes of a packet that was taken.
    #[inline]
    pub fn get(&self, packet: Range<usize>) -> &[u8] {
        self.bytes.get(packet).unwrap_or_default()
    }

    /// Puts back the packet that was taken last, so that the next [`PacketBuffer::take`] returns it again. If it was
    /// joined, nothing may be received or handed over in between.
    pub fn put_back_last(&mut self) {
        let last = self.last.clone();
        if last.len() < FULL_PACKET {
            self.start = last.start.saturating_sub(HEADER);
        } else {
            self.again = Some(last);
        }
    }

    /// Drops the taken packets, and returns the vector into which to read more bytes, with room for a large read.
    pub fn space(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            let length = self.bytes.len();
            self.bytes.copy_within(self.start..length, 0);
            self.bytes.truncate(length - self.start);
            self.start = 0;
        }
        let kept = self.bytes.len();
        if self.bytes.capacity() - kept < READ_BYTES / 4 {
            self.bytes.reserve(READ_BYTES.max(kept / 2));
        } else if kept < READ_BYTES / 4 && self.bytes.capacity() > 8 * READ_BYTES {
            self.bytes.shrink_to(READ_BYTES);
        }
        &mut self.bytes
    }

    /// Exchanges the storage for `other` and keeps the bytes that were not taken yet. The packets that were taken are
    /// in `other` at their ranges.
    pub fn hand_over(&mut self, other: &mut Vec<u8>) {
        other.clear();
        other.extend_from_slice(self.bytes.get(self.start..).unwrap_or_default());
        std::mem::swap(&mut self.bytes, other);
        self.start = 0;
    }

    /// Returns the number of bytes that were received and not taken.
    pub fn pending(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    #[inline]
    fn header(&self, at: usize) -> Option<(usize, u8)> {
        let header: &[u8; HEADER] = self.bytes.get(at..)?.first_chunk()?;
        let [a, b, c, sequence] = *header;
        Some((usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16, sequence))
    }
}

/// Appends `payload` as one packet, or as several if it is too long, and returns the next sequence number.
#[expect(clippy::cast_possible_truncation, reason = "a packet has at most 16 MiB")]
pub(super) fn put_packet(out: &mut Vec<u8>, payload: &[u8], mut sequence: u8) -> u8 {
    let mut rest = payload;
    loop {
        let (part, later) = rest.split_at(rest.len().min(FULL_PACKET));
        out.extend((part.len() as u32).to_le_bytes().iter().take(3));
        out.push(sequence);
        out.extend_from_slice(part);
        sequence = sequence.wrapping_add(1);
        rest = later;
        if part.len() < FULL_PACKET {
            return sequence;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    /// Feeds `wire` in pieces and returns all packets.
    fn cut(wire: &[u8], piece: usize, limit_bytes: usize) -> Result<Vec<Vec<u8>>, PacketError> {
        let mut buffer = PacketBuffer::new(limit_bytes);
        let mut packets = Vec::new();
        for part in wire.chunks(piece) {
            buffer.space().extend_from_slice(part);
            while let Some(range) = buffer.take()? {
                packets.push(buffer.get(range).to_vec());
            }
        }
        Ok(packets)
    }

    proptest! {
        #[test]
        fn packets_come_out_as_they_went_in(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
            piece in 1_usize..500,
        ) {
            let mut wire = Vec::new();
            for payload in &payloads { put_packet(&mut wire, payload, 0); }
            prop_assert_eq!(cut(&wire, piece, 1 << 20).unwrap(), payloads);
        }

        #[test]
        fn any_bytes_are_cut_without_panic(wire: Vec<u8>, piece in 1_usize..50) {
            let _ = cut(&wire, piece, 1000);
        }
    }

    #[test]
    fn parts_of_a_large_packet_are_joined() {
        for length in [FULL_PACKET - 1, FULL_PACKET, FULL_PACKET + 1, 2 * FULL_PACKET + 77] {
            let payload: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut wire = Vec::new();
            put_packet(&mut wire, &payload, 0);
            put_packet(&mut wire, b"next", 0);
            let packets = cut(&wire, 3 << 20, 1 << 30).unwrap();
            assert_eq!(packets.len(), 2);
            assert!(packets[0] == payload, "{length}");
            assert_eq!(packets[1], b"next");
        }
    }

    #[test]
    fn a_packet_above_the_limit_is_refused_before_its_bytes_arrive() {
        assert_eq!(cut(&[0xff, 0xff, 0xff, 0, 1], 5, 1 << 20), Err(PacketError::TooLarge));
        assert_eq!(cut(&[0, 0, 0x20, 0, 1], 5, 1 << 20), Err(PacketError::TooLarge));
    }

    #[test]
    fn handed_over_packets_stay_readable_and_the_tail_is_kept() {
        let mut wire = Vec::new();
        put_packet(&mut wire, b"first", 0);
        put_packet(&mut wire, b"second", 1);
        let mut buffer = PacketBuffer::new(100);
        buffer.space().extend_from_slice(&wire[..12]);
        let first = buffer.take().unwrap().unwrap();
        assert_eq!(buffer.take().unwrap(), None);
        let mut chunk = Vec::new();
        buffer.hand_over(&mut chunk);
        assert_eq!(&chunk[first], b"first");
        buffer.space().extend_from_slice(&wire[12..]);
        let second = buffer.take().unwrap().unwrap();
        assert_eq!(buffer.get(second), b"second");
    }
}
