//! Regular expressions that people write: what is wrong with one, in one line.

/// The last line of such an error says what is wrong; those before it draw the pattern.
pub(crate) fn one_line(error: &regex::Error) -> String {
    let message = error.to_string();
    let last = message.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
