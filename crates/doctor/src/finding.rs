//! What a check found.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It could not be looked at, which is no fault.
    Skipped,
    /// It works, but somebody should look at it.
    Warning,
    /// Something does not work.
    Problem,
}

/// One thing that a check has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it; `None` where nothing is to be done.
    pub mend: Option<String>,
}

impl Finding {
    pub(crate) fn ok(found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, found: found.into(), mend: None }
    }

    pub(crate) fn skipped(found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, found: found.into(), mend: None }
    }

    pub(crate) fn warning(found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning, found: found.into(), mend: Some(mend.into()) }
    }

    /// A check that the database, although it is there, gave no answer to.
    pub(crate) fn unread(what: &str, error: &dyn std::error::Error) -> Self {
        let found = format!("{what} could not be read: {}", chain(error));
        Self::warning(found, "mend what the checks `database` and `schema` say, then run it again")
    }

    pub(crate) fn problem(found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Problem, found: found.into(), mend: Some(mend.into()) }
    }
}

/// The first few of many, and how many more there are.
pub(crate) fn first_few(names: &[String]) -> String {
    const FEW: usize = 3;
    let few = names[..names.len().min(FEW)].join("; ");
    match names.len().saturating_sub(FEW) {
        0 => few,
        more => format!("{few}; and {more} more"),
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let mut text = error.to_string();
    for cause in causes.map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        // Some libraries repeat the cause in their own message.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_cut_short() {
        let names = |n: u32| (1..=n).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(first_few(&names(3)), "1; 2; 3");
        assert_eq!(first_few(&names(5)), "1; 2; 3; and 2 more");
    }
}
