//! Why a poll failed. The words are what the operator sees as the sensor's last error.

use std::time::Duration;

use attune_core::output::OutputError;
use attune_process::Outcome;
use attune_runtimes::host::TurnError;
use attune_runtimes::launch::PrepareError;

/// As much of an error as is kept.
const LENGTH: usize = 8 * 1024;

/// Why a poll failed. Nothing of it is taken.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The configuration cannot be used; the program was not started.
    #[error("{0}")]
    Config(String),
    /// The token of the run could not be kept; the program was not started.
    #[error("the token of the run cannot be stored: {0}")]
    Token(#[source] sqlx::Error),
    /// The program could not be started.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The program ended with a non-zero code, or by a signal.
    #[error("it {ended}{}", with_reason(.reason))]
    Ended {
        /// How.
        ended: Outcome,
        /// The last lines of its stderr.
        reason: String,
    },
    /// It ran too long; it and everything that it started is gone.
    #[error("it ran longer than its time limit of {} s{}", .limit.as_secs_f64(), with_reason(.reason))]
    TimedOut {
        /// How long it had.
        limit: Duration,
        /// The last lines of its stderr.
        reason: String,
    },
    /// It printed too much; it and everything that it started is gone.
    #[error("it printed more than its limit of {limit} bytes")]
    TooMuchOutput {
        /// The limit.
        limit: usize,
    },
    /// What it printed can not be taken.
    #[error("{error}{}", with_reason(.reason))]
    Output {
        /// What is wrong with it.
        error: OutputError,
        /// The last lines of its stderr.
        reason: String,
    },
    /// There was no warm host for it, or that ended in the middle.
    #[error("{error}{}", with_reason(.reason))]
    Host {
        /// What went wrong with the host.
        error: Box<TurnError>,
        /// The last lines of its stderr.
        reason: String,
    },
    /// The sensor's code failed, and its wrapper says how.
    #[error("{message}{}", with_traceback(.message, .traceback.as_deref()))]
    Reported {
        /// What it says.
        message: String,
        /// Where it happened.
        traceback: Option<String>,
    },
    /// It printed events although it has no trigger that they could be of.
    #[error("it has events, but names no trigger")]
    NoTrigger,
    /// The worker ended it; that says nothing about the sensor.
    #[error("the poll was stopped")]
    Stopped,
}

impl PollError {
    /// Whether this machine lacks what it is said to have.
    pub fn is_missing_runtime(&self) -> bool {
        matches!(self, Self::Prepare(error) if error.is_missing_runtime())
    }

    /// Whether somebody killed its program.
    pub(crate) fn was_killed(&self) -> bool {
        match self {
            Self::Prepare(error) => error.was_killed(),
            Self::Ended { ended, .. } => ended.was_killed(),
            Self::Host { error, .. } => error.was_killed(),
            _ => false,
        }
    }

    /// Until it makes sense to try again, when its environment decides that.
    pub(crate) fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Prepare(PrepareError::Environment(error)) => Some(error.retry_in()),
            _ => None,
        }
    }

    /// The text for a column: without NUL, and of bounded length.
    pub fn for_the_record(&self) -> String {
        recorded(&self.to_string())
    }
}

/// A text as a column takes it.
pub(crate) fn recorded(text: &str) -> String {
    bounded(&text.replace('\0', "\\0"))
}

/// The start and the end of a text, which say more than its middle.
fn bounded(text: &str) -> String {
    if text.len() <= LENGTH {
        return text.to_owned();
    }
    let (head, tail) =
        (text.floor_char_boundary(LENGTH / 2), text.ceil_char_boundary(text.len() - LENGTH / 2));
    format!("{}\n[...]\n{}", &text[..head], &text[tail..])
}

pub(crate) fn with_reason(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// A traceback that says no more than the message is left out.
fn with_traceback(message: &str, traceback: Option<&str>) -> String {
    match traceback.map(str::trim) {
        Some(traceback) if !traceback.is_empty() && traceback != message.trim() => format!("\n{traceback}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_both_ends_and_no_nul() {
        let message = format!("start\0{}end", "ä".repeat(LENGTH));
        let text = PollError::Config(message).for_the_record();
        assert!(text.starts_with("start\\0") && text.ends_with("end") && text.len() <= LENGTH + 16);
    }

    #[test]
    fn a_traceback_is_shown_once() {
        let shown = |traceback: Option<&str>| {
            PollError::Reported { message: "no".to_owned(), traceback: traceback.map(str::to_owned) }
                .to_string()
        };
        assert_eq!(shown(None), "no");
        assert_eq!(shown(Some("no\n")), "no");
        assert_eq!(shown(Some("line 1\nno\n")), "no\nline 1\nno");
    }
}
