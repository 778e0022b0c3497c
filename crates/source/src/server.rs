//! Product and version of a server, as its greeting says.

use std::fmt;

pub use bitacora_binlog::Flavor;

/// Product and version of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// The product.
    pub flavor: Flavor,
    /// Major, minor and patch number.
    pub number: (u16, u16, u16),
    /// The server's own spelling.
    pub text: String,
}

impl ServerVersion {
    /// Reads the version text of a greeting or of `@@version`. MariaDB before 11 puts `5.5.5-` before the version. A
    /// text without a number is version 0.0.0.
    pub fn parse(text: &str) -> ServerVersion {
        let flavor = if text.to_ascii_lowercase().contains("mariadb") { Flavor::Mariadb } else { Flavor::Mysql };
        let plain = match (flavor, text.strip_prefix("5.5.5-")) {
            (Flavor::Mariadb, Some(rest)) => rest,
            _ => text,
        };
        let mut numbers =
            plain.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u16>().unwrap_or_default());
        let mut next = || numbers.next().unwrap_or_default();
        ServerVersion { flavor, number: (next(), next(), next()), text: plain.to_owned() }
    }

    /// Returns whether the server is MariaDB.
    pub fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::Mariadb
    }

    /// Returns whether the server is of this version or newer.
    pub fn at_least(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.number >= (major, minor, patch)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavor {
            Flavor::Mysql => "MySQL",
            Flavor::Mariadb => "MariaDB",
        };
        write!(f, "{name} {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_both_servers_are_read() {
        for (text, flavor, number) in [
            ("8.0.36-debug", Flavor::Mysql, (8, 0, 36)),
            ("9.7.0", Flavor::Mysql, (9, 7, 0)),
            ("5.5.5-10.11.6-MariaDB-0+deb12u1", Flavor::Mariadb, (10, 11, 6)),
            ("11.8.2-MariaDB", Flavor::Mariadb, (11, 8, 2)),
            ("", Flavor::Mysql, (0, 0, 0)),
        ] {
            let version = ServerVersion::parse(text);
            assert_eq!((version.flavor, version.number), (flavor, number), "{text}");
        }
    }
}
