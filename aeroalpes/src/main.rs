//! The `aeroalpes` command: one part of the application each.

fn main() {}
