//! Which topic a row goes to.

use fancy_regex::Regex;

use super::template::Template;
use crate::pattern::java::{self, Case, Extent};

/// Which topic a row goes to.
#[derive(Debug, Clone)]
pub enum TopicRule {
    /// The router's: the text of a column, rewritten by a pattern.
    Field {
        /// Column (`route.by.field`).
        column: String,
        /// How its text becomes the topic.
        pattern: TopicPattern,
    },
    /// A text with columns in it.
    Template(Template),
}

impl Default for TopicRule {
    /// Debezium's default: the text of the column `aggregatetype` behind `outbox.event.`.
    fn default() -> Self {
        #[allow(clippy::expect_used, reason = "both texts are constants, and every test of the default uses them")]
        let pattern = TopicPattern::new("(?<routedByValue>.*)", "outbox.event.${routedByValue}").expect("it compiles");
        TopicRule::Field { column: "aggregatetype".to_owned(), pattern }
    }
}

/// A regular expression and its replacement, in the words of Java (`route.topic.regex`, `route.topic.replacement`).
#[derive(Debug, Clone)]
pub struct TopicPattern {
    /// Boxed because a compiled expression is large, and the other kinds of rules are small.
    whole: Box<Regex>,
    anywhere: Box<Regex>,
    replacement: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number(usize),
    Name(String),
}

impl TopicPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The expression cannot be compiled, or the replacement names a group that it does not have; the error is the
    /// reason.
    pub fn new(expression: &str, replacement: &str) -> Result<TopicPattern, String> {
        let compile = |extent| {
            java::compile(expression, Case::Sensitive, extent)
                .map_err(|reason| format!("{expression:?} is no regular expression that can be used here: {reason}"))
        };
        let anywhere = Box::new(compile(Extent::Anywhere)?);
        let replacement = pieces(replacement, &anywhere)?;
        Ok(TopicPattern { whole: Box::new(compile(Extent::Whole)?), anywhere, replacement })
    }

    /// Returns the topic of a text. If the expression matches the whole text, the first match in it is replaced;
    /// otherwise the text itself is the topic, as in Kafka Connect's `RegexRouter`.
    ///
    /// # Errors
    /// Matching takes too long; the error is the reason.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        let too_long = |_| format!("the expression {:?} takes too long to match {text:?}", self.anywhere.as_str());
        if !self.whole.is_match(text).map_err(too_long)? {
            return Ok(text.to_owned());
        }
        let Some(captures) = self.anywhere.captures(text).map_err(too_long)? else { return Ok(text.to_owned()) };
        let Some(range) = captures.get(0).map(|found| found.range()) else { return Ok(text.to_owned()) };
        let mut topic = text.get(..range.start).unwrap_or_default().to_owned();
        for piece in &self.replacement {
            topic.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Number(number) => captures.get(*number).map_or("", |group| group.as_str()),
                Piece::Name(name) => captures.name(name).map_or("", |group| group.as_str()),
            });
        }
        topic.push_str(text.get(range.end..).unwrap_or_default());
        Ok(topic)
    }
}

/// Reads a replacement as `java.util.regex.Matcher` does: `$1`, `${name}`, and `\` before what stands for itself.
fn pieces(replacement: &str, expression: &Regex) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = replacement.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some(character) => text.push(character),
                None => return Err(format!("{replacement:?} ends with a backslash; remove it")),
            },
            '$' => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                if rest.next_if_eq(&'{').is_some() {
                    let name: String = std::iter::from_fn(|| rest.next_if(|next| *next != '}')).collect();
                    if rest.next().is_none() || !expression.capture_names().flatten().any(|known| known == name) {
                        return Err(format!("{replacement:?} names the group {name:?}, which the expression lacks"));
                    }
                    pieces.push(Piece::Name(name));
                } else {
                    pieces.push(Piece::Number(number(&mut rest, expression).ok_or_else(|| {
                        format!(
                            "{replacement:?} has a $ without a group of the expression; write \\$ for the character"
                        )
                    })?));
                }
            }
            plain => text.push(plain),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// Reads the number of a group. A further digit belongs to it if the expression has a group of that number.
fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, expression: &Regex) -> Option<usize> {
    let digit = |character: &char| character.to_digit(10).map(|digit| digit as usize);
    let mut number = rest.peek().and_then(digit).filter(|number| *number < expression.captures_len())?;
    rest.next();
    while let Some(longer) = rest.peek().and_then(digit).map(|digit| number * 10 + digit) {
        if longer >= expression.captures_len() {
            break;
        }
        number = longer;
        rest.next();
    }
    Some(number)
}

/// Returns whether a text can be the name of a topic: Pulsar takes everything but slashes and control characters, alone
/// or behind `persistent://tenant/namespace/`.
pub(super) fn is_topic(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains(['/', ':']) && !part.chars().any(char::is_control);
    match name.strip_prefix("persistent://") {
        Some(full) => full.split('/').count() == 3 && full.split('/').all(is_part),
        None => is_part(name),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn check(expression: &str, replacement: &str, text: &str, expected: &str) {
        let pattern = TopicPattern::new(expression, replacement).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(pattern.apply(text).unwrap(), expected, "{expression} {replacement} {text}");
    }

    #[test]
    fn texts_are_rewritten_as_java_does() {
        check("(?<routedByValue>.*)", "outbox.event.${routedByValue}", "reserva", "outbox.event.reserva");
        check("(.*)Event", "$1", "OrderEvent", "Order");
        check("(.*)Event", "x.$1", "order", "order");
        check("(a)(b)", "$12$2", "ab", "a2b");
        check("a.*", r"\$1\\", "abc", r"$1\");
        // The text as a whole matches by the second alternative; what is replaced is the first match, `a`.
        check("a|ab", "x", "ab", "xb");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (expression, replacement) in
            [("(", "x"), (".*", "$1"), (".*", "${x}"), ("(?<x>.*)", "${x"), (".*", "$"), (".*", "\\")]
        {
            assert!(TopicPattern::new(expression, replacement).is_err(), "{expression} {replacement}");
        }
    }

    #[test]
    fn names_of_topics() {
        for name in ["a", "a.b-c_D9", "Order Item", "ñ", "persistent://public/default/a"] {
            assert!(is_topic(name), "{name}");
        }
        for name in ["", "a\nb", "a/b", "persistent://a/b", "persistent://a/b/c/d", "persistent://a//c", "http://a"] {
            assert!(!is_topic(name), "{name}");
        }
    }
}
