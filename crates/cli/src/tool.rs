//! The names of Pulsar's own tools. A container of Pulsar has `bin/pulsar-admin` and `bin/pulsar-client`, and texts
//! about Pulsar call them: under these names this program takes their arguments.

use std::ffi::OsString;
use std::path::Path;

/// Returns the arguments as the command line takes them: `pulsar-client consume …` means `bitacora client consume …`.
/// `pulsar-admin` needs no change, because its commands (`source`, `topics`) have the same names here.
pub(crate) fn arguments(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = given.into_iter().collect();
    let name = arguments.first().and_then(|program| Path::new(program).file_name());
    if name.is_some_and(|name| name == "pulsar-client") {
        arguments.insert(1, "client".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[&str], meant: &[&str]) {
        assert_eq!(arguments(given.iter().map(OsString::from)), meant);
    }

    #[test]
    fn the_name_of_the_program_decides() {
        check(&["./bin/pulsar-client", "consume", "t"], &["./bin/pulsar-client", "client", "consume", "t"]);
        check(&["/pulsar/bin/pulsar-admin", "topics", "list"], &["/pulsar/bin/pulsar-admin", "topics", "list"]);
        check(&["bitacora", "client", "consume", "t"], &["bitacora", "client", "consume", "t"]);
        check(&[], &[]);
    }
}
