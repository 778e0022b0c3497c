//! Regular expressions as `java.util.regex` understands them, which Debezium's lists are written for.
//!
//! An expression is rewritten for the engine here: `\Q…\E` becomes escaped text, `\w`, `\d` and `\s` are the ASCII
//! classes that they are in Java, POSIX classes and escapes that mean something else here are spelt out. Look-around,
//! back-references, atomic groups and possessive quantifiers are the engine's own; it gives up after `BACKTRACK_LIMIT`
//! steps back, so that no expression can hold up a source. As in Java, ignoring case concerns ASCII letters alone.
//! (Source of the syntax: the documentation of `java.util.regex.Pattern`, "Summary of regular-expression constructs".)

use std::iter::Peekable;
use std::str::Chars;

use fancy_regex::{Regex, RegexBuilder};

/// Steps back after which a match is given up.
const BACKTRACK_LIMIT: usize = 100_000;

const WORD: &str = "A-Za-z0-9_";
const DIGIT: &str = "0-9";
const SPACE: &str = r" \t\n\x0B\f\r";
const HORIZONTAL: &str = r" \t\u{A0}\u{1680}\u{180E}\u{2000}-\u{200A}\u{202F}\u{205F}\u{3000}";
const VERTICAL: &str = r"\n\x0B\f\r\u{85}\u{2028}\u{2029}";

/// Whether letters match their other case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Insensitive,
}

/// Where an expression has to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    Anywhere,
}

/// Compiles an expression; the error is the reason, on one line.
pub(crate) fn compile(expression: &str, case: Case, extent: Extent) -> Result<Regex, String> {
    let translated = translate(expression)?;
    // First without the group that is put around it: inside, `a)(b` would compile.
    build(&translated)?;
    let flags = if case == Case::Insensitive { "i" } else { "" };
    match extent {
        Extent::Anywhere => build(&format!("(?{flags}:{translated})")),
        Extent::Whole => build(&format!(r"\A(?{flags}:{translated})\z")),
    }
}

fn build(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).backtrack_limit(BACKTRACK_LIMIT).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        // The position is left out: it is one in the rewritten expression, which nobody has seen.
        let without = reason.strip_prefix("Parsing error at position ").and_then(|rest| rest.split_once(": "));
        without.map_or(reason, |(_, what)| what).to_owned()
    })
}

fn translate(expression: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: expression.chars().peekable(),
        out: String::with_capacity(expression.len() + 16),
        classes: 0,
        groups: group_count(expression),
    };
    while let Some(character) = translator.rest.next() {
        translator.take(character)?;
    }
    Ok(translator.out)
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// How many character classes are open.
    classes: usize,
    groups: usize,
}

