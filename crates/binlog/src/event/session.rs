//! Events about the log and the connection rather than about data: rotate, heartbeat, incident.

use crate::{cursor::Cursor, error::Error};

/// ROTATE: position u64, then the file name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotate<'a> {
    /// Position of the first event in the next file (4), or where the dump starts.
    pub position: u64,
    /// File name; ASCII in practice.
    pub file: &'a [u8],
}

impl<'a> Rotate<'a> {
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        Ok(Self { position: cursor.u64("the position of a rotate")?, file: cursor.rest() })
    }
}

/// HEARTBEAT (the file name; the position is the header's) and HEARTBEAT_V2 (fields of type u8, length and value, both
/// length-encoded: 1 file name, 2 position, 0 end).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heartbeat<'a> {
    /// File that the server has read to its end.
    pub file: &'a [u8],
    /// Position there; only the low 32 bits in version 1.
    pub position: u64,
}

impl<'a> Heartbeat<'a> {
    pub(crate) fn read_v1(cursor: &mut Cursor<'a>, next_position: u32) -> Self {
        Self { file: cursor.rest(), position: u64::from(next_position) }
    }

    pub(crate) fn read_v2(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        const WHAT: &str = "a heartbeat";
        let mut heartbeat = Self { file: &[], position: 0 };
        while !cursor.is_empty() {
            let field = cursor.u8(WHAT)?;
            if field == 0 {
                break;
            }
            let value = cursor.lenenc_bytes(WHAT)?;
            match field {
                1 => heartbeat.file = value,
                2 => heartbeat.position = Cursor::new(value).lenenc(WHAT)?,
                _ => {}
            }
        }
        Ok(heartbeat)
    }
}

/// INCIDENT: number u16, message (u8 length, bytes).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Incident<'a> {
    /// 1 is "lost events"; the only one a server writes.
    pub number: u16,
    /// The server's words.
    pub message: &'a [u8],
}

impl<'a> Incident<'a> {
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        const WHAT: &str = "an incident";
        let number = cursor.u16(WHAT)?;
        let message = if cursor.is_empty() {
            &[]
        } else {
            let length = cursor.u8(WHAT)?;
            cursor.take(usize::from(length), WHAT)?
        };
        Ok(Self { number, message })
    }
}
