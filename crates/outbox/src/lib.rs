//! The write side of a transactional outbox, and the inbox of its consumers, for applications on MySQL and MariaDB.
//!
//! Purpose: an application stores an event with the rows that it tells about, in one transaction of its own. A reader
//! of the binlog publishes the row. There is no second write that could be lost or be left alone.
//!
//! Constraints: nothing here opens a connection, begins or ends a transaction: every call runs on the caller's
//! [`Session`]. Features `sqlx` and `mysql_async` bring the sessions of these drivers; another driver implements the
//! trait. What is not understood or does not fit a column is an error before a statement is sent.
//!
//! Where to look: [`Event`] (what is stored), [`Layout`] (the table), [`Variant`] (what becomes of the row), [`Outbox`]
//! (the statements), [`Cleaner`] (old rows), [`Inbox`] (each event once at the consumer).
//!
//! # Example
//! ```no_run
//! # #[cfg(feature = "sqlx")]
//! # async fn run(mut connection: sqlx::MySqlConnection, body: String) -> Result<(), Box<dyn std::error::Error>> {
//! # use sqlx::Connection;
//! use bitacora_outbox::{Event, Layout, Outbox, STANDARD_TABLE, Variant};
//!
//! // Once, at the start, on a connection without a transaction.
//! let outbox = Outbox::new(Layout::standard(STANDARD_TABLE).build()?, Variant::Plain);
//! outbox.migrate(&mut connection).await?;
//!
//! // For each order.
//! let mut transaction = connection.begin().await?;
//! sqlx::query("INSERT INTO orders …").execute(&mut *transaction).await?;
//! outbox.add(&mut transaction, &Event::json("order", "7", "OrderPlaced", &body)?).await?;
//! transaction.commit().await?;
//! # Ok(())
//! # }
//! ```

mod cleaner;
mod error;
mod event;
mod inbox;
mod layout;
mod outbox;
mod session;
mod table;
mod value;
mod variant;

pub use cleaner::{CleanBy, Cleaner, CleanerOptions};
pub use error::Error;
pub use event::{DomainEvent, Event, EventId, Payload};
pub use inbox::{Inbox, Recorded};
pub use layout::{Column, ColumnType, Content, Layout, LayoutBuilder, STANDARD_TABLE};
pub use outbox::{Outbox, Statement};
pub use session::Session;
pub use value::Value;
pub use variant::Variant;

#[cfg(test)]
mod tests {
    use std::iter;

    fn first_example(text: &str, fence: &str) -> Vec<String> {
        let mut lines = text.lines().skip_while(|line| *line != fence).skip(1);
        let lines = iter::from_fn(|| lines.next().filter(|line| *line != "```"));
        lines.filter(|line| !line.starts_with("# ")).map(str::to_owned).collect()
    }

    /// Only the example of the crate's documentation is compiled.
    #[test]
    fn the_first_example_of_the_readme_is_the_compiled_one() {
        let source = include_str!("lib.rs").lines().filter_map(|line| line.strip_prefix("//!"));
        let docs: String = source.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
        let compiled = first_example(&docs, "```no_run");
        assert!(!compiled.is_empty());
        assert_eq!(first_example(include_str!("../README.md"), "```rust"), compiled);
    }
}
