//! Which family of servers wrote a log.

/// The server family that wrote a log; the families differ in small ways.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flavor {
    /// MySQL, Percona Server.
    #[default]
    Mysql,
    /// MariaDB.
    Mariadb,
}