impl Translator<'_> {
    fn take(&mut self, character: char) -> Result<(), String> {
        match character {
            '\\' => return self.escape(),
            '[' => {
                self.classes += 1;
                self.out.push('[');
                if self.rest.next_if_eq(&'^').is_some() {
                    self.out.push('^');
                }
                if self.rest.next_if_eq(&']').is_some() {
                    self.out.push_str(r"\]");
                }
            }
            ']' if self.classes > 0 => {
                self.classes -= 1;
                self.out.push(']');
            }
            '{' if self.classes == 0 => return self.repetition(),
            // Itself in Java; the engine might take it for the end of something.
            '}' if self.classes == 0 => self.out.push_str(r"\}"),
            // An operator here, itself in Java.
            '~' if self.classes > 0 => self.out.push_str(r"\~"),
            plain if plain.is_ascii() || self.classes > 0 => self.out.push(plain),
            plain => self.literal(plain),
        }
        Ok(())
    }

    /// Writes a character that stands for itself.
    fn literal(&mut self, character: char) {
        match character {
            // Java pairs the cases of ASCII letters alone.
            _ if !character.is_ascii() && self.classes == 0 => {
                self.out.push_str("(?-i:");
                self.out.push(character);
                self.out.push(')');
            }
            _ if character.is_ascii_punctuation()
                && !matches!(
                    character,
                    '<' | '>' | '_' | '"' | '\'' | '`' | '/' | '!' | '%' | ',' | ':' | ';' | '=' | '@'
                ) =>
            {
                self.out.push('\\');
                self.out.push(character);
            }
            _ => self.out.push(character),
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(character) = self.rest.next() else { return Err("it ends with a backslash".to_owned()) };
        match character {
            'Q' => self.quoted(),
            'w' => self.class(WORD),
            'W' => self.outside(WORD),
            'd' => self.class(DIGIT),
            'D' => self.outside(DIGIT),
            's' => self.class(SPACE),
            'S' => self.outside(SPACE),
            'h' => self.class(HORIZONTAL),
            'H' => self.outside(HORIZONTAL),
            'v' => self.class(VERTICAL),
            'V' => self.outside(VERTICAL),
            'R' if self.classes == 0 => {
                self.out.push_str(r"(?:\r\n|[");
                self.out.push_str(VERTICAL);
                self.out.push_str("])");
            }
            'Z' if self.classes == 0 => self.out.push_str(r"(?=\n?\z)"),
            'p' | 'P' => return self.property(character == 'P'),
            'b' | 'B' | 'A' | 'z' | 'k' if self.classes == 0 => {
                self.out.push('\\');
                self.out.push(character);
            }
            't' | 'n' | 'r' | 'f' | 'x' => {
                self.out.push('\\');
                self.out.push(character);
            }
            'a' => self.out.push_str(r"\x07"),
            'e' => self.out.push_str(r"\x1B"),
            'u' => {
                let digits = self.digits(4, 16);
                self.code(u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4), r"\u")?;
            }
            '0' => {
                let digits = self.digits(3, 8);
                self.code(u32::from_str_radix(&digits, 8).ok(), r"\0")?;
            }
            'c' => {
                let control = self.rest.next().filter(char::is_ascii).map(|character| u32::from(character) ^ 64);
                self.code(control, r"\c")?;
            }
            '1'..='9' if self.classes == 0 => self.reference(character),
            letter if letter.is_ascii_alphanumeric() => {
                return Err(format!("the escape \\{letter} is not one of Java's that can be used here"));
            }
            plain => self.literal(plain),
        }
        Ok(())
    }

    /// Reads `{n}`, `{n,}` or `{n,m}` behind the brace. Java refuses anything else, which the engine would take for
    /// text.
    fn repetition(&mut self) -> Result<(), String> {
        let least = self.number();
        let has_comma = self.rest.next_if_eq(&',').is_some();
        let most = if has_comma { self.number() } else { None };
        if self.rest.next_if_eq(&'}').is_none() {
            return Err("a { begins no repetition such as {2} or {1,3}; write \\{ for the character".to_owned());
        }
        let Some(least) = least else {
            return Err("a repetition {…} begins with a number; write \\{ for the character".to_owned());
        };
        if most.is_some_and(|most| most < least) {
            return Err(format!("the repetition {{{least},…}} ends with a smaller number"));
        }
        self.out.push_str(&match (has_comma, most) {
            (false, _) => format!("{{{least}}}"),
            (true, None) => format!("{{{least},}}"),
            (true, Some(most)) => format!("{{{least},{most}}}"),
        });
        Ok(())
    }

    /// Takes the digits of a number; `None` if there are none, or too many.
    fn number(&mut self) -> Option<u32> {
        self.digits(usize::MAX, 10).parse().ok()
    }

    /// Copies the text up to `\E`, escaped.
    fn quoted(&mut self) {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(character);
        }
    }

    fn class(&mut self, members: &str) {
        if self.classes == 0 {
            self.out.push('[');
            self.out.push_str(members);
            self.out.push(']');
        } else {
            self.out.push_str(members);
        }
    }

    fn outside(&mut self, members: &str) {
        self.out.push_str("[^");
        self.out.push_str(members);
        self.out.push(']');
    }

    /// Rewrites `\p{…}`: Java's POSIX classes are ASCII; everything else is a property of Unicode.
    fn property(&mut self, is_negated: bool) -> Result<(), String> {
        let name: String = match self.rest.next() {
            Some('{') => {
                let name = std::iter::from_fn(|| self.rest.next_if(|next| *next != '}')).collect();
                self.rest.next();
                name
            }
            Some(letter) => letter.to_string(),
            None => return Err(r"it ends with \p".to_owned()),
        };
        let posix = match name.as_str() {
            "Lower" | "Upper" | "Alpha" | "Digit" | "Alnum" | "Punct" | "Graph" | "Print" | "Blank" | "Cntrl"
            | "Space" | "ASCII" | "XDigit" => Some(name.to_ascii_lowercase()),
            _ => None,
        };
        match posix {
            Some(posix) => {
                self.out.push_str(if is_negated { "[[:^" } else { "[[:" });
                self.out.push_str(&posix);
                self.out.push_str(":]]");
            }
            None => {
                let unicode = name.strip_prefix("Is").unwrap_or(&name);
                self.out.push_str(if is_negated { r"\P{" } else { r"\p{" });
                self.out.push_str(unicode);
                self.out.push('}');
            }
        }
        Ok(())
    }

    /// Reads a back-reference. As in Java, a further digit belongs to it if the expression has a group of that number.
    fn reference(&mut self, first: char) {
        let mut number = first.to_digit(10).unwrap_or_default() as usize;
        while let Some(longer) =
            self.rest.peek().and_then(|next| next.to_digit(10)).map(|digit| number * 10 + digit as usize)
        {
            if longer > self.groups {
                break;
            }
            number = longer;
            self.rest.next();
        }
        self.out.push_str(&format!(r"(?:\{number})"));
    }

    fn digits(&mut self, most: usize, radix: u32) -> String {
        let mut digits = String::new();
        while digits.len() < most
            && let Some(digit) = self.rest.next_if(|next| next.is_digit(radix))
        {
            digits.push(digit);
        }
        digits
    }

    fn code(&mut self, code: Option<u32>, escape: &str) -> Result<(), String> {
        let character = code.and_then(char::from_u32);
        let character = character.ok_or_else(|| format!("{escape} is followed by no character's code"))?;
        self.out.push_str(&format!(r"\x{{{:X}}}", u32::from(character)));
        Ok(())
    }
}

