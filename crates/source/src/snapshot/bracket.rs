//! Opens an exact view on MySQL without a lock.
//!
//! One packet asks, in this order, for the end of the log, for the transactions that are committing (between log and
//! engine) and for the prepared XA transactions; then it opens the view and asks for the end of the log again. The view
//! has exactly the transactions before the end of the log if both ends are equal and nothing was committing:
//! - If the view has a transaction that is after the first end, the transaction was written to the log in between, so
//!   the ends differ.
//! - If the view lacks a transaction that is before the first end, the transaction was still committing when the
//!   packet asked. MySQL counts a transaction from before its bytes are in the log until after its rows are visible:
//!   one with a GTID is in `gtid_owned`, one without in `Ongoing_anonymous_transaction_count`.
//! - A prepared XA transaction whose commit is after the position is still listed, for the same reason.
//!
//! Equal ends alone prove nothing, because rows become visible only after the log has them. On a busy server one try in
//! two to thirty succeeds, and a try takes about a millisecond. No privilege is needed beyond the one to ask for the
//! position.

use std::time::{Duration, Instant};

use super::position::{mysql_position, no_position, status_statement};
use super::view::{Exactness, OPEN_VIEW, Undecided, View};
use crate::Error;
use crate::wire::{Connection, Table};

const OWNED: &str = "SELECT @@GLOBAL.gtid_mode, @@GLOBAL.gtid_owned";
const ANONYMOUS: &str = "SHOW GLOBAL STATUS LIKE 'Ongoing_anonymous_transaction_count'";

/// Tries until a view is exact or `limit` has passed. Returns `None` if no try succeeded, or if the server does not
/// report the committing transactions; then the transaction of the last try may still be open, and the caller must end
/// it.
pub(super) async fn view(
    connection: &mut Connection,
    undecided: Undecided,
    limit: Duration,
) -> Result<Option<View>, Error> {
    let status = status_statement(connection.version());
    let end = Instant::now() + limit;
    // The first try asks for transactions without GTID. With `gtid_mode = ON` there are none, and later tries leave out
    // this slow statement.
    let mut anonymous = Some(ANONYMOUS);
    loop {
        let mut statements = vec![status, OWNED];
        statements.extend(anonymous);
        statements.extend(undecided.statement());
        statements.extend([OPEN_VIEW, status]);
        let answers = match connection.query_batch(&statements).await {
            Err(Error::Server { code: UNKNOWN_VARIABLE, .. }) => return Ok(None),
            answers => answers?,
        };
        let [before, owned, rest @ .., _view, after] = answers.as_slice() else { return Err(no_position()) };
        let gtid_mode = owned.first().and_then(|row| row.text(0));
        let (count, listed) = rest.split_at(usize::from(anonymous.is_some()));
        let Some(is_quiet) = is_quiet(owned, count.first()) else { return Ok(None) };
        if is_quiet && before == after {
            return Ok(Some(View {
                position: mysql_position(connection, after.first(), gtid_mode)?,
                exactness: Exactness::QuietMoment,
                undecided: undecided.count(listed),
            }));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        anonymous = (gtid_mode != Some("ON")).then_some(ANONYMOUS);
    }
}

/// `ER_UNKNOWN_SYSTEM_VARIABLE`.
const UNKNOWN_VARIABLE: u16 = 1193;

/// Returns whether no transaction was committing; `None` if the server does not tell.
fn is_quiet(owned: &Table, anonymous: Option<&Table>) -> Option<bool> {
    let row = owned.first()?;
    let none_is_anonymous = match anonymous {
        Some(count) => count.first()?.text(1)? == "0",
        None => row.text(0)? == "ON",
    };
    Some(none_is_anonymous && row.text(1)?.trim().is_empty())
}
