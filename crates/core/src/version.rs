//! Version numbers as programs print them and as people write them.
//!
//! Only the numbers count: `3.8` is below `3.11.2`, `16` equals `16.0.0`, and what follows the numbers (`rc1`, `p20`, `+`)
//! is left aside, since every language has its own idea of it.

use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

/// The bounds keep each part within 64 bits and a hostile output from becoming a long version. `\d` would know the digits of
/// every script, which are no part of a version and take most of a warm start to compile.
const DOTTED: &str = r"[0-9]{1,18}(?:\.[0-9]{1,18}){1,7}";
const NUMBER: &str = r"[0-9]{1,18}(?:\.[0-9]{1,18}){0,7}";

/// A version: one number or several with dots between them.
#[derive(Debug, Clone)]
pub struct Version {
    parts: Vec<u64>,
    text: String,
}

impl Version {
    /// The first number in `text`, dotted or not: what somebody wrote to be a version.
    pub fn parse(text: &str) -> Option<Self> {
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| pattern(NUMBER));
        Self::first(&PATTERN, text)
    }

    /// The first dotted number in the output of a program, where a number alone may be anything.
    pub fn find_in(output: &str) -> Option<Self> {
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| pattern(DOTTED));
        Self::first(&PATTERN, output)
    }

    /// The version as it was written, without what surrounds the numbers.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn first(pattern: &Regex, text: &str) -> Option<Self> {
        let text = pattern.find(text)?.as_str().to_owned();
        let parts = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        Some(Self { parts, text })
    }

    /// The numbers without the zeros at the end, which say nothing.
    fn significant(&self) -> &[u64] {
        let length = self.parts.iter().rposition(|&part| part != 0).map_or(0, |last| last + 1);
        &self.parts[..length]
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.significant().cmp(other.significant())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant that the tests compile")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(version("3.8") < version("3.11.2"));
        assert!(version("3.11.2") > version("3.11"));
        assert!(version("9") < version("10.0"));
        assert!(version("18.19.0") > version("16.0.0"));
    }

    #[test]
    fn zeros_at_the_end_say_nothing() {
        assert_eq!(version("16"), version("16.0.0"));
        assert_eq!(version("0.0"), version("0"));
        assert!(version("16.0.1") > version("16"));
    }

    #[test]
    fn what_surrounds_the_numbers_is_left_aside() {
        for (text, expected) in
            [("v18.19.0", "18.19.0"), ("3.1.2p20", "3.1.2"), ("3.13.0rc1+", "3.13.0"), (">= 3.8", "3.8")]
        {
            assert_eq!(version(text).as_str(), expected);
        }
        assert!(Version::parse("latest").is_none());
    }

    #[test]
    fn the_first_dotted_number_of_an_output_counts() {
        let found = |output| Version::find_in(output).map(|version| version.to_string());
        assert_eq!(found("tool 7 (build 12) 1.2.3 of 4.5"), Some("1.2.3".to_owned()));
        assert_eq!(found("go version go1.21.3 linux/amd64"), Some("1.21.3".to_owned()));
        assert_eq!(found("ruby 3.1.2p20 (2022-04-12 revision 4491bb740a)"), Some("3.1.2".to_owned()));
        assert_eq!(found("tool 7"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn a_hostile_number_stays_small() {
        let long = format!("{}.{}", "9".repeat(5000), "1.".repeat(5000));
        let version = Version::find_in(&long).unwrap();
        assert!(version.as_str().len() < 200);
    }
}
