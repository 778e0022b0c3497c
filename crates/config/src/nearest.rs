//! Finds the known name that a misspelt one most likely means.

/// Characters of a key that are compared. The bound keeps a hostile file from costing much time.
const MAX_CHARS: usize = 200;

/// Returns the name with the smallest edit distance (insert, delete, replace, swap of neighbours), and that distance.
/// Of several such names the first is returned.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<(&'a str, usize)> {
    let wanted: String = wanted.chars().take(MAX_CHARS).map(|c| c.to_ascii_lowercase()).collect();
    names
        .map(|name| (name, strsim::osa_distance(&wanted, &name.to_ascii_lowercase())))
        .min_by_key(|(_, distance)| *distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("abcd", "acbd", 1),
        ] {
            assert_eq!(nearest(a, [b].into_iter()), Some((b, expected)), "{a:?} {b:?}");
        }
    }

    #[test]
    fn names_the_closest() {
        let names = ["database.hostname", "database.port", "database.user"];
        assert_eq!(nearest("database.hostnam", names.into_iter()), Some(("database.hostname", 1)));
        assert_eq!(nearest("Database.Prot", names.into_iter()), Some(("database.port", 1)));
        assert_eq!(nearest("x", std::iter::empty()), None);
    }
}
