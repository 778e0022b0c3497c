//! How sentences for people begin.
//!
//! Findings and remedies of this crate are sentences of their own and begin with a capital letter. Errors begin with a
//! small one, because they often follow a colon or a semicolon. Whoever makes the one from the other turns its first
//! letter here.

/// Returns a text as the beginning of a sentence.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Returns a sentence as the second half of another one.
pub fn uncapitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_letter_changes() {
        assert_eq!(capitalized("the tables `a` and `B`"), "The tables `a` and `B`");
        assert_eq!(uncapitalized("Give a readable PEM file"), "give a readable PEM file");
        assert_eq!([capitalized(""), uncapitalized("")], ["", ""]);
    }
}
