//! Reads a MySQL or MariaDB server: sessions, checks, snapshot, replication stream, DDL.
