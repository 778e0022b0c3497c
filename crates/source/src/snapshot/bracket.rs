//! An exact view on MySQL without a lock.
//!
//! One packet asks, in this order: the end of the log; the transactions under way between log and engine; the prepared
//! XA transactions; then it opens the view and asks for the end of the log again. The position is the view's when both
//! ends are equal and nothing was under way:
//! - A transaction that the view has and the first end has not was written to the log in between, so the ends differ.
//! - A transaction that the first end has and the view has not was still under way when that was asked. MySQL counts a
//!   transaction from before its bytes are in the log until after its rows are visible: one with a GTID is in
//!   `gtid_owned`, one without in `Ongoing_anonymous_transaction_count`.
//! - A prepared XA transaction whose commit lies after the position is still listed, for the same reason.
//!
//! Equal ends alone prove nothing: the rows become visible after the log has them. A busy server answers one try in two
//! to thirty as wanted, and a try takes about a millisecond. No privilege beyond that for the position is needed.

use std::time::{Duration, Instant};

use super::position::{mysql_position, no_position, status_statement};
use super::view::{Exactness, OPEN_VIEW, Undecided, View};
use crate::Error;
use crate::wire::{Connection, Table};

const OWNED: &str = "SELECT @@GLOBAL.gtid_mode, @@GLOBAL.gtid_owned";
const ANONYMOUS: &str = "SHOW GLOBAL STATUS LIKE 'Ongoing_anonymous_transaction_count'";

/// Tries until a view is exact, or until `limit` has passed. Returns `None` if no try succeeded, or if the server does
/// not report the transactions under way; the transaction of the last try may then still be open.
pub(super) async fn view(
    connection: &mut Connection,
    undecided: Undecided,
    limit: Duration,
) -> Result<Option<View>, Error> {
    let status = status_statement(connection.version());
    let end = Instant::now() + limit;
    // With `gtid_mode = ON` every transaction has a GTID, and the slow look at the status is left out.
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

/// Returns whether no transaction was between log and engine; `None` where the server does not tell.
fn is_quiet(owned: &Table, anonymous: Option<&Table>) -> Option<bool> {
    let row = owned.first()?;
    let none_is_anonymous = match anonymous {
        Some(count) => count.first()?.text(1)? == "0",
        None => row.text(0)? == "ON",
    };
    Some(none_is_anonymous && row.text(1)?.trim().is_empty())
}
