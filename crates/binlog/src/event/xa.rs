//! XA: the name of a distributed transaction.

use crate::{cursor::Cursor, error::Error};
use std::fmt;

/// Name of an XA transaction. Prints as the servers do in `XA COMMIT`: `X'6162',X'',1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Xid<'a> {
    /// Format.
    pub format: u32,
    /// Global part, at most 64 bytes.
    pub global: &'a [u8],
    /// Branch part, at most 64 bytes.
    pub branch: &'a [u8],
}

impl fmt::Display for Xid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| {
            f.write_str("X'")?;
            bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
            f.write_str("'")
        };
        hex(f, self.global)?;
        f.write_str(",")?;
        hex(f, self.branch)?;
        write!(f, ",{}", self.format)
    }
}

/// XA_PREPARE: one phase u8, format u32, lengths of both parts u32, the parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct XaPrepare<'a> {
    /// `XA COMMIT … ONE PHASE`: this is the commit.
    pub one_phase: bool,
    /// The transaction.
    pub xid: Xid<'a>,
}

impl<'a> XaPrepare<'a> {
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        const WHAT: &str = "an XA prepare";
        let one_phase = cursor.u8(WHAT)? != 0;
        let format = cursor.u32(WHAT)?;
        let global_bytes = cursor.u32(WHAT)?;
        let branch_bytes = cursor.u32(WHAT)?;
        for value in [global_bytes, branch_bytes] {
            if value > 64 {
                return Err(Error::Invalid { what: "a length in an XA prepare", value: u64::from(value) });
            }
        }
        let global = cursor.take(global_bytes as usize, WHAT)?;
        let branch = cursor.take(branch_bytes as usize, WHAT)?;
        Ok(Self { one_phase, xid: Xid { format, global, branch } })
    }
}
