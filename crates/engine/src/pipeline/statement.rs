//! What a QUERY event says, as far as transactions go; everything else is for the DDL scanner.

/// A statement of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statement<'a> {
    /// `BEGIN`.
    Begin,
    /// `COMMIT`, of a transaction on non-transactional tables.
    Commit,
    /// `ROLLBACK`, of a transaction that also changed non-transactional tables.
    Rollback,
    /// `SAVEPOINT name`.
    Savepoint(&'a str),
    /// `ROLLBACK TO name`.
    RollbackTo(&'a str),
    /// `RELEASE SAVEPOINT name`.
    ReleaseSavepoint,
    /// `XA START xid`.
    XaStart(&'a str),
    /// `XA END xid`.
    XaEnd,
    /// `XA COMMIT xid`, with or without `ONE PHASE`.
    XaCommit(&'a str),
    /// `XA ROLLBACK xid`.
    XaRollback(&'a str),
    /// Something else.
    Other,
}

/// Classifies the text of a QUERY event, which the servers write in these fixed forms.
pub(super) fn classify(sql: &[u8]) -> Statement<'_> {
    // The longest control statement is XA with an xid of 128 bytes in hexadecimal.
    let Some(text) = sql.get(..sql.len().min(400)).and_then(|text| std::str::from_utf8(text).ok()) else {
        return Statement::Other;
    };
    let text = text.trim().trim_end_matches(';');
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("BEGIN") || is("START TRANSACTION") {
        return Statement::Begin;
    }
    if is("COMMIT") {
        return Statement::Commit;
    }
    if is("ROLLBACK") {
        return Statement::Rollback;
    }
    if let Some(name) = strip(text, "SAVEPOINT ") {
        return Statement::Savepoint(name.trim());
    }
    if let Some(name) = strip(text, "ROLLBACK TO ") {
        return Statement::RollbackTo(name.trim());
    }
    if strip(text, "RELEASE SAVEPOINT ").is_some() {
        return Statement::ReleaseSavepoint;
    }
    let Some(xa) = strip(text, "XA ") else { return Statement::Other };
    if let Some(xid) = strip(xa, "START ").or_else(|| strip(xa, "BEGIN ")) {
        Statement::XaStart(xid.trim())
    } else if strip(xa, "END ").is_some() {
        Statement::XaEnd
    } else if let Some(xid) = strip(xa, "COMMIT ") {
        Statement::XaCommit(xid.trim().trim_end_matches("ONE PHASE").trim())
    } else if let Some(xid) = strip(xa, "ROLLBACK ") {
        Statement::XaRollback(xid.trim())
    } else {
        Statement::Other
    }
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_statements_are_told_from_the_rest() {
        for (sql, statement) in [
            ("BEGIN", Statement::Begin),
            ("COMMIT", Statement::Commit),
            ("ROLLBACK", Statement::Rollback),
            ("SAVEPOINT `a`", Statement::Savepoint("`a`")),
            ("ROLLBACK TO `a`", Statement::RollbackTo("`a`")),
            ("RELEASE SAVEPOINT `a`", Statement::ReleaseSavepoint),
            ("XA START X'61',X'',1", Statement::XaStart("X'61',X'',1")),
            ("XA END X'61',X'',1", Statement::XaEnd),
            ("XA COMMIT X'61',X'',1", Statement::XaCommit("X'61',X'',1")),
            ("XA COMMIT X'61',X'',1 ONE PHASE", Statement::XaCommit("X'61',X'',1")),
            ("XA ROLLBACK X'61',X'',1", Statement::XaRollback("X'61',X'',1")),
            ("BEGIN NOT ATOMIC SELECT 1; END", Statement::Other),
            ("ALTER TABLE t ADD c INT", Statement::Other),
            ("", Statement::Other),
        ] {
            assert_eq!(classify(sql.as_bytes()), statement, "{sql}");
        }
        assert_eq!(classify(&[0xff, 0xfe]), Statement::Other);
    }
}
