//! The `bitacora` command.

fn main() {}
