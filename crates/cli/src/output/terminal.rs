//! What a terminal would obey is shown on it instead: everything that this program prints passes here.
//!
//! Logs, results and names are made by programs and their input. A control character in them can clear the screen, retitle
//! the window or answer a question in the user's name, and one that turns the direction of writing makes a line read as
//! another one. A pipe or a file gets every byte as it is.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

use attune_core::printable::is_obeyed;

/// Writes as it is, or so that a terminal shows it. A closed pipe (`| head`) is the reader's right and no failure.
pub(super) fn write(mut output: impl Write + IsTerminal, bytes: &[u8]) -> io::Result<()> {
    let shown = output.is_terminal().then(|| shown(bytes));
    let bytes = shown.as_ref().map_or(bytes, String::as_bytes);
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// As JSON writes it, so that JSON stays JSON; a byte that is no text as `\xff`.
fn shown(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(c) = characters.next() {
            let is_end_of_line = c == '\r' && characters.peek() == Some(&'\n');
            if is_obeyed(c) && !is_end_of_line {
                // A string takes everything.
                let _ = write!(shown, "\\u{:04x}", u32::from(c));
            } else {
                shown.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_everything_else_is_left() {
        for (given, wanted) in [
            (&b"\x1b[2Jgone\x07"[..], "\\u001b[2Jgone\\u0007"),
            ("\u{9b}31m \u{202e}txt\u{2066}".as_bytes(), "\\u009b31m \\u202etxt\\u2066"),
            (b"a\tb\r\nc\rd\x7f\n", "a\tb\r\nc\\u000dd\\u007f\n"),
            (b"\x9b1m \xff\xc3\xa9", "\\x9b1m \\xff\u{e9}"),
            ("שלום, é 漢".as_bytes(), "שלום, é 漢"),
        ] {
            assert_eq!(shown(given), wanted);
        }
    }

    #[test]
    fn json_stays_json() {
        let value = serde_json::json!({"name": "\u{1b}[31m\u{85}\u{202e}"});
        let text = shown(serde_json::to_string_pretty(&value).unwrap().as_bytes());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
