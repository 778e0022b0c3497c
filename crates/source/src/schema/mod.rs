//! What the server says about its tables: `information_schema` and `SHOW CREATE TABLE`.
//!
//! All tables are described with a handful of statements, however many there are.

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
