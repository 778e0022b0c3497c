//! Replaces placeholders inside values, so that secrets need not be in a configuration file.
//!
//! - `${env:NAME}`: the environment variable.
//! - `${file:/path}`: the whole file without its final line break (as container secrets are mounted).
//! - `${file:/path:key}`: the value of `key` in a properties file, as Kafka Connect's `FileConfigProvider` reads it.
//!
//! Anything else that starts with `${` is ordinary text, because a password may contain it.

use std::io::Read;
use std::path::Path;

use super::environment::Environment;

/// Longest file that is read for a placeholder.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Replaces every placeholder of a value. The error says why one cannot be replaced, and never holds a secret.
pub(super) fn resolve(text: &str, environment: &Environment) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let inner = from.get(2..).unwrap_or_default();
        let known = inner.starts_with("env:") || inner.starts_with("file:");
        let Some(end) = inner.find('}').filter(|_| known) else {
            out.push_str("${");
            rest = inner;
            continue;
        };
        let (placeholder, after) = inner.split_at(end);
        match placeholder.split_once(':') {
            Some(("env", name)) => out.push_str(
                environment.get(name).ok_or_else(|| format!("the environment variable {name} is not set; set it"))?,
            ),
            Some((_, path)) => out.push_str(&file_value(path)?),
            None => {}
        }
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}

fn file_value(reference: &str) -> Result<String, String> {
    if Path::new(reference).exists() {
        let text = read(reference)?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    let Some((path, key)) = reference.rsplit_once(':') else {
        return read(reference);
    };
    let text = read(path)?;
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with(['#', '!']))
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim_end() == key)
        .map(|(_, value)| value.trim().to_owned())
        .ok_or_else(|| format!("the file {path} has no line {key}=…; add it"))
}

fn read(path: &str) -> Result<String, String> {
    let failed =
        |error: std::io::Error| format!("the file {path} cannot be read ({error}); check path and permissions");
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(format!(
            "the file {path} is longer than {MAX_FILE_BYTES} bytes; name the file that holds the value"
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn environment() -> Environment {
        Environment::of([("DB_PASSWORD", "s3cr3t"), ("EMPTY", "")])
    }

    #[test]
    fn replaces_environment_and_leaves_the_rest() {
        for (text, expected) in [
            ("plain", "plain"),
            ("${env:DB_PASSWORD}", "s3cr3t"),
            ("a${env:DB_PASSWORD}b${env:EMPTY}c", "as3cr3tbc"),
            ("pa$$${word}", "pa$$${word}"),
            ("${env:DB_PASSWORD", "${env:DB_PASSWORD"),
            ("ñ${", "ñ${"),
        ] {
            assert_eq!(resolve(text, &environment()).unwrap(), expected);
        }
        assert!(resolve("${env:NOT_SET}", &environment()).unwrap_err().contains("NOT_SET"));
    }

    #[test]
    fn reads_files_and_properties() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "# c\nother=1\npassword = p=w \n").unwrap();
        let whole = resolve(&format!("${{file:{}}}", path.display()), &environment()).unwrap();
        assert_eq!(whole, "# c\nother=1\npassword = p=w ");
        let one = resolve(&format!("${{file:{}:password}}", path.display()), &environment()).unwrap();
        assert_eq!(one, "p=w");
        let missing = resolve(&format!("${{file:{}:nope}}", path.display()), &environment()).unwrap_err();
        assert!(missing.contains("nope=") && !missing.contains("p=w"), "{missing}");
        assert!(resolve("${file:/does/not/exist}", &environment()).unwrap_err().contains("/does/not/exist"));
    }

    #[test]
    fn refuses_long_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, vec![b'x'; 70_000]).unwrap();
        assert!(resolve(&format!("${{file:{}}}", path.display()), &environment()).unwrap_err().contains("longer"));
    }
}
