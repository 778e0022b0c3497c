//! The write side of a transactional outbox, and the inbox of its consumers, for applications on MySQL and MariaDB.
//!
//! Purpose: an application stores an event with the rows that it tells about, in one transaction of its own. A reader of
//! the binlog publishes the row. There is no second write that could be lost or be left alone.
//!
//! Constraints: nothing here opens a connection, begins or ends a transaction: every call runs on the caller's
//! [`Session`]. Features `sqlx` and `mysql_async` bring the sessions of these drivers; another driver implements the
//! trait. What is not understood or does not fit a column is an error before a statement is sent.
//!
//! Where to look: [`Event`] (what is stored), [`Layout`] (the table), [`Variant`] (what becomes of the row), [`Outbox`]
//! (the statements), [`Cleaner`] (old rows), [`Inbox`] (each event once at the consumer).

#![warn(unreachable_pub)]

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
