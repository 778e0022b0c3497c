//! Reads what the server says about its tables in `information_schema` and `SHOW CREATE TABLE`.
//!
//! A handful of statements to `information_schema` describes up to 200 tables at once.

mod describe;
mod facts;
mod list;
mod missing;
mod table;
mod unprintable;

pub use describe::describe;
pub use facts::{ColumnFacts, TableFacts};
pub use list::{ServerDefaults, list_tables, server_defaults, show_create_table};
pub(crate) use list::{literal, sort_tables};
pub(crate) use missing::described;
pub use missing::{MissingTables, missing_tables};
pub(crate) use table::table;
