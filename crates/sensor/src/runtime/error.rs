//! Why a poll failed. The words are what the operator sees as the sensor's last error.

use std::time::Duration;

use attune_core::output::OutputError;
use attune_process::{LaunchError, Outcome};
use attune_runtimes::content::ContentError;
use attune_runtimes::resolve::ResolveError;
use attune_runtimes::tool::ToolError;

/// As much of an error as is kept.
const LENGTH: usize = 8 * 1024;

/// Why a poll failed. Nothing of it is taken.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The configuration can not be used; the program was not started.
    #[error("{0}")]
    Config(String),
    /// This machine lost the runtime.
    #[error("runtime {0} is missing on this machine")]
    RuntimeGone(String),
    /// Nobody uploaded the code.
    #[error("its pack has no content; load the pack with `attune pack load`")]
    NoContent,
    /// The code is not on this machine.
    #[error("{0}")]
    Content(#[from] ContentError),
    /// There is no command line.
    #[error("{0}")]
    Tool(#[from] ToolError),
    /// There is no place to run in.
    #[error("can not make a working directory: {0}")]
    WorkingDirectory(#[source] std::io::Error),
    /// The system refused.
    #[error("{error}{}", cause(.error))]
    Launch {
        /// What was attempted.
        #[source]
        error: LaunchError,
    },
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
        matches!(
            self,
            Self::RuntimeGone(_)
                | Self::Tool(ToolError::Resolve(ResolveError::NoBinary { .. }))
                | Self::Launch { error: LaunchError::NotFound { .. } }
        )
    }

    /// The text for a column: without NUL, and of bounded length.
    pub fn for_the_record(&self) -> String {
        bounded(&self.to_string().replace('\0', "\\0"))
    }
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

fn with_reason(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// A traceback that says no more than the message is left out.
fn with_traceback(message: &str, traceback: Option<&str>) -> String {
    match traceback.map(str::trim) {
        Some(traceback) if !traceback.is_empty() && traceback != message.trim() => format!("\n{traceback}"),
        _ => String::new(),
    }
}

fn cause(error: &LaunchError) -> String {
    std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"))
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
