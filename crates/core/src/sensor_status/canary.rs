//! How far the last canary of a sensor came: a marked event that goes the way of all its events, to an action that does nothing.

use std::time::Duration;

use super::span::in_words;

/// The trigger of canaries, and the rule that lets them through.
pub const REF: &str = "core.canary";

/// What is known of the last canary of a sensor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// How long ago it was seen; none: there never was one.
    pub seen: Option<Duration>,
    /// When that was, in words.
    pub at: String,
    /// Whether the trigger and the rule are there and enabled.
    pub trigger_enabled: bool,
    /// (see `trigger_enabled`)
    pub rule_enabled: bool,
    /// Whether its rule fired; `Some`: and why nothing could follow, if so.
    pub fired: Option<Option<String>>,
    /// The execution that followed: its id, action, status and error.
    pub execution: Option<Execution>,
}

/// What runs for a canary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Execution {
    /// `execution.id`.
    pub id: i64,
    /// The action.
    pub action: String,
    /// `execution.status`.
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
    /// The runtime that it needs, when no live worker has it.
    pub lacks: Option<String>,
}

impl Trail {
    /// Where it is stuck, in words; none: it arrived.
    pub fn stuck(&self) -> Option<String> {
        if !self.trigger_enabled {
            return Some(format!("trigger {REF} is disabled or missing, so none is taken in"));
        }
        let Some(seen) = self.seen else { return Some("no canary was sent yet".to_owned()) };
        match (&self.fired, &self.execution) {
            (_, Some(execution)) if execution.status == "succeeded" => None,
            (_, Some(execution)) => Some(execution.stuck()),
            (Some(Some(reason)), None) => Some(format!("{}, and its rule fired, but {reason}", self.named())),
            (Some(None), None) => {
                Some(format!("{}, and its rule fired, but its execution is gone", self.named()))
            }
            (None, None) if !self.rule_enabled => {
                Some(format!("{}, but no rule took it: rule {REF} is disabled or missing", self.named()))
            }
            (None, None) => Some(format!("{}, {} ago, but no rule took it", self.named(), in_words(seen))),
        }
    }

    fn named(&self) -> String {
        format!("its canary of {} was seen", self.at)
    }
}

impl Execution {
    fn stuck(&self) -> String {
        let Self { id, action, status, error, lacks } = self;
        match (status.as_str(), lacks, error) {
            ("requested", Some(runtime), _) => {
                format!("execution {id} of {action} waits: no worker that is alive has {runtime}")
            }
            ("requested", None, _) => format!("execution {id} of {action} waits for a worker"),
            ("running", ..) => format!("execution {id} of {action} is not over yet"),
            (_, _, Some(error)) => format!("execution {id} of {action} {status}: {error}"),
            (_, _, None) => format!("execution {id} of {action} {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrow_where_it_is_stuck_is_named() {
        let sent = Trail {
            seen: Some(Duration::from_secs(700)),
            at: "12:00:05".to_owned(),
            trigger_enabled: true,
            rule_enabled: true,
            ..Trail::default()
        };
        let ran = |status: &str, error: Option<&str>, lacks: Option<&str>| {
            let (status, error) = (status.to_owned(), error.map(str::to_owned));
            let action = "core.noop".to_owned();
            let execution = Execution { id: 17, action, status, error, lacks: lacks.map(str::to_owned) };
            Trail { fired: Some(None), execution: Some(execution), ..sent.clone() }
        };
        assert_eq!(ran("succeeded", None, None).stuck(), None);
        for (trail, expected) in [
            (Trail::default(), "trigger core.canary is disabled or missing"),
            (Trail { seen: None, ..sent.clone() }, "no canary was sent yet"),
            (
                Trail { rule_enabled: false, ..sent.clone() },
                "was seen, but no rule took it: rule core.canary is disabled",
            ),
            (
                Trail { fired: Some(Some("action core.noop is disabled".to_owned())), ..sent.clone() },
                "action core.noop is disabled",
            ),
            (
                ran("requested", None, Some("core.shell")),
                "execution 17 of core.noop waits: no worker that is alive has core.shell",
            ),
            (ran("requested", None, None), "execution 17 of core.noop waits for a worker"),
            (ran("running", None, None), "is not over yet"),
            (ran("failed", Some("it exited with code 3"), None), "failed: it exited with code 3"),
        ] {
            let stuck = trail.stuck().unwrap();
            assert!(stuck.contains(expected), "{stuck}");
        }
    }
}
