//! Decodes the binary log of MySQL and MariaDB in place. No I/O.
