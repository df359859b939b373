//! What a sensor or an action says of its confinement, as its program gets it.

use attune_core::limits::Limits as Own;
use attune_process::{Level, Limits, StreamLimit};
use serde_json::Value;

/// A level, and the limits that come with it or were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confinement {
    level: Level,
    limits: Own,
}

impl Confinement {
    /// Nothing was said: this level, and the service's limits.
    pub fn at(level: Level) -> Self {
        Self { level, limits: Own::default() }
    }

    /// Reads the columns; `default` is the level of one that demands none. An error is the fault in words.
    pub fn read(sandbox: Option<&str>, limits: &Value, default: Level) -> Result<Self, String> {
        let limits = Own::parse(limits).map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(|fault| format!("limits: {fault}")).collect();
            faults.join("; ")
        })?;
        let level = match sandbox {
            None => default,
            Some(name) => Level::named(name).ok_or_else(|| format!("sandbox: {name:?} is no level"))?,
        };
        Ok(Self { level, limits })
    }

    /// Whether a program has to be confined for this one sensor or action, so that no other code can share it.
    pub fn is_its_own(&self, default: Level) -> bool {
        *self != Self::at(default)
    }

    /// What the program may print, when that is said.
    pub fn output(&self) -> Option<usize> {
        self.limits.output.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Confines a run.
    pub fn apply(&self, limits: &mut Limits) {
        let own = &self.limits;
        let resources = &mut limits.resources;
        let said = |limit: &mut Option<u64>, own: Option<u64>| *limit = own.or(*limit);
        said(&mut resources.memory_bytes, own.memory);
        said(&mut resources.cpu_seconds, own.cpu_seconds);
        said(&mut resources.processes, own.processes);
        said(&mut resources.open_files, own.open_files);
        said(&mut resources.file_bytes, own.file_size);
        if let Some(output) = self.output() {
            limits.stdout = StreamLimit::kill(output);
        }
        limits.confine(self.level);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_comes_before_what_the_level_brings() {
        let limits = json!({"memory": "256M", "open_files": 9, "output": 77});
        let confinement = Confinement::read(Some("process"), &limits, Level::None).unwrap();
        let mut applied = Limits::default();
        confinement.apply(&mut applied);
        assert_eq!((applied.sandbox, applied.no_new_privileges), (Level::Process, true));
        assert_eq!(
            (applied.resources.memory_bytes, applied.resources.open_files),
            (Some(256_000_000), Some(9))
        );
        assert_eq!((applied.resources.core_bytes, applied.stdout), (Some(0), StreamLimit::kill(77)));
    }

    #[test]
    fn without_a_word_it_is_the_default() {
        let confinement = Confinement::read(None, &json!({}), Level::None).unwrap();
        let mut applied = Limits::default();
        confinement.apply(&mut applied);
        assert_eq!(applied, Limits::default());
        assert!(!confinement.is_its_own(Level::None) && confinement.is_its_own(Level::Process));
    }

    #[test]
    fn faults_are_named() {
        let fault = |sandbox, limits| Confinement::read(sandbox, &limits, Level::None).unwrap_err();
        assert_eq!(fault(Some("tight"), json!({})), "sandbox: \"tight\" is no level");
        assert!(fault(None, json!({"ram": 1})).starts_with("limits: ram: unknown key"));
    }
}
