//! What runs a pack's content, remembered for a moment.
//!
//! To find it the disk is asked a dozen things: where PATH has the program, what a shim stands for, what the manifest says,
//! whether the environment is complete. Thousands of polls a second would all get the same answers. Content never changes
//! under its digest, so within a moment only the machine can. What was removed from it meanwhile fails to start, with that
//! as the reason; what was missing or being built is never remembered, so whatever appears is found by the next run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use attune_core::runtime::execution::Role;

use super::{Code, Interpreter};
use crate::tool::Tool;

/// How long an answer is good.
const MOMENT: Duration = Duration::from_secs(1);

/// Content, runtime and use.
type Question = (String, String, Role);

/// The answers of one launcher.
#[derive(Debug)]
pub(super) struct Memory {
    moment: Duration,
    known: Mutex<HashMap<Question, Answer>>,
}

#[derive(Debug)]
struct Answer {
    /// The row as it was then: another one is another question.
    tool: Arc<Tool>,
    since: Instant,
    interpreter: Interpreter,
}

impl Default for Memory {
    fn default() -> Self {
        Self { moment: MOMENT, known: Mutex::default() }
    }
}

impl Memory {
    /// What was found for this code a moment ago.
    pub(super) fn recall(&self, code: &Code, role: Role) -> Option<Interpreter> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = known.get(&question(code, role)?)?;
        let is_good = Arc::ptr_eq(&answer.tool, &code.tool) && answer.since.elapsed() < self.moment;
        is_good.then(|| answer.interpreter.clone())
    }

    /// Code that lies where its author edits it has no digest, and is not remembered.
    pub(super) fn keep(&self, code: &Code, role: Role, interpreter: &Interpreter) {
        let Some(question) = question(code, role) else { return };
        let tool = Arc::clone(&code.tool);
        let answer = Answer { tool, since: Instant::now(), interpreter: interpreter.clone() };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, answer| answer.since.elapsed() < self.moment);
        known.insert(question, answer);
    }
}

fn question(code: &Code, role: Role) -> Option<Question> {
    Some((code.digest.clone()?, code.tool.r#ref.clone(), role))
}

#[cfg(test)]
mod tests {
    use attune_core::pack::Runtime;
    use serde_json::json;

    use super::*;

    fn code(digest: Option<&str>) -> Code {
        let runtime = Runtime {
            r#ref: "demo.x".to_owned(),
            name: "X".to_owned(),
            description: None,
            distributions: json!({}),
            installation: None,
            execution: json!({}),
            aliases: Vec::new(),
        };
        Code {
            pack: "demo".to_owned(),
            directory: "/demo".into(),
            digest: digest.map(str::to_owned),
            tool: Arc::new(Tool::defined(&runtime, None)),
            runtime_pack: None,
        }
    }

    #[test]
    fn the_same_content_under_the_same_row_is_remembered_for_its_use() {
        let memory = Memory { moment: Duration::from_hours(1), ..Memory::default() };
        let (named, interpreter) = (code(Some("d")), Interpreter::default());
        memory.keep(&named, Role::Sensor, &interpreter);
        assert!(memory.recall(&named, Role::Sensor).is_some());
        assert!(memory.recall(&named, Role::Action).is_none());
        assert!(memory.recall(&code(Some("d")), Role::Sensor).is_none(), "the row was read again");
        let unnamed = code(None);
        memory.keep(&unnamed, Role::Sensor, &interpreter);
        assert!(memory.recall(&unnamed, Role::Sensor).is_none());
    }

    #[test]
    fn a_moment_later_it_is_forgotten() {
        let memory = Memory { moment: Duration::ZERO, ..Memory::default() };
        let named = code(Some("d"));
        memory.keep(&named, Role::Sensor, &Interpreter::default());
        assert!(memory.recall(&named, Role::Sensor).is_none());
    }
}
