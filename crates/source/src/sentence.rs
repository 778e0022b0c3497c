//! Changes the first letter of sentences.
//!
//! Errors, findings and remedies of this crate are whole sentences and begin with a capital letter. Other errors begin
//! with a small letter, because they often follow a colon or a semicolon. Code that joins the two changes the first
//! letter here.

/// Returns a text with its first letter capital, as the beginning of a sentence.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Returns a sentence with its first letter small, as a part of another sentence.
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
