//! The known name that a misspelt one most likely means.

/// Returns the name with the smallest edit distance (insert, delete, replace, swap of neighbours); the first of equals.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<(&'a str, usize)> {
    let wanted: Vec<char> = wanted.chars().take(MAX_CHARS).map(|c| c.to_ascii_lowercase()).collect();
    names
        .map(|name| (name, distance(&wanted, &name.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>())))
        .min_by_key(|(_, distance)| *distance)
}

/// A key longer than this is compared by its beginning, so that a hostile file costs little.
const MAX_CHARS: usize = 200;

/// Optimal string alignment distance by three rows of the usual matrix.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_char = None;
    for (row, a_char) in a.iter().enumerate() {
        let mut current = Vec::with_capacity(last.len());
        current.push(row + 1);
        let mut previous_b = None;
        for (column, b_char) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let replace = at(&last, column) + usize::from(a_char != b_char);
            let mut cost = replace.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            if previous_char == Some(b_char) && previous_b == Some(a_char) && column > 0 {
                cost = cost.min(at(&before_last, column - 1) + 1);
            }
            current.push(cost);
            previous_b = Some(b_char);
        }
        previous_char = Some(a_char);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
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
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(distance(&a, &b), expected, "{a:?} {b:?}");
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
