//! Text of programs and other people, for a terminal: some characters make it do something instead of showing them. They can
//! clear the screen, answer a question in the person's name, or turn the direction of writing, so that a line reads as another.

/// Whether a terminal would do something else than show it, or move to the next line or column.
pub fn is_obeyed(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || is_turning(c)
}

/// Marks, overrides and isolates of the direction of writing.
pub fn is_turning(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with one sign for each such character and for each tab, as a column of a table needs it.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_obeyed(c) || c == '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_that_is_obeyed_is_one_sign() {
        assert_eq!(
            printable("\u{1b}[2Jgone\u{202e}\t\n\u{9b}é"),
            "\u{fffd}[2Jgone\u{fffd}\u{fffd}\n\u{fffd}é"
        );
    }
}