/// Counts the capturing groups roughly, which is enough for back-references of several digits.
fn group_count(expression: &str) -> usize {
    let plain = expression.replace(r"\\", "").replace(r"\(", "");
    let named = plain.matches("(?<").count() - plain.matches("(?<=").count() - plain.matches("(?<!").count();
    plain.matches('(').count() - plain.matches("(?").count() + named
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Each row was tried with `Pattern.compile(…, CASE_INSENSITIVE).matcher(…).matches()`.
    fn check(expression: &str, matched: &[&str], other: &[&str]) {
        let regex = compile(expression, Case::Insensitive, Extent::Whole)
            .unwrap_or_else(|reason| panic!("{expression}: {reason}"));
        for name in matched {
            assert!(regex.is_match(name).unwrap(), "{expression} should match {name}");
        }
        for name in other {
            assert!(!regex.is_match(name).unwrap(), "{expression} should not match {name}");
        }
    }

    #[test]
    fn look_around_quotes_and_references_are_javas() {
        check(r"rx\.(?!tmp_).*", &["rx.orders", "RX.Orders"], &["rx.tmp_1", "rx.TMP_1"]);
        check(r"rx\.\Qorders\E", &["rx.orders", "RX.ORDERS"], &["rx.orders2"]);
        check(r"rx\.\Qa.b[1]\E\d", &["rx.a.b[1]7"], &["rx.axb[1]7"]);
        check(r"rx\.\Qa+", &["rx.a+"], &["rx.aa"]);
        check(r"rx\.(.)\w+\1", &["rx.abca", "rx.Abca"], &["rx.abcd"]);
        check(r"rx\.(?<x>ab)\k<x>", &["rx.abab"], &["rx.ab"]);
        check(r".*(?<!_old)", &["a.b"], &["a.b_old"]);
        check(r"a\.(?>b*)c", &["a.bbc"], &["a.bb"]);
        check(r"a\.b*+b", &[], &["a.bb"]);
        check(r"(a)(b)\10", &["aba0"], &["ab"]);
    }

    #[test]
    fn classes_and_cases_are_ascii() {
        check(r"s\.\w+", &["s.orders_1"], &["s.订单", "s.é"]);
        check(r"s\.[\w$]+", &["s.a$b"], &["s.é"]);
        check(r"s\.[^\d]+", &["s.ab"], &["s.a1"]);
        check(r"s\.[\W\d]", &["s.1", "s.-", "s.é"], &["s.a"]);
        check("s.é", &["s.é", "S.é"], &["s.É"]);
        check("s.订单", &["s.订单"], &["s.用户"]);
        check(r"s\.\p{Alpha}+\P{Digit}", &["s.ab_"], &["s.ab1", "s.éx"]);
        check(r"s\.\p{L}+", &["s.é订"], &["s.1"]);
        check(r"s\.\u0041\x41\0101", &["s.AAA", "s.aaa"], &["s.AAB"]);
        check(r"s\.[a-c&&[^b]]", &["s.a"], &["s.b"]);
        check(r"s\.a\<b\-c\_", &["s.a<b-c_"], &[]);
        check(r"s\.t\d{1,2}", &["s.t1", "s.t12"], &["s.t123"]);
        check(r"s\.a{2}b{1,}c}[{}]\{\Q{\E\x{41}", &["s.aabbc}{{{A"], &["s.abc}{{{A"]);
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for expression in [
            "a(", "a)|(b", r"\y", r"a\", r"[a", r"\u12", "*a", r"\d{1", "a{2,1}", "a{x}", "a{,2}", "a{}", "a{1,2",
            r"\p{Foo}",
        ] {
            let reason = compile(expression, Case::Insensitive, Extent::Whole).unwrap_err();
            assert!(!reason.is_empty() && !reason.contains('\n'), "{expression}: {reason}");
        }
    }

    #[test]
    fn endless_matching_is_given_up() {
        let regex = compile(r"(?!x)(?:a|aa)+(?<!c)$", Case::Insensitive, Extent::Whole).unwrap();
        assert!(regex.is_match(&format!("{}cb", "a".repeat(60))).is_err());
    }
}
