//! Regular expressions that people write: what is wrong with one, in one line, and how slow it may be.

use regex_syntax::hir::{Hir, HirKind};

/// The last line of such an error says what is wrong; those before it draw the pattern.
pub(crate) fn one_line(error: &regex::Error) -> String {
    let message = error.to_string();
    let last = message.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// How many copies of its parts a pattern makes by counted repetition, `[ab]{50}`: each may have to be followed at every
/// character of a text at once, which is the only way for a search to become slow.
pub(crate) fn copies(pattern: &str) -> usize {
    regex_syntax::parse(pattern).map_or(0, |parsed| count(&parsed))
}

fn count(part: &Hir) -> usize {
    let inside = part.kind().subs().iter().map(count).fold(0, usize::saturating_add);
    match part.kind() {
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            if times > 1 { inside.max(1).saturating_mul(times) } else { inside }
        }
        _ => inside,
    }
}

/// In how many places of a pattern a search may be at once: it has to choose there, or may go on. Each of them may cost a
/// moment at every character of a text.
pub(crate) fn choices(pattern: &str) -> usize {
    regex_syntax::parse(pattern).map_or(0, |parsed| choose(&parsed))
}

fn choose(part: &Hir) -> usize {
    let inside = part.kind().subs().iter().map(choose);
    match part.kind() {
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            inside.fold(0, usize::saturating_add).max(1).saturating_mul(times)
        }
        HirKind::Alternation(_) => inside.map(|choices| choices.max(1)).fold(0, usize::saturating_add),
        _ => inside.fold(0, usize::saturating_add),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_repetition_copies() {
        for (pattern, expected) in [
            ("web-[0-9]+", 0),
            ("^[a-f0-9]{64}$", 64),
            ("(ab{3}|c){10}", 30),
            ("(a{100}){100}", 10_000),
            ("a{5,}", 5),
            ("(a", 0),
        ] {
            assert_eq!(copies(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn counts_where_a_search_may_be() {
        for (pattern, expected) in [
            ("error", 0),
            ("web-[0-9]+", 1),
            ("error|warning|fatal", 3),
            ("^[a-f0-9]{64}$", 64),
            ("a[ab][ab][ab]", 3),
            (".*a.*b", 2),
            ("(ab|cd)(ab|cd)", 4),
            ("(a{100}){100}", 10_000),
            ("(a", 0),
        ] {
            assert_eq!(choices(pattern), expected, "{pattern}");
        }
    }
}
